"""What a side took is what its processes took, and those that they started."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.measuring import costs, cpu_seconds, exact_cpu_seconds, newcomers, tree

BUSY = """
import subprocess, sys, time
memory = bytearray(30_000_000)
if len(sys.argv) > 1:
    subprocess.run([sys.executable, "-c", sys.argv[1]])
while time.process_time() < 0.3:
    pass
print("worked", flush=True)
sys.stdin.read()
"""


def test_work_and_memory_of_children_are_the_sides_own() -> None:
    child = "import time\nwhile time.process_time() < 0.3: pass"
    with newcomers() as started:
        process = subprocess.Popen(
            [sys.executable, "-c", BUSY, child], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
    with process, costs(started()) as cost:
        assert process.stdout is not None
        assert process.stdout.readline() == "worked\n"
        assert process.pid in tree(started())
        assert exact_cpu_seconds([process.pid]) >= 0.3
        worked = cpu_seconds([process.pid])

    assert worked >= 0.55  # its own, and its child's, which has ended
    assert cost.peak >= 30
