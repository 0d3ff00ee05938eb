"""What a command prints: results on standard output, everything on the way on standard error."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

PIPE_WIDTH = 200
"""Columns when nobody looks: wide enough that no id is cut."""


def results() -> Console:
    """For what was asked for."""
    return Console(width=None if sys.stdout.isatty() else PIPE_WIDTH, highlight=False, soft_wrap=False)


def remarks() -> Console:
    """For everything else."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def print_json(value: Any) -> None:
    """One JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def print_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A table of plain values."""
    table = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    results().print(table)


def print_fields(fields: Sequence[tuple[str, object]]) -> None:
    """One thing, a field a line, however long: a link that is cut cannot be followed."""
    width = max(len(name) for name, _ in fields) + 2
    for name, value in fields:
        results().print(Text.assemble((name.ljust(width), "bold"), _cell(value)), soft_wrap=True)


def swatch(colors: Iterable[str]) -> Text:
    """Colours as such, with their codes."""
    return Text(" ").join(Text.assemble(("■", color), " ", color) for color in colors)


def progress_bars(*, quiet: bool) -> Progress:
    """Bars on standard error, from 0 to 100."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    return Progress(*columns, console=remarks(), disable=quiet)


def size(count: int) -> str:
    """Bytes for people."""
    return f"{count / 1024:,.0f} KiB" if count >= 1024 else f"{count} B"


def _cell(value: object) -> Text:
    if isinstance(value, Text):
        return value
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    # Never as markup: names are a streamer's own words.
    return Text("" if value is None else str(value))
