"""What must hold between what the players were told and what is there; each check answers with what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from services.generation.states import VALID_TRANSITIONS, JobStatus
from tests.chaos.evidence import Evidence
from tests.chaos.history import TERMINAL, History, Sighting, Story
from tests.chaos.plan import Fault, Kind
from tests.chaos.stage import LEASE, LOSES_ANSWERS

EXPECTED = {"OUTCOME_UNKNOWN", "PROVIDER_ERROR", "PROVIDER_TIMEOUT", "PROVIDER_RATE_LIMIT"}
"""How a job may fail when the image API misbehaves; nothing else that went wrong is an excuse."""
BILLED_AT_MOST = 2


@dataclass(frozen=True, slots=True)
class Bill:
    """What the image API counted, and what it may have counted."""

    paid: int
    items: int
    calls_at_risk: int
    """Calls that were under way when their worker was killed or slept through its lease, at most."""
    answers_lost: int

    @property
    def allowed(self) -> int:
        return self.items + self.calls_at_risk + self.answers_lost


def bill(faults: Iterable[Fault], evidence: Evidence, paid: int, slots: int) -> Bill:
    """Only what hurts the worker or its answers may cost a call."""
    hits = [fault for fault in faults if fault.target.startswith("generation")]
    kills = sum(fault.kind is Kind.KILL for fault in hits)
    long_pauses = sum(fault.kind is Kind.PAUSE and fault.seconds >= LEASE for fault in hits)
    lost = sum(fault.kind is Kind.PROVIDER and fault.target in LOSES_ANSWERS for fault in faults)
    return Bill(paid, len(evidence.items), slots * (kills + long_pauses), lost)


def violations(history: History, evidence: Evidence, bill: Bill, work_left: int, dead_letters: int) -> list[str]:
    """Everything that should not be."""
    return [
        *history.surprises,
        *(wrong for story in history.stories for wrong in _of_story(story, evidence)),
        *_of_jobs(history, evidence),
        *_of_assets(evidence),
        *_of_leftovers(evidence, work_left, dead_letters),
        *_of_money(bill),
    ]


def _of_story(story: Story, evidence: Evidence) -> Iterator[str]:
    """Every acknowledged job ends, and nothing that was said of it is ever taken back."""
    if story.end is None:
        yield f"job {story.id} was acknowledged and its end was never heard of"
        return
    row = evidence.jobs.get(story.id)
    if row is None or row["status"] != story.end["status"]:
        yield f"job {story.id} ended {story.end['status']} and is {row['status'] if row else 'gone'}"
    for before, after in pairwise(story.sightings):
        if wrong := _contradiction(before, after):
            yield f"job {story.id} {wrong}: {before} and then {after}"
    yield from _of_end(story)


def _contradiction(before: Sighting, after: Sighting) -> str | None:
    if after.progress < before.progress:
        return "went back"
    if after.revision is not None and before.revision is not None and after.revision < before.revision:
        return "went back to an earlier revision"
    return None if _leads_to(JobStatus(before.status), JobStatus(after.status)) else "made an impossible step"


def _leads_to(before: JobStatus, after: JobStatus) -> bool:
    """In any number of steps, none included: who looks now and then does not see each."""
    return before is after or any(_leads_to(next_one, after) for next_one in VALID_TRANSITIONS[before])


def _of_end(story: Story) -> Iterator[str]:
    assert story.end is not None
    status, assets = story.end["status"], story.end["assets"]
    reason = story.end.get("error", {}).get("reason")
    if (status in ("completed", "partial")) != (story.end["progress"] == 100):
        yield f"job {story.id} is {status} at {story.end['progress']} %"
    if status == "completed" and len(assets) != story.count:
        yield f"job {story.id} is completed with {len(assets)} of {story.count} assets"
    if status == "partial" and not 0 < len(assets) < story.count:
        yield f"job {story.id} is partial with {len(assets)} of {story.count} assets"
    if status == "failed" and assets:
        yield f"job {story.id} failed and has assets"
    if status != "completed" and reason not in EXPECTED | ({"CANCELLED"} if story.cancel_asked else set()):
        yield f"job {story.id} is {status} for {reason}: {story.end.get('error_message')}"


def _of_jobs(history: History, evidence: Evidence) -> Iterator[str]:
    """No job that nobody asked for, and none that goes on for ever."""
    known = {story.id for story in history.stories}
    strangers = evidence.jobs.keys() - known
    if len(known) != len(history.stories):
        yield "two requests were acknowledged with the same job"
    if len(strangers) > history.unheard_retries:
        yield f"{len(strangers)} jobs that nobody was told of, {history.unheard_retries} answers lost"
    for row in evidence.jobs.values():
        if row["status"] not in TERMINAL:
            yield f"job {row['id']} is still {row['status']}"
    for item in evidence.items:
        if item["state"] not in ("stored", "failed"):
            yield f"item {item['job_id']}:{item['item']} is still {item['state']}"


def _of_assets(evidence: Evidence) -> Iterator[str]:
    """Each item's picture is kept once, is the one that was rendered, and belongs to somebody."""
    stored = {asset["id"]: asset for asset in evidence.assets if asset["state"] == "stored"}
    wanted = Counter(
        item["asset_id"]
        for item in evidence.items
        if item["state"] == "stored" and evidence.jobs[item["job_id"]]["status"] != "failed"
    )
    yield from (f"asset {asset_id} belongs to {count} items" for asset_id, count in wanted.items() if count > 1)
    yield from (f"asset {asset_id} is nobody's" for asset_id in stored.keys() - wanted.keys())
    yield from (f"asset {asset_id} is gone" for asset_id in wanted.keys() - stored.keys())
    renders = {(item["job_id"], item["item"]): item["render_sha256"] for item in evidence.items}
    for asset in stored.values():
        digest = evidence.blobs.get(asset["key"])
        if digest is None:
            yield f"asset {asset['id']} has no bytes"
        elif not digest == asset["sha256"] == renders.get((asset["job_id"], asset["item"])):
            yield f"asset {asset['id']} is not what was rendered"
    keys = {asset["key"] for asset in stored.values()}
    yield from (f"blob {key} is an orphan" for key in evidence.blobs.keys() - keys)


def _of_leftovers(evidence: Evidence, work_left: int, dead_letters: int) -> Iterator[str]:
    if work_left:
        yield f"{work_left} messages are left in the work queue"
    if dead_letters:
        yield f"{dead_letters} messages were given up"
    if evidence.discards:
        yield f"{len(evidence.discards)} assets wait to be discarded"
    # What was made for an item that failed waits a day for its retry.
    kept = {item["render_key"] for item in evidence.items if item["state"] == "failed"}
    yield from (f"render {key} was left behind" for key in evidence.renders - kept)


def _of_money(bill: Bill) -> Iterator[str]:
    if bill.paid > bill.allowed:
        yield f"{bill.paid} calls were billed, and at most {bill.allowed} may be"
    if bill.paid > BILLED_AT_MOST * bill.items:
        yield f"{bill.paid} calls were billed for {bill.items} items"
