"""Work queues, dead letters and announcements over NATS JetStream.

    queue          what a service holds: publish, consume, announce, listen
    streams        the two streams everything lives in
    connection     one connection at a time, made anew for ever
    pull           asks a durable consumer for messages
    consumer       hands messages to a handler, as many at once as it has slots
    work           one delivery, from the handler to its acknowledgement
    tasks          what the messages have in common: reading one, and passing on the next
    listing        what lies in a stream
    leftovers      what lies there for nobody
    dead_letters   what could not be processed, and why
    letters        reading those, and taking them away

Delivery is at least once: a handler sees the same message again after a crash, a lost acknowledgement or a
restart of NATS, so every effect it has must be harmless when repeated.
"""

from chassis.queue.delivery import REQUEST_ID, Again, Delivery, Handler, OnDead, Poison, TooLate, TooOften
from chassis.queue.letters import DeadLetters, Letter, LetterMissing
from chassis.queue.queue import Queue
from chassis.queue.streams import DEAD_LETTERS, WORK, Stream

__all__ = [
    "DEAD_LETTERS", "REQUEST_ID", "WORK", "Again", "DeadLetters", "Delivery", "Handler", "Letter", "LetterMissing",
    "OnDead", "Poison", "Queue", "Stream", "TooLate", "TooOften",
]  # fmt: skip
