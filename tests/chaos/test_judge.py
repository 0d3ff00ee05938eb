"""The judge sees each thing that could go wrong, one at a time; a good run has nothing to answer for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.checks import violations
from tests.chaos.evidence import Evidence
from tests.chaos.history import History, Json, Story
from tests.chaos.money import Bill, Blow, Call
from tests.chaos.plan import Fault, Kind

SHA = "a" * 64
FIRST, SECOND = Call("job:0", 20.0), Call("job:0", 24.0)
KILL = Blow(Fault(20.5, Kind.KILL, "generation"), 20.5, 20.6)
Change = Callable[["Case"], None]


class Case:
    """A run with one job that completed; a test spoils one thing in it."""

    def __init__(self) -> None:
        job: Json = {"id": "job", "status": "queued", "progress": 0, "count": 1}
        self.end: Json = {**job, "status": "completed", "progress": 100, "assets": [{"id": "asset"}]}
        self.story = Story("ada", job, 0.0)
        self.history = History(stories=[self.story])
        self.sightings: list[tuple[str, Json, int | None]] = [
            ("poll", job, None),
            ("stream", {**job, "status": "processing", "progress": 20}, 2),
            ("stream", self.end, 4),
        ]
        self.job_row: dict[str, Any] = {"id": "job", "status": "completed"}
        self.item: dict[str, Any] = {
            "job_id": "job", "item": 0, "state": "stored", "asset_id": "asset", "render_sha256": SHA,
            "render_key": "job.0.a",
        }  # fmt: skip
        self.asset: dict[str, Any] = {
            "id": "asset", "job_id": "job", "item": 0, "state": "stored", "key": "private/a", "sha256": SHA,
        }  # fmt: skip
        self.jobs: dict[str, Any] = {"job": self.job_row}
        self.items: list[Any] = [self.item]
        self.assets: list[Any] = [self.asset]
        self.discards: list[Any] = []
        self.evidence = Evidence(
            self.jobs, self.items, self.discards, self.assets, {"private/a": SHA}, unnamed_renders=0, renders=set()
        )
        self.bill = Bill([FIRST], {"job:0"}, [], slots=1)
        self.work_left = self.dead_letters = 0

    def judged(self) -> list[str]:
        for source, job, revision in self.sightings:
            self.story.see(source, job, revision, 1.0)
        return violations(self.history, self.evidence, self.bill, self.work_left, self.dead_letters)


def test_a_run_in_which_all_is_well_has_nothing_to_answer_for() -> None:
    assert Case().judged() == []


def _never_ended(case: Case) -> None:
    case.sightings.pop()


def _went_back(case: Case) -> None:
    case.sightings.insert(2, ("poll", {**case.story.job, "status": "processing", "progress": 10}, None))


def _earlier_revision(case: Case) -> None:
    case.sightings[2] = ("stream", case.end, 1)


def _rose_again(case: Case) -> None:
    case.sightings += [("poll", {**case.end, "status": "processing"}, None)]


def _gone(case: Case) -> None:
    case.jobs.clear()
    case.items.clear()


def _hangs(case: Case) -> None:
    case.item["state"] = "dispatched"


def _without_assets(case: Case) -> None:
    case.end["assets"] = []


def _stranger(case: Case) -> None:
    case.jobs["other"] = {"id": "other", "status": "completed"}


def _twice(case: Case) -> None:
    case.items.append({**case.item, "item": 1})


def _lost_bytes(case: Case) -> None:
    case.evidence.blobs.clear()


def _other_bytes(case: Case) -> None:
    case.evidence.blobs["private/a"] = "b" * 64


def _other_picture(case: Case) -> None:
    case.item["render_sha256"] = "b" * 64


def _nobodys(case: Case) -> None:
    case.assets.append({**case.asset, "id": "other"})


def _orphan(case: Case) -> None:
    case.evidence.blobs["private/b"] = SHA


def _left_in_the_queue(case: Case) -> None:
    case.work_left = 1


def _given_up(case: Case) -> None:
    case.dead_letters = 1


def _not_discarded(case: Case) -> None:
    case.discards.append({"asset_id": "asset"})


def _left_behind(case: Case) -> None:
    case.evidence.renders.add("job.0.a")


def _paid_twice(case: Case) -> None:
    case.bill = replace(case.bill, calls=[FIRST, SECOND])


def _paid_three_times(case: Case) -> None:
    case.bill = replace(case.bill, calls=[FIRST, SECOND, replace(FIRST, at=27.0)], blows=[KILL, KILL])


def _paid_for_nobody(case: Case) -> None:
    case.bill = replace(case.bill, calls=[FIRST, replace(FIRST, item="other:0")])


def _paid_twice_beside_a_kill(case: Case, **other: Any) -> None:
    case.bill = replace(case.bill, calls=[FIRST, SECOND], blows=[replace(KILL, **other)])


def _paid_twice_before_a_kill(case: Case) -> None:
    _paid_twice_beside_a_kill(case, began=24.5, ended=24.6)


def _paid_twice_long_after_a_kill(case: Case) -> None:
    _paid_twice_beside_a_kill(case, began=10.5, ended=10.6)


def _paid_twice_for_somebody_elses_death(case: Case) -> None:
    _paid_twice_beside_a_kill(case, fault=Fault(20.5, Kind.KILL, "storage"))


def _paid_twice_for_a_nap(case: Case) -> None:
    _paid_twice_beside_a_kill(case, fault=Fault(20.5, Kind.PAUSE, "generation", 0.5))


def _more_paid_twice_than_one_kill_can_cost(case: Case) -> None:
    others = [replace(call, item="job:1") for call in (FIRST, SECOND)]
    case.bill = replace(case.bill, calls=[FIRST, SECOND, *others], items={"job:0", "job:1"}, blows=[KILL])


def _no_excuse(case: Case) -> None:
    case.end |= {"status": "failed", "progress": 20, "assets": [], "error": {"reason": "INTERNAL"}}
    case.job_row["status"], case.item["state"] = "failed", "failed"
    case.assets.clear()
    case.evidence.blobs.clear()


def _cancelled_by_nobody(case: Case) -> None:
    _no_excuse(case)
    case.end["error"] = {"reason": "CANCELLED"}


def _surprised(case: Case) -> None:
    case.history.surprises.append("GET jobs: 500")


@pytest.mark.parametrize(
    "spoil",
    [
        _never_ended, _went_back, _earlier_revision, _rose_again, _gone, _hangs, _without_assets, _stranger, _twice,
        _lost_bytes, _other_bytes, _other_picture, _nobodys, _orphan, _left_in_the_queue, _given_up, _not_discarded,
        _left_behind, _paid_twice, _paid_three_times, _paid_for_nobody, _paid_twice_before_a_kill,
        _paid_twice_long_after_a_kill, _paid_twice_for_somebody_elses_death, _paid_twice_for_a_nap,
        _more_paid_twice_than_one_kill_can_cost, _no_excuse,
        _cancelled_by_nobody, _surprised,
    ],
    ids=lambda spoil: spoil.__name__.strip("_").replace("_", " "),
)  # fmt: skip
def test_whatever_goes_wrong_is_seen(spoil: Change) -> None:
    case = Case()

    spoil(case)

    assert case.judged()


@pytest.mark.parametrize(
    ("first", "blows"),
    [
        (FIRST, [KILL]),
        (FIRST, [replace(KILL, began=19.5, ended=19.5)]),
        (FIRST, [Blow(Fault(13.0, Kind.PAUSE, "generation", 8.0), 13.0, 21.0)]),
        (replace(FIRST, is_answered=False), []),
    ],
    ids=["killed in its call", "killed while its call was on its way", "asleep in its call", "not answered"],
)
def test_a_call_that_a_fault_has_cost_may_be_paid_for_again(first: Call, blows: list[Blow]) -> None:
    case = Case()

    case.bill = replace(case.bill, calls=[first, SECOND], blows=blows)

    assert case.judged() == []


def test_a_double_payment_is_seen_among_jobs_that_were_cancelled_and_cost_nothing() -> None:
    case = Case()
    cancelled: Json = {"id": "cancelled", "status": "queued", "progress": 0, "count": 3}
    story = Story("ada", cancelled, 0.0, cancel_asked=True)
    story.see("poll", {**cancelled, "status": "failed", "assets": [], "error": {"reason": "CANCELLED"}}, None, 1.0)
    case.history.stories.append(story)
    case.jobs["cancelled"] = {"id": "cancelled", "status": "failed"}
    case.items += [{**case.item, "job_id": "cancelled", "item": item, "state": "failed"} for item in range(3)]
    items = {f"{item['job_id']}:{item['item']}" for item in case.items}
    kills = [replace(KILL, began=50.0, ended=50.1)] * 2

    case.bill = Bill([FIRST, SECOND], items, kills, slots=4)

    assert case.judged() == ["item job:0 was billed again at 24.0 s, and nothing happened to its call at 20.0 s"]
