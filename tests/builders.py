"""Values for tests: valid unless the test says otherwise."""

from __future__ import annotations

import hashlib
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt

from services.generation.domain import AssetType, NewItem, NewJob, Render
from services.generation.states import Failure

USER_SECRET = "user-secret-for-tests-0123456789abcdef"
SERVICE_SECRET = "service-secret-for-tests-0123456789ab"
FILES_SECRET = "files-secret-for-tests-0123456789abcd"

NOON = datetime(2026, 1, 1, 12, 0, 0, tzinfo=UTC)


def a_job(user_id: str = "ada", **changes: Any) -> NewJob:
    """A job for one thumbnail, or `count` of them, from `seed` on; accepted at noon."""
    values: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "user_id": user_id,
        "brand_kit_id": str(uuid.uuid4()),
        "asset_type": AssetType.THUMBNAIL,
        "custom_prompt": "Epic gaming moment",
        "template_version": "",
        "request_id": "request-1",
        "created_at": NOON,
        "start_by": NOON + timedelta(minutes=10),
        "finish_by": NOON + timedelta(hours=1),
    }
    count, seed = changes.pop("count", 1), changes.pop("seed", 7)
    items = tuple(NewItem(seed + number) for number in range(count))
    return NewJob(**{"items": items, **values, **changes})


def a_failure(**changes: Any) -> Failure:
    """The image API failed."""
    values: dict[str, Any] = {
        "reason": "PROVIDER_ERROR", "stage": "render", "retryable": True, "message": "The image service failed.",
    }  # fmt: skip
    return Failure(**{**values, **changes})


RENDERED = b"a picture that waits"


def a_render(key: str = "render.0") -> Render:
    """A picture that waits to be stored: RENDERED, where its bytes matter."""
    return Render(key, hashlib.sha256(RENDERED).hexdigest(), "image/png", palette_distance=12.3)


def user_token(user_id: str = "ada", *, secret: str = USER_SECRET, lifetime: float = 3600, **claims: Any) -> str:
    """An access token as the apps have them."""
    now = datetime.now(UTC)
    base = {
        "sub": user_id, "iat": now, "exp": now + timedelta(seconds=lifetime), "jti": str(uuid.uuid4()),
        "type": "access", "tier": "free", "email": f"{user_id}@example.com",
    }  # fmt: skip
    return jwt.encode({**base, **claims}, secret, algorithm="HS256")


def service_token(*, secret: str = SERVICE_SECRET, lifetime: float = 3600) -> str:
    """An internal caller's token."""
    claims = {"role": "service_role", "exp": datetime.now(UTC) + timedelta(seconds=lifetime)}
    return jwt.encode(claims, secret, algorithm="HS256")


def bearer(token: str) -> tuple[tuple[str, str], ...]:
    """Metadata of a call made with a token."""
    return (("authorization", f"Bearer {token}"),)
