"""What the conventional build needs to know."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Read from the environment, once a process."""

    database_url: str
    redis_port: int
    jwt_secret: str
    files_secret: str
    image_api_url: str
    image_api_key: str
    pictures: Path
    poll_delay: float
    """Seconds that arq's worker waits between two looks into its queue."""
    max_jobs: int
    """Jobs that the worker has under way at once."""


@cache
def settings() -> Settings:
    """Those of this process."""
    given = os.environ
    return Settings(
        database_url=given["CONVENTIONAL_DATABASE_URL"],
        redis_port=int(given["CONVENTIONAL_REDIS_PORT"]),
        jwt_secret=given["CONVENTIONAL_JWT_SECRET"],
        files_secret=given["CONVENTIONAL_FILES_SECRET"],
        image_api_url=given["CONVENTIONAL_IMAGE_API_URL"],
        image_api_key=given["CONVENTIONAL_IMAGE_API_KEY"],
        pictures=Path(given["CONVENTIONAL_PICTURES"]),
        poll_delay=float(given["CONVENTIONAL_POLL_DELAY"]),
        max_jobs=int(given["CONVENTIONAL_MAX_JOBS"]),
    )
