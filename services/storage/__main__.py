"""Starts the storage service: `python -m services.storage [--role server|worker|all]`."""

from chassis.server import main
from services.storage.settings import Settings
from services.storage.wiring import build

if __name__ == "__main__":
    main("storage", Settings, build)
