"""`python -m tests.chaos --seconds 300 --seed 7`: exits with 1 when anything was lost or made twice."""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Load, Report, run
from tests.postgres import stop_shared_postgres


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description="Faults by a seed, and a judgement.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="the same one: the same faults")
    parser.add_argument("--players", type=int, default=6)
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two requests of one player")
    parser.add_argument("--slots", type=int, help="paid calls at once in a process; else the seed says")
    parser.add_argument("--cluster", action="store_true", help="two of each service on PostgreSQL, three NATS servers")
    parser.add_argument("--keep", type=Path, help="where data and logs stay; else they go when nothing is wrong")
    arguments = parser.parse_args()
    directory = arguments.keep or Path(tempfile.mkdtemp(prefix="chaos-"))
    _say(f"seed {arguments.seed}; logs in {directory}")
    try:
        report = asyncio.run(_run(directory, arguments))
    finally:
        stop_shared_postgres()
    print(report)
    sys.exit(1 if report.wrong else 0)


async def _run(directory: Path, arguments: argparse.Namespace) -> Report:
    load = Load(players=arguments.players, every=arguments.every)
    return await run(
        directory,
        seed=arguments.seed,
        seconds=arguments.seconds,
        load=load,
        say=_say,
        slots=arguments.slots,
        cluster=arguments.cluster,
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
