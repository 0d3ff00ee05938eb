"""Fixtures of the conformance suites: every adapter of a port in turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.blob_places import Place, open_place


@pytest.fixture(params=["local", "supabase"])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    """Every place for bytes, with nothing in it."""
    async with open_place(request.param, tmp_path / "blobs") as place:
        yield place
