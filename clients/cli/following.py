"""Follows a job to its end: by its stream, and by asking when the stream breaks off."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import suppress

from clients.cli.api import StudioApi
from clients.cli.failures import ApiError, Unreachable
from clients.cli.shapes import TERMINAL, Job

ASK_EVERY = 1.0
"""Seconds."""
PATIENCE = 30
"""How often in a row nobody may answer: what is being started again is not gone, and the job is not lost."""


def follow(api: StudioApi, job_id: str, *, pause: Callable[[float], None] = time.sleep) -> Iterator[Job]:
    """The job as it is and each time it changes, the last time when it is done.

    Raises:
        ApiError: there is no such job, or it is not this user's.
        Unreachable: nobody has answered for half a minute.
    """
    # The stream may break off while the system is well, for example when the gateway is started again.
    with suppress(Unreachable):
        for job in _streamed(api, job_id):
            yield job
            if job["status"] in TERMINAL:
                return
    yield from _asked(api, job_id, pause)


def _streamed(api: StudioApi, job_id: str) -> Iterator[Job]:
    try:
        for event in api.events(job_id):
            if "job" in event:
                yield event["job"]
    except ApiError as error:
        if error.status < 500:
            raise


def _asked(api: StudioApi, job_id: str, pause: Callable[[float], None]) -> Iterator[Job]:
    missed = 0
    while True:
        try:
            job = api.job(job_id)
        except (ApiError, Unreachable) as error:
            missed += 1
            if missed == PATIENCE or (isinstance(error, ApiError) and error.status < 500):
                raise
        else:
            missed = 0
            yield job
            if job["status"] in TERMINAL:
                return
        pause(ASK_EVERY)
