"""Prompts change when somebody means them to."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.golden.prompts import DIRECTORY, golden_files


@pytest.mark.parametrize(
    ("path", "expected"), [pytest.param(*file, id="/".join(file[0].parts[-2:])) for file in golden_files()]
)
def test_a_prompt_is_the_one_that_was_looked_at(path: Path, expected: str) -> None:
    assert path.read_text(encoding="utf-8") == expected, "if it is meant to change: make golden"


def test_every_file_is_some_template_s() -> None:
    assert set(DIRECTORY.rglob("*.txt")) == {path for path, _ in golden_files()}
