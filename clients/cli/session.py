"""Which system a command speaks to, and as whom."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from pydantic import Field, SecretStr

from chassis.settings import Settings, read_settings
from clients.cli.api import StudioApi
from clients.cli.failures import NoToken, NotUsable
from clients.cli.operator_api import OperatorApi

DEFAULT_USER = "demo"
SHORT = 3600
"""Seconds for which a token that is made for one command is good."""

if TYPE_CHECKING:
    from deploy.local.secrets import LocalSecrets

Url = Annotated[str | None, typer.Option("--url", help="Address of the system; the one of `studio up` unless given.")]
User = Annotated[str | None, typer.Option("--user", help="Whose token to make from the local secrets; else demo.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, and nothing else, for scripts.")]


class CliSettings(Settings):
    """What the command reads from the environment."""

    token: SecretStr | None = Field(None, alias="STUDIO_TOKEN")
    """Who is calling; absent: made from the local secrets."""
    public_url: str | None = Field(None, alias="STUDIO_PUBLIC_URL")
    port: int = Field(8080, alias="STUDIO_PORT")
    data_dir: Path = Field(Path(".data"), alias="STUDIO_DATA_DIR")
    jwt_secret: SecretStr | None = Field(None, alias="JWT_SECRET")
    jwt_issuer: str | None = Field(None, alias="JWT_ISSUER")
    jwt_audience: str | None = Field(None, alias="JWT_AUDIENCE")
    service_token: SecretStr | None = Field(None, alias="SERVICE_TOKEN")
    """What services call each other with; absent: made from the local secrets."""
    service_jwt_secret: SecretStr | None = Field(None, alias="SERVICE_JWT_SECRET")

    @property
    def url(self) -> str:
        """Address of the system."""
        return self.public_url or f"http://127.0.0.1:{self.port}"


def open_api(url: str | None, user: str | None) -> StudioApi:
    """The API at an address or at the default one, as a user or as whoever STUDIO_TOKEN names.

    Raises:
        NoToken: there is none, and no secret to make one with.
    """
    settings = read_settings(CliSettings, os.environ)
    if user is None and settings.token is not None:
        token = settings.token.get_secret_value()
    else:
        token = make_token(settings, user or DEFAULT_USER)
    return StudioApi(url or settings.url, token)


def open_operator_api(url: str | None, environ: Mapping[str, str] = os.environ) -> OperatorApi:
    """What only services may call, at an address or at the default one.

    Raises:
        NoToken: there is no service's token, and no secret to make one with.
    """
    settings = read_settings(CliSettings, environ)
    return OperatorApi(url or settings.url, _service_token(settings))


def make_token(settings: CliSettings, user: str, ttl: int = 3600, tier: str = "free") -> str:
    """A token for a user, signed with the secret the local system has.

    Raises:
        NoToken: there is no such secret here.
        NotUsable: no system accepts such a user.
    """
    from deploy.local.secrets import user_token

    if not 1 <= len(user) <= 128 or not user.isprintable():
        raise NotUsable("--user: must be 1 to 128 printable characters")

    if settings.jwt_secret:
        secret = settings.jwt_secret.get_secret_value()
    else:
        secret = _kept_secrets(settings.data_dir, "STUDIO_TOKEN").jwt_secret
    return user_token(secret, user, ttl, tier, issuer=settings.jwt_issuer, audience=settings.jwt_audience)


def _service_token(settings: CliSettings) -> str:
    from deploy.local.secrets import service_token

    if settings.service_token:
        return settings.service_token.get_secret_value()
    if settings.service_jwt_secret:
        return service_token(settings.service_jwt_secret.get_secret_value(), ttl=SHORT)
    return service_token(_kept_secrets(settings.data_dir, "SERVICE_TOKEN").service_jwt_secret, ttl=SHORT)


def _kept_secrets(data_dir: Path, instead: str) -> LocalSecrets:
    from deploy.local.secrets import FILE, keep_secrets

    # Made only by the system itself: a secret made here, in the wrong directory, would sign tokens nobody accepts.
    if not (data_dir / FILE).exists():
        raise NoToken(
            f"no token: {data_dir.resolve()} holds no secrets. Start the system first (studio up), "
            f"run this where it was started, or set {instead}"
        )
    return keep_secrets(data_dir)
