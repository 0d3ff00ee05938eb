"""What `studio doctor` finds out about the place for pictures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

import httpx

from clients.cli.findings import Finding

WHAT = "pictures"
NEEDED = ("SUPABASE_URL", "SUPABASE_SERVICE_KEY")


def check_storage(environ: Mapping[str, str], *, is_running: bool) -> Finding:
    """Asks Supabase Storage, where it is set, whether pictures can be kept there; changes nothing."""
    name = environ.get("STUDIO_STORAGE") or "local"
    if name == "local":
        return Finding(WHAT, True, "local, in the data directory")
    if name != "supabase":
        return Finding(WHAT, False, f"{name} is none", "set STUDIO_STORAGE to local or supabase")
    missing = [variable for variable in NEEDED if not environ.get(variable)]
    if missing:
        return Finding(WHAT, False, "nothing says which Supabase", f"set {' and '.join(missing)}")
    url, key = (environ[variable] for variable in NEEDED)
    return _judge(url, key, is_running=is_running)


def _judge(url: str, key: str, *, is_running: bool) -> Finding:
    # Only here: with the rest of the system it costs every other command a tenth of a second.
    from services.storage.settings import is_service_key

    if not is_service_key(key):
        return Finding(WHAT, False, "SUPABASE_SERVICE_KEY is no such key", "set it to a secret or service_role key")
    return asyncio.run(_ask(url, key, is_running=is_running))


async def _ask(url: str, key: str, *, is_running: bool) -> Finding:
    from services.storage.blobs.supabase_answers import missing
    from services.storage.blobs.supabase_buckets import Buckets
    from services.storage.blobs.supabase_http import SupabaseHttp
    from services.storage.domain import PlaceUnusable

    http = SupabaseHttp(url, key)
    try:
        absent = [bucket.id for bucket in await Buckets(http).absent()]
    except PlaceUnusable as error:
        return _problem(str(error.__cause__))
    except (httpx.InvalidURL, ValueError):
        return _problem("SUPABASE_URL is no address")
    finally:
        await http.close()
    if absent and is_running:
        return _problem(str(missing(*absent)))
    buckets = f"; made at the first start: {', '.join(absent)}" if absent else ""
    return Finding(WHAT, True, f"supabase is well{buckets}")


def _problem(trouble: str) -> Finding:
    """In the words of the service's own log."""
    found, _, todo = trouble.partition(": ")
    if not todo:
        todo = "check SUPABASE_URL" if "SUPABASE_URL" in found else "wait; pictures are kept when it answers again"
    return Finding(WHAT, False, found, todo)
