"""Databases of a size that shows: a hundred thousand jobs of many users, nearly all of them over."""

from __future__ import annotations

from chassis.database import Database
from services.storage.upload_domain import MAX_UPLOADS

JOBS = 100_000
ENDED = 90_000
"""Jobs that are over; those after them wait, all of one user's, but for a window of jobs on their way."""
PUT_OFF = 95_000
"""Of those who wait, the ones before this are to wait longer."""
WINDOW = 64
ADA = "ada"
"""Has every tenth job, asset and kit."""
USERS = 1_000

BEGAN = 1_760_000_000_000_000
"""When the first job was accepted, in microseconds."""
NOW = BEGAN + (ENDED + 500) * 1_000_000

_NUMBERS = "WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})"
# As ids are, in no order.
_ID = "CAST((n * 7919) % 1000003 AS TEXT) || '-' || CAST(n AS TEXT)"
_USER = (
    f"CASE WHEN n % 10 = 0 THEN '{ADA}' WHEN n >= {ENDED} THEN 'flood' ELSE 'user-' || CAST(n % {USERS} AS TEXT) END"
)
_CREATED = (
    f"CAST({BEGAN} AS BIGINT) + CASE WHEN n < {ENDED} THEN CAST(n AS BIGINT) * 1000000"
    f" ELSE CAST({ENDED} AS BIGINT) * 1000000 + CAST(n - {ENDED} AS BIGINT) * 50000 END"
)
_STATUS = (
    f"CASE WHEN n >= {ENDED} THEN 'queued' WHEN n >= {ENDED - WINDOW} THEN 'processing'"
    " WHEN n % 50 = 7 THEN 'failed' ELSE 'completed' END"
)


def job_id(number: int) -> str:
    """Of the job with that number."""
    return f"{number * 7919 % 1000003}-{number}"


async def fill_generation(database: Database) -> None:
    await _fill(
        database,
        "jobs (id, user_id, brand_kit_id, asset_type, status, progress, count, custom_prompt, template_version, prompt,"
        " error_reason, error_stage, error_retryable, error_message, has_assets, revision, request_id, start_by,"
        " finish_by, created_at, updated_at, completed_at)",
        f"SELECT {_ID}, {_USER}, 'kit', 'banner', {_STATUS}, CASE {_STATUS} WHEN 'completed' THEN 100 ELSE 0 END, 1,"
        " 'Ranked finals tonight', 'v1.0', 'A banner for a streamer, in the colours of the brand',"
        f" {_if_failed('text')}, {_if_failed('text')}, {_if_failed('boolean')}, {_if_failed('text')},"
        f" n < {ENDED}, 5, 'request', {_CREATED} + 600000000, {_CREATED} + 3600000000, {_CREATED}, {_CREATED},"
        f" CASE WHEN {_STATUS} IN ('completed', 'failed') THEN {_CREATED} + 1000000 END",
    )
    state = (
        f"CASE {_STATUS} WHEN 'queued' THEN 'waiting' WHEN 'processing' THEN 'dispatched' WHEN 'failed' THEN 'failed'"
        " ELSE 'stored' END"
    )
    await _fill(
        database,
        "items (job_id, item, user_id, state, progress, turn, not_before, dispatch, sent, touched_at, finish_by, seed,"
        " render_key, asset_id, error_reason, error_stage, error_retryable, error_message)",
        f"SELECT {_ID}, 0, {_USER}, {state}, 0, n, CASE WHEN n < {PUT_OFF} THEN {NOW} + 1 ELSE 0 END, 1, TRUE, {NOW},"
        f" {_CREATED} + 3600000000, n, {_ID} || '.0', CASE {_STATUS} WHEN 'completed' THEN 'asset-' || {_ID} END,"
        f" {_if_failed('text')}, {_if_failed('text')}, {_if_failed('boolean')}, {_if_failed('text')}",
    )
    await _fill(
        database,
        "attempts (job_id, item, n, user_id, model, state, worker, lease_until, started_at, ended_at)",
        f"SELECT {_ID}, 0, 1, {_USER}, 'a-model', CASE WHEN n % 9 = 0 THEN 'unpaid' ELSE 'paid' END, 'a-worker',"
        f" {_CREATED}, {_CREATED}, {_CREATED}",
        ENDED,
    )
    await _fill(
        database,
        "idempotency_keys (user_id, key, request_sha256, job_id, created_at)",
        f"SELECT {_USER}, {_ID}, 'sha', {_ID}, {_CREATED}",
        ENDED,
    )
    await _fill(database, "submitters (user_id)", "SELECT 'user-' || CAST(n AS TEXT)", USERS)
    await _fill(database, "discards (asset_id, job_id)", f"SELECT 'discard-' || {_ID}, {_ID}", 2_000)
    await database.execute(f"INSERT INTO gates (model, open_at) VALUES ('a-model', {BEGAN})")
    await database.execute(f"UPDATE dispatch SET clock = {ENDED}")


async def fill_storage(database: Database) -> None:
    busy = JOBS - 20
    state = f"CASE WHEN n >= {busy} THEN 'writing' WHEN n % 40 = 3 THEN 'deleted' ELSE 'stored' END"
    await _fill(
        database,
        "assets (id, job_id, item, user_id, asset_type, state, key, next_key, is_public, sha256, content_type, width,"
        " height, file_size, created_at)",
        f"SELECT 'asset-' || {_ID}, {_ID}, 0, CASE {state} WHEN 'deleted' THEN '' ELSE {_USER} END,"
        f" CASE WHEN n % 5 = 0 THEN 'overlay' ELSE 'banner' END, {state}, 'private/' || {_ID},"
        f" CASE WHEN n = {busy - 1} THEN 'public/next' END, FALSE, 'sha', 'image/png', 1200, 480, 1000, {_CREATED}",
    )

    uploads = (MAX_UPLOADS - 1) * USERS
    await _fill(database, "upload_owners (user_id)", "SELECT 'user-' || CAST(n AS TEXT)", USERS)
    await _fill(
        database,
        "uploads (id, user_id, state, key, sha256, content_type, width, height, file_size, created_at)",
        f"SELECT 'upload-' || {_ID}, 'user-' || CAST(n % {USERS} AS TEXT),"
        f" CASE WHEN n >= {uploads - 20} THEN 'writing' WHEN n % 4000 = 3 THEN 'deleting' ELSE 'stored' END,"
        f" 'uploads/' || {_ID}, 'sha', 'image/png', 1200, 480, 1000, {_CREATED}",
        uploads,
    )


async def fill_prompt(database: Database) -> None:
    owner = f"'user-' || CAST(n % {USERS} AS TEXT)"
    await _fill(database, "brand_kit_owners (user_id)", "SELECT 'user-' || CAST(n AS TEXT)", USERS)
    await _fill(
        database,
        "brand_kits (id, user_id, name, is_active, primary_colors, accent_colors, headline_font, body_font, logo_url,"
        " tone, style_reference, created_at, updated_at)",
        f"SELECT {_ID}, {owner}, 'Neon Arena', n < {USERS}, '#FF0055 #1A0B2E', '#00E5FF', 'Montserrat', 'Inter', '',"
        f" 'competitive', 'neon lights on a wet street at night', {_CREATED}, {_CREATED}",
        9 * USERS,
    )


def _if_failed(kind: str) -> str:
    return f"CASE {_STATUS} WHEN 'failed' THEN {'TRUE' if kind == 'boolean' else chr(39) + 'INTERNAL' + chr(39)} END"


async def _fill(database: Database, columns: str, select: str, rows: int = JOBS) -> None:
    await database.execute(f"INSERT INTO {columns} {_NUMBERS.format(last=rows - 1)} {select} FROM numbers")
