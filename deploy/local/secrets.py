"""The secrets of a system on one machine, and the tokens signed with them."""

from __future__ import annotations

import json
import os
import time
import uuid
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from secrets import token_urlsafe
from typing import Any

import jwt
from pydantic import SecretStr

from chassis.settings import SettingsError
from deploy.local.settings import LocalSettings

FILE = "secrets.json"
YEAR = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class LocalSecrets:
    """What a laptop's system keeps to itself; made once, so that tokens outlive a restart."""

    jwt_secret: str
    service_jwt_secret: str
    files_secret: str
    nats_password: str


def keep_secrets(data_dir: Path) -> LocalSecrets:
    """The secrets kept in a data directory, made now if there are none; two starters get the same.

    Raises:
        SettingsError: the file is there and is not ours.
    """
    path = data_dir / FILE
    if not path.exists():
        data_dir.mkdir(parents=True, exist_ok=True)
        _create(path, LocalSecrets(*(token_urlsafe(32) for _ in fields(LocalSecrets))))
    try:
        return LocalSecrets(**json.loads(path.read_text()))
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{path}: is damaged; remove it, and new secrets are made") from error


def with_secrets(settings: LocalSettings) -> LocalSettings:
    """The same settings with every secret in place.

    Raises:
        SettingsError: in production, naming every secret that is missing.
    """
    if settings.environment == "production":
        _require(settings)
        found: dict[str, Any] = {}
    else:
        kept = asdict(keep_secrets(settings.data_dir))
        found = {name: SecretStr(value) for name, value in kept.items() if getattr(settings, name) is None}
    complete = settings.model_copy(update=found)
    if complete.service_token is None:
        assert complete.service_jwt_secret is not None
        token = service_token(complete.service_jwt_secret.get_secret_value())
        complete = complete.model_copy(update={"service_token": SecretStr(token)})
    return complete


def service_token(secret: str, ttl: int = YEAR) -> str:
    """A token that says a call comes from one of our own services; `ttl` in seconds."""
    now = int(time.time())
    return jwt.encode({"role": "service_role", "iat": now, "exp": now + ttl}, secret, "HS256")


def user_token(
    secret: str,
    user_id: str,
    ttl: int = 3600,
    tier: str = "free",
    *,
    issuer: str | None = None,
    audience: str | None = None,
) -> str:
    """An access token as the apps get them; `ttl` in seconds."""
    now = int(time.time())
    claims = {
        "sub": user_id,
        "exp": now + ttl,
        "iat": now,
        "jti": str(uuid.uuid4()),
        "type": "access",
        "tier": tier,
        "email": user_id if "@" in user_id else f"{user_id}@example.com",
    }
    named = {"iss": issuer, "aud": audience}
    return jwt.encode(claims | {name: value for name, value in named.items() if value}, secret, "HS256")


def _create(path: Path, secrets: LocalSecrets) -> None:
    """Writes the file whole or not at all; whoever comes second keeps what is there."""
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(asdict(secrets), file, indent=2)
            file.flush()
            os.fsync(file.fileno())
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()


def _require(settings: LocalSettings) -> None:
    needed = ["service_jwt_secret", "files_secret", "nats_url"]
    if settings.jwt_jwks_url is None:
        needed.append("jwt_secret")
    missing = sorted(name.upper() for name in needed if getattr(settings, name) is None)
    if missing:
        raise SettingsError("\n".join(f"{name}: is not set, and in production nothing makes it up" for name in missing))
