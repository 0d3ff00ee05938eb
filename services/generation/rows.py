"""Rows of `jobs` and `items` as values of the domain, and back."""

from __future__ import annotations

from chassis.database import Row
from chassis.times import from_micros
from services.generation.domain import AssetType, GenerationJob, Render
from services.generation.states import Failure, Item, ItemState, JobStatus

JOB = """
id, user_id, brand_kit_id, asset_type, status, custom_prompt, template_version, prompt, progress, count, revision,
created_at, updated_at, completed_at, error_reason, error_stage, error_retryable, error_message, has_assets
"""
"""What `to_job` reads, in its order: by their place columns are found in half the time that their names take."""


def failure_columns(failure: Failure | None) -> tuple[str | None, str | None, bool | None, str | None]:
    """Reason, stage, retryable, message."""
    if failure is None:
        return None, None, None, None
    return failure.reason, failure.stage, failure.retryable, failure.message


def to_job(row: Row) -> GenerationJob:
    """A row of `jobs`: its columns `JOB`."""
    (
        job_id, user_id, brand_kit_id, asset_type, status, custom_prompt, template_version, prompt, progress, count,
        revision, created_at, updated_at, completed_at, *failure, has_assets,
    ) = row  # fmt: skip
    return GenerationJob(
        id=job_id,
        user_id=user_id,
        brand_kit_id=brand_kit_id,
        asset_type=AssetType(asset_type),
        status=JobStatus(status),
        custom_prompt=custom_prompt,
        template_version=template_version,
        prompt=prompt,
        progress=progress,
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
        completed_at=None if completed_at is None else from_micros(completed_at),
        count=count,
        revision=revision,
        failure=None if failure[0] is None else Failure(*failure),
        has_assets=has_assets,
    )


def to_render(row: Row) -> Render | None:
    """The render columns of a row of `items`."""
    if row["render_key"] is None:
        return None
    return Render(row["render_key"], row["render_sha256"], row["render_content_type"], row["palette_distance"])


def render_columns(render: Render | None) -> tuple[str | None, str | None, str | None, float | None]:
    """Key, SHA-256, MIME type, palette distance."""
    if render is None:
        return None, None, None, None
    return render.key, render.sha256, render.content_type, render.palette_distance


def to_item(row: Row) -> Item:
    """A row of `items`."""
    return Item(row["item"], ItemState(row["state"]), row["progress"], to_failure(row))


def to_failure(row: Row) -> Failure | None:
    """The error columns of a row of `jobs` or `items`."""
    if row["error_reason"] is None:
        return None
    return Failure(row["error_reason"], row["error_stage"], row["error_retryable"], row["error_message"])
