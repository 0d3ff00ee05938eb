"""Property 9 of the seed: only valid state transitions are allowed, in the store as in the domain."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import services.generation
from chassis.database import migrate, open_database
from services.generation.domain import GenerationJob
from services.generation.items_store import ItemStore
from services.generation.states import (
    VALID_TRANSITIONS,
    Failure,
    InvalidStateTransition,
    Item,
    ItemState,
    JobStatus,
    check_transition,
    conclude,
)
from services.generation.store import JobStore
from tests.builders import NOON, a_failure, a_job, a_render

T = TypeVar("T")
LATER = NOON + timedelta(seconds=1)
WAY = {
    JobStatus.QUEUED: [],
    JobStatus.PROCESSING: [JobStatus.PROCESSING],
    JobStatus.COMPLETED: [JobStatus.PROCESSING, JobStatus.COMPLETED],
    JobStatus.PARTIAL: [JobStatus.PROCESSING, JobStatus.PARTIAL],
    JobStatus.FAILED: [JobStatus.PROCESSING, JobStatus.FAILED],
}


def with_stores(use: Callable[[JobStore, ItemStore], Awaitable[T]]) -> T:
    async def run(directory: str) -> T:
        database = await open_database(f"sqlite://{directory}/test.db", schema="generation")
        try:
            await migrate(database, Path(services.generation.__file__).parent / "migrations")
            return await use(JobStore(database), ItemStore(database))
        finally:
            await database.close()

    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(run(directory))


def arguments(target: JobStatus) -> tuple[int, Failure | None]:
    progress = 100 if target in (JobStatus.COMPLETED, JobStatus.PARTIAL) else 0
    return progress, a_failure() if target in (JobStatus.FAILED, JobStatus.PARTIAL) else None


async def job_with_status(jobs: JobStore, status: JobStatus) -> GenerationJob:
    job = await jobs.create(a_job())
    for step in WAY[status]:
        job = await jobs.move(job.id, step, *arguments(step), LATER)
    return job


@given(current=st.sampled_from(JobStatus), target=st.sampled_from(JobStatus))
def test_job_state_transitions_in_the_domain(current: JobStatus, target: JobStatus) -> None:
    if target in VALID_TRANSITIONS[current]:
        check_transition("job", current, target)
    else:
        with pytest.raises(InvalidStateTransition):
            check_transition("job", current, target)


@settings(max_examples=25, deadline=None)
@given(current=st.sampled_from(JobStatus), target=st.sampled_from(JobStatus))
def test_job_state_transitions_in_the_store(current: JobStatus, target: JobStatus) -> None:
    async def transition(jobs: JobStore, items: ItemStore) -> None:
        job = await job_with_status(jobs, current)
        if target in VALID_TRANSITIONS[current]:
            assert (await jobs.move(job.id, target, *arguments(target), LATER)).status is target
        else:
            with pytest.raises(InvalidStateTransition):
                await jobs.move(job.id, target, *arguments(target), LATER)
            assert await jobs.get(job.id) == job

    with_stores(transition)


EVENT = st.tuples(st.sampled_from(["start", "rendered", "stored", "failed", "silent", "take"]), st.integers(0, 3))


@settings(max_examples=50, deadline=None)
@given(count=st.integers(1, 4), events=st.lists(EVENT, max_size=30))
def test_whatever_happens_to_its_items_a_job_only_goes_forward(count: int, events: list[tuple[str, int]]) -> None:
    async def live(jobs: JobStore, items: ItemStore) -> list[GenerationJob]:
        job = await jobs.create(a_job(count=count))
        history, dispatches = [job], dict.fromkeys(range(4), 0)
        for what, number in events:
            item = number % count
            match what:
                case "take":
                    for each in await items.take(4, LATER):
                        dispatches[each.item] = each.dispatch
                case "start":
                    await items.start(job.id, item, dispatches[item], "a prompt", LATER)
                case "rendered":
                    await items.rendered(job.id, item, a_render(), LATER)
                case "stored":
                    await items.stored(job.id, item, f"asset-{item}", LATER)
                case "failed":
                    await items.failed(job.id, item, a_failure(), LATER)
                case "silent":
                    await items.give_back(await items.silent(LATER + timedelta(hours=1), NOON))
            # The prompt is no part of what anybody watches.
            history.append(replace(await jobs.get(job.id), prompt=""))
        return history

    history = with_stores(live)

    for before, after in pairwise(history):
        assert after.progress >= before.progress and after.revision >= before.revision
        assert (after == before) == (after.revision == before.revision)
        steps = (after.revision - before.revision) if after.status is not before.status else 0
        assert after.status is before.status or steps in (1, 2)
        if before.status.is_terminal:
            assert after == before
    for job in history:
        assert (job.progress == 100) == (job.status in (JobStatus.COMPLETED, JobStatus.PARTIAL))
        assert (job.failure is not None) == (job.status in (JobStatus.FAILED, JobStatus.PARTIAL))


ITEM = st.builds(
    lambda state, progress: Item(
        0,
        state,
        100 if state is ItemState.STORED else progress,
        a_failure() if state is ItemState.FAILED else None,
    ),
    st.sampled_from(ItemState),
    st.integers(0, 100),
)


@given(items=st.lists(ITEM, min_size=1, max_size=4))
def test_a_job_ends_exactly_when_every_item_has_ended(items: list[Item]) -> None:
    conclusion = conclude(items)

    ended = all(item.state in (ItemState.STORED, ItemState.FAILED) for item in items)
    assert conclusion.status.is_terminal == ended
    assert (conclusion.failure is not None) == (conclusion.status in (JobStatus.FAILED, JobStatus.PARTIAL))
