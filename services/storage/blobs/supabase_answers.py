"""What Supabase Storage answers, and what that means.

It says HTTP 400 to nearly everything it refuses; the status that is meant is in the body, as a string, or as a number
from its router, or not at all from a gateway in front of it. `code` is younger than the servers we meet, so `error`
decides (ADR 13).
"""

from __future__ import annotations

import json
import re
from typing import Any

PASSING = 429
"""Too many at once; so are all from 500 on."""
WORDS = re.compile(r"[A-Za-z_ ]{1,40}", re.ASCII)


class SupabaseTrouble(Exception):
    """What is wrong, in words for whoever runs this: they name what to mend, and hold no key and no picture's name."""


class SupabaseAway(SupabaseTrouble):
    """It may be over in a moment."""


class Refused(Exception):
    """A request that would be refused again."""

    def __init__(self, status: int, error: str) -> None:
        super().__init__(f"{status} {error}".strip())
        self.status = status
        """The one that is meant."""
        self.error = error
        """What kind of refusal the server calls it; empty when it is none of its own words."""

    @property
    def is_missing(self) -> bool:
        """There is no such object; to a move or a deletion, the bucket may be missing as well."""
        return (self.status, self.error) == (404, "not_found")

    @property
    def bucket_is_missing(self) -> bool:
        return self.status == 404 and self.error in ("Bucket not found", "InvalidRequest")

    @property
    def is_there_already(self) -> bool:
        return (self.status, self.error) == (409, "Duplicate")


def understand(status: int, body: bytes) -> Any:
    """The JSON of an answer.

    Raises:
        Refused: it is none, or none that Supabase Storage would give.
        SupabaseAway: the same request may succeed in a moment.
    """
    try:
        fields = json.loads(body)
    except ValueError:
        fields = None
    if 200 <= status < 300 and fields is not None:
        return fields
    said = fields if isinstance(fields, dict) else {}
    meant = _number(said.get("statusCode"), status)
    if meant == PASSING or meant >= 500:
        raise SupabaseAway(f"Supabase Storage answers {meant}")
    # Whoever does not say the status in the body is somebody else, and knows nothing of our objects.
    error = said.get("error") if "statusCode" in said else None
    raise Refused(meant, error if isinstance(error, str) and WORDS.fullmatch(error) else "")


def explained(refused: Refused, bucket: str) -> SupabaseTrouble:
    """What an operator should know of a refusal."""
    if refused.status in (401, 403):
        return SupabaseTrouble(
            "Supabase does not accept SUPABASE_SERVICE_KEY: check that it is this project's and has not expired"
        )
    if refused.bucket_is_missing:
        return missing(bucket)
    if refused.status == 413:
        return SupabaseTrouble(f"the bucket {bucket} takes no picture of this size: raise its limit, or the project's")
    if refused.status == 415:
        return SupabaseTrouble(
            f"the bucket {bucket} does not take this type of picture: allow PNG, JPEG and WebP in it"
        )
    if not refused.error or refused.error == "Not Found":
        return not_supabase()
    return SupabaseTrouble(f"Supabase Storage refuses: {refused}")


def missing(*buckets: str) -> SupabaseTrouble:
    """A bucket that was there is gone."""
    return SupabaseTrouble(f"no bucket {' and none '.join(buckets)}: start the storage service again, and it is made")


def not_supabase() -> SupabaseTrouble:
    """Somebody answers, and it is somebody else."""
    return SupabaseTrouble("SUPABASE_URL does not lead to Supabase Storage")


def _number(value: object, otherwise: int) -> int:
    try:
        return int(value) if isinstance(value, int | str) else otherwise
    except ValueError:
        return otherwise
