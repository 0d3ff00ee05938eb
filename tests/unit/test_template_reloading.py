"""Templates that change while the service runs: all of the new ones, or all of the old ones."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Generator, Sequence
from pathlib import Path, PosixPath
from typing import Self

import pytest

from services.prompt.domain import AssetType, PromptTemplate
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.reloading import Reloading


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATES, tmp_path / "templates"))


@pytest.fixture
def engine(directory: Path) -> PromptEngine:
    return PromptEngine.from_directory(directory)


@pytest.fixture
async def reloading(directory: Path, engine: PromptEngine) -> Reloading:
    """Which has looked once."""
    reloading = Reloading(engine.exchange, directory)
    await reloading.look()
    return reloading


def banner(engine: PromptEngine) -> str:
    return engine.load_template(AssetType.BANNER, "latest").base_prompt


async def test_a_changed_file_is_taken_over(directory: Path, engine: PromptEngine, reloading: Reloading) -> None:
    file = directory / "banner" / "v1.1.yaml"
    file.write_text(file.read_text().replace("Create a channel banner", "Paint a channel banner"))

    await reloading.look()

    assert banner(engine).startswith("Paint a channel banner")


async def test_what_changed_before_the_first_look_is_taken_over(directory: Path, engine: PromptEngine) -> None:
    (directory / "banner" / "v1.1.yaml").unlink()

    await Reloading(engine.exchange, directory).look()

    assert engine.load_template(AssetType.BANNER, "latest").version == "1.0"


async def test_one_bad_file_leaves_all_templates_as_they_were_and_is_told_of_once(
    directory: Path, engine: PromptEngine, reloading: Reloading, caplog: pytest.LogCaptureFixture
) -> None:
    before = engine.templates()
    good = directory / "banner" / "v1.1.yaml"
    good.write_text(good.read_text().replace("Create", "Paint"))
    bad = directory / "overlay" / "v1.1.yaml"
    text = bad.read_text()
    bad.write_text(f"mood: dark\n{text}")

    await reloading.look()
    await reloading.look()

    assert engine.templates() == before
    assert [record.why for record in caplog.records] == [f"{bad}:1: unknown key 'mood'"]  # type: ignore[attr-defined]

    bad.write_text(text)
    await reloading.look()

    assert banner(engine).startswith("Paint")


@pytest.mark.parametrize("gone", ["banner", "."])
async def test_templates_that_go_away_stay_in_use(
    directory: Path, engine: PromptEngine, reloading: Reloading, gone: str
) -> None:
    before = engine.templates()
    shutil.rmtree(directory / gone)

    await reloading.look()

    assert engine.templates() == before


async def test_a_link_to_nowhere_is_a_bad_file(
    directory: Path, engine: PromptEngine, reloading: Reloading, caplog: pytest.LogCaptureFixture
) -> None:
    before = engine.templates()
    os.symlink(directory / "nowhere", directory / "banner" / "v1.2.yaml")

    await reloading.look()

    assert engine.templates() == before
    assert "v1.2.yaml: cannot be read" in caplog.records[-1].why  # type: ignore[attr-defined]


class Vanishing(PosixPath):
    """A directory of which a part goes away while it is looked through."""

    def rglob(self, pattern: str) -> Generator[Self, None, None]:
        yield next(super().rglob(pattern))
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))


async def test_a_directory_that_goes_away_while_it_is_read_is_a_bad_one(
    directory: Path, engine: PromptEngine, caplog: pytest.LogCaptureFixture
) -> None:
    before = engine.templates()

    await Reloading(engine.exchange, Vanishing(directory)).look()

    assert engine.templates() == before
    assert "templates: cannot be read: No such file" in caplog.records[-1].why  # type: ignore[attr-defined]


async def test_what_has_not_changed_is_not_read_again(directory: Path) -> None:
    taken: list[Sequence[PromptTemplate]] = []
    reloading = Reloading(taken.append, directory)

    await reloading.look()
    await reloading.look()

    assert len(taken) == 1
