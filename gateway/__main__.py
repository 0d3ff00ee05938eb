"""Writes the gateway's Envoy configuration: `python -m gateway --output envoy.json`.

Settings come from the environment; without `--output` the configuration is printed. It holds the token secrets.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field

from chassis.settings import Port, Secret, Settings, SettingsError, read_settings
from gateway.config import envoy_config
from gateway.process import write_config
from gateway.settings import Address, GatewaySettings, parse_addresses, split_origins

Addresses = Annotated[tuple[Address, ...], BeforeValidator(parse_addresses)]


class GatewayEnvironment(Settings):
    """The environment variables that the gateway reads."""

    host: str = Field("127.0.0.1", alias="GATEWAY_HOST")
    """The address to listen on; 0.0.0.0 for all."""
    port: Port = Field(8080, alias="STUDIO_PORT")
    prompt_address: Addresses = Field((Address("127.0.0.1", 50051),), alias="PROMPT_ADDRESS")
    """Of each service its replicas, as host:port with commas between."""
    generation_address: Addresses = Field((Address("127.0.0.1", 50052),), alias="GENERATION_ADDRESS")
    storage_address: Addresses = Field((Address("127.0.0.1", 50053),), alias="STORAGE_ADDRESS")
    jwt_secret: Secret | None = Field(None, alias="JWT_SECRET")
    jwt_jwks_url: str | None = Field(None, alias="JWT_JWKS_URL")
    service_jwt_secret: Secret = Field(alias="SERVICE_JWT_SECRET")
    cors_origins: str = Field("", alias="CORS_ORIGINS")
    """Origins of browser apps, separated by commas."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 2 when a setting is bad, after saying which."""
    parser = argparse.ArgumentParser(prog="gateway", description=__doc__)
    parser.add_argument("--output", type=Path, help="write here, readable by its owner alone")
    parser.add_argument("--admin-port", type=int, default=0, help="Envoy's own port, on loopback; 0: a free one")
    parser.add_argument("--access-log", type=Path, help="a file, or /dev/stdout; absent: no access log")
    options = parser.parse_args(arguments)
    try:
        settings = read_gateway_settings(os.environ, options.admin_port or _free_port(), options.access_log)
    except (SettingsError, ValueError) as problem:
        print(problem, file=sys.stderr)
        return 2
    if options.output:
        write_config(settings, options.output)
    else:
        print(json.dumps(envoy_config(settings), indent=1))
    return 0


def read_gateway_settings(environ: Mapping[str, str], admin_port: int, access_log: Path | None) -> GatewaySettings:
    """Settings from environment variables.

    Raises:
        SettingsError: a variable is missing or bad.
        ValueError: the variables do not make a gateway together.
    """
    found = read_settings(GatewayEnvironment, environ)
    return GatewaySettings(
        port=found.port,
        admin_port=admin_port,
        host=found.host,
        prompt=found.prompt_address,
        generation=found.generation_address,
        storage=found.storage_address,
        jwt_secret=found.jwt_secret.get_secret_value() if found.jwt_secret else None,
        jwt_jwks_url=found.jwt_jwks_url,
        service_jwt_secret=found.service_jwt_secret.get_secret_value(),
        cors_origins=split_origins(found.cors_origins),
        access_log=access_log,
    )


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


if __name__ == "__main__":
    raise SystemExit(main())
