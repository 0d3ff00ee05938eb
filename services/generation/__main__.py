"""`python -m services.generation [--role server|worker|all]`."""

from chassis.server import main
from services.generation.settings import Settings
from services.generation.wiring import build

if __name__ == "__main__":
    main("generation", Settings, build)
