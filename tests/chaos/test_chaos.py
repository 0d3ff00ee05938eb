"""A short run on every test run; `make chaos SECONDS=300 SEED=7` plays a long one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.chaos.money import Bill, Call, of_money
from tests.chaos.plan import Kind, plan
from tests.chaos.run import Load, run

SEED, SECONDS = 11, 15.0
PARTS = ("prompt", "generation", "storage", "gateway", "nats")


@pytest.mark.timeout(300)
async def test_nothing_is_lost_and_nothing_made_twice_whatever_dies(tmp_path: Path) -> None:
    report = await run(tmp_path, seed=SEED, seconds=SECONDS, load=Load(players=4), say=print)

    assert not report.wrong, f"\n{report}"
    assert len(report.faults) >= 4 and len(report.history.stories) >= 20, f"\n{report}"
    assert _billed_again_unseen(report.bill) == [], f"\n{report}"


def _billed_again_unseen(bill: Bill) -> list[Call]:
    """The calls that nothing happened to, and that could be billed once more without the judge seeing it."""
    quiet = [call for call in bill.calls if call.is_answered and not any(blow.hit(call) for blow in bill.blows)]
    assert quiet
    return [call for call in quiet if not list(of_money(replace(bill, calls=[*bill.calls, replace(call, at=999.0)])))]


def test_the_same_seed_plans_the_same_faults_and_another_seed_others() -> None:
    assert plan(7, 300, PARTS) == plan(7, 300, PARTS) != plan(8, 300, PARTS)


def test_a_long_run_hits_every_part_in_every_way() -> None:
    faults = plan(7, 300, PARTS)

    assert len(faults) >= 60
    assert {fault.kind for fault in faults} >= {Kind.KILL, Kind.PAUSE, Kind.RESTART, Kind.OUTAGE, Kind.CUT}
    assert {fault.target for fault in faults} >= set(PARTS)
