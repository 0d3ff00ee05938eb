"""Pictures that wait to be kept, copied for a retry: only what is whole."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from chassis.renders import FileRenders
from services.generation.domain import Render
from services.generation.rendering import Copies

PICTURE = b"a picture that was paid for"
RENDER = Render("job.0", hashlib.sha256(PICTURE).hexdigest(), "image/png", 12.3)


@pytest.fixture
def renders(tmp_path: Path) -> FileRenders:
    return FileRenders(tmp_path)


async def test_a_copy_has_a_key_of_its_own_and_the_same_bytes(renders: FileRenders) -> None:
    await renders.put(RENDER.key, PICTURE)

    copied = await Copies(renders).copy(RENDER, "retry", 2)

    assert copied is not None and copied.key != RENDER.key
    assert replace(copied, key=RENDER.key) == RENDER
    assert await renders.get(copied.key) == PICTURE


@pytest.mark.parametrize("damaged", [b"", PICTURE[:-1], PICTURE + b"!"])
async def test_what_is_damaged_is_copied_no_more_than_what_is_missing(renders: FileRenders, damaged: bytes) -> None:
    assert await Copies(renders).copy(RENDER, "retry", 0) is None

    await renders.put(RENDER.key, damaged)

    assert await Copies(renders).copy(RENDER, "retry", 0) is None
