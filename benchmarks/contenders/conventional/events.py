"""Server-sent events: how the worker tells of a change, and how an app is told."""

from __future__ import annotations

import json

from benchmarks.contenders.conventional.schemas import JobWithAssets

CHANNEL = "jobs:{}"
"""Of Redis, for one job."""
TERMINAL = ("completed", "failed", "partial")


def event(number: int, job: JobWithAssets) -> str:
    """One event of a stream."""
    kind = job.status if job.status in ("completed", "failed") else "progress"
    said = {
        "event_id": str(number), "type": kind, "status": job.status, "progress": job.progress,
        "job": job.model_dump(mode="json", exclude_none=True),
    }  # fmt: skip
    return f"data: {json.dumps(said)}\n\n"
