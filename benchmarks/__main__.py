"""`python -m benchmarks`: the system beside its peers, in one run on one machine.

`--quick` takes less than two minutes; `--growth` asks how figures change with replicas and with what is in database and
queue.
"""

from __future__ import annotations

import argparse
import asyncio
import sys

from benchmarks import growth, reports, tables, workloads
from benchmarks.processes import ProgramLacks, require_programs
from benchmarks.runner import MAIN, Runner

QUICK_ROUNDS, ROUNDS = 1, 5


def main() -> None:
    arguments = _arguments()
    try:
        require_programs()
    except ProgramLacks as lack:
        sys.exit(str(lack))
    try:
        asyncio.run(_run(arguments))
    except KeyboardInterrupt:
        sys.exit("stopped; nothing is left running")


async def _run(arguments: argparse.Namespace) -> None:
    scale = workloads.QUICK if arguments.quick else workloads.FULL
    if arguments.growth:
        points = await growth.measure(scale, quick=arguments.quick, say=_say)
        print(f"wrote {' and '.join(reports.write_growth(points, quick=arguments.quick))}")
        return
    runner = Runner(scale, arguments.contenders or list(MAIN), arguments.workloads or _names(), _say)
    rounds = arguments.rounds or (QUICK_ROUNDS if arguments.quick else ROUNDS)
    results = await runner.run(rounds)
    print(tables.text(results))
    print(f"wrote {' and '.join(reports.write(results, rounds, scale, quick=arguments.quick))}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="one round of small measurements")
    parser.add_argument("--growth", action="store_true", help="replicas, and databases of several sizes")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--contenders", nargs="+", choices=list(MAIN), metavar="NAME", help=", ".join(MAIN))
    parser.add_argument("--workloads", nargs="+", choices=_names(), metavar="NAME", help=", ".join(_names()))
    return parser.parse_args()


def _names() -> list[str]:
    return [workload.name for workload in workloads.ALL]


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
