"""What must hold between what the players were told and what is there; each check answers with what does not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from services.generation.states import VALID_TRANSITIONS, JobStatus
from tests.chaos.evidence import Evidence
from tests.chaos.history import TERMINAL, History, Sighting, Story
from tests.chaos.money import Bill, of_money

EXPECTED = {"OUTCOME_UNKNOWN", "PROVIDER_ERROR", "PROVIDER_TIMEOUT", "PROVIDER_RATE_LIMIT"}
"""How a job may fail when the image API misbehaves; nothing else that went wrong is an excuse."""


def violations(history: History, evidence: Evidence, bill: Bill, work_left: int, dead_letters: int) -> list[str]:
    """Everything that should not be."""
    return [
        *history.surprises,
        *(wrong for story in history.stories for wrong in _of_story(story, evidence)),
        *_of_jobs(history, evidence),
        *_of_assets(evidence),
        *_of_leftovers(evidence, work_left, dead_letters),
        *of_money(bill),
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
