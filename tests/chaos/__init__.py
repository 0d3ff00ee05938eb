"""Real processes under faults, and a judge who reads the history: `python -m tests.chaos --seconds 300 --seed 7`.

plan       what goes wrong and when, decided by the seed alone
stage      the system, and every way to hurt it
players    apps of several users, who ask, follow, cancel and try again
history    what the players were told
evidence   what is on disk when all is over
checks     what must hold between the two
run        the whole thing, and its report
"""
