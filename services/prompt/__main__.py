"""Starts the prompt service: `python -m services.prompt [--role server|worker|all]`."""

from __future__ import annotations

from chassis.server import main
from services.prompt import wiring
from services.prompt.settings import Settings

if __name__ == "__main__":
    main("prompt", Settings, wiring.build)
