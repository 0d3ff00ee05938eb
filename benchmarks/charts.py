"""Charts as SVG: how many times the conventional build, and how figures change with size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from itertools import groupby

from benchmarks.growth import Point
from benchmarks.tables import Row

WIDTH, LEFT, LINE = 960, 360, 34
GOOD, BAD, GRAY, LIMIT = "#2a9d8f", "#e76f51", "#8d99ae", "#264653"
COLORS = ("#264653", "#2a9d8f", "#e9c46a", "#f4a261", "#e76f51", "#6d597a", "#8d99ae", "#457b9d")
PANE = 300


def ratios(rows: Sequence[Row]) -> str:
    """How many times as good ours is as the conventional build, and as the limit; on a logarithmic scale."""
    shown = [(row, _better(row, row.to_conventional), _better(row, row.to_limit)) for row in rows]
    shown = [one for one in shown if one[1] or one[2]]
    most = max((ratio for _, *both in shown for ratio in both if ratio), default=10) * 1.5
    scale = _Scale(0.05, most, LEFT, WIDTH - 40)
    height = 70 + LINE * len(shown)
    parts = [_text(LEFT, 24, "times as good as the conventional build (bar), and as the limit (mark)", size=14)]
    parts += [_rule(scale.at(value), 40, height - 24, f"{value:g}×") for value in scale.decades()]
    for number, (row, conventional, limit) in enumerate(shown):
        y = 46 + LINE * number
        parts.append(_text(LEFT - 10, y + 16, row.workload.says, anchor="end"))
        if conventional:
            start, end = sorted((scale.at(1), scale.at(conventional)))
            color = BAD if "MISSED" in row.verdicts else GOOD
            parts.append(f'<rect x="{start:.0f}" y="{y + 2}" width="{end - start:.0f}" height="18" fill="{color}"/>')
            parts.append(_text(end + 4, y + 16, f"{conventional:.1f}"))
        if limit:
            x = scale.at(limit)
            parts.append(f'<rect x="{x - 2:.0f}" y="{y - 2}" width="4" height="26" fill="{LIMIT}"/>')
    return _svg(height, parts)


def growth(points: Sequence[Point]) -> str:
    """A pane for each question, a line for each figure; both axes logarithmic."""
    panes = [(axis, list(group)) for axis, group in groupby(sorted(points, key=lambda p: p.axis), lambda p: p.axis)]
    parts: list[str] = []
    for number, (axis, found) in enumerate(panes):
        parts += _pane(axis, found, 40 + (PANE + 60) * number)
    return _svg((PANE + 60) * len(panes) + 60, parts)


def _pane(axis: str, points: Sequence[Point], top: float) -> list[str]:
    across = _Scale(min(p.size for p in points) * 0.9, max(p.size for p in points) * 1.1, 80, WIDTH - 320)
    values = [point.value for point in points if point.value > 0]
    up = _Scale(min(values) * 0.8, max(values) * 1.2, top + PANE, top)
    parts = [_text(80, top - 12, axis, size=14)]
    parts += [_text(across.at(size), top + PANE + 18, f"{size:,}") for size in sorted({p.size for p in points})]
    parts += [
        f'<line x1="80" x2="{WIDTH - 320}" y1="{up.at(value):.0f}" y2="{up.at(value):.0f}" stroke="#ddd"/>'
        + _text(74, up.at(value) + 4, f"{value:,g}", anchor="end")
        for value in up.decades()
    ]
    lines = groupby(sorted(points, key=lambda p: (p.what, p.contender)), lambda p: (p.what, p.unit, p.contender))
    for number, ((what, unit, contender), group) in enumerate(lines):
        color = COLORS[number % len(COLORS)]
        spots = [(across.at(p.size), up.at(p.value)) for p in sorted(group, key=lambda p: p.size) if p.value > 0]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in spots)
        dashed = ' stroke-dasharray="6 3"' if number >= len(COLORS) else ""
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dashed}/>')
        parts += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{color}"/>' for x, y in spots]
        parts.append(_text(WIDTH - 310, top + 14 + 17 * number, f"{what}, {unit}: {contender}", color=color))
    return parts


class _Scale:
    """From values to places, logarithmically."""

    def __init__(self, least: float, most: float, first: float, last: float) -> None:
        self._least, self._most, self._first, self._last = least, max(most, least * 1.01), first, last

    def at(self, value: float) -> float:
        share = math.log(value / self._least) / math.log(self._most / self._least)
        return self._first + (self._last - self._first) * min(1.0, max(0.0, share))

    def decades(self) -> list[float]:
        first, last = math.ceil(math.log10(self._least)), math.floor(math.log10(self._most))
        return [10.0**power for power in range(first, last + 1)]


def _better(row: Row, ratio: float | None) -> float | None:
    """More is better, whatever the unit."""
    return 1 / ratio if ratio and row.workload.less_is_better else ratio


def _rule(x: float, top: float, bottom: float, says: str) -> str:
    line = f'<line x1="{x:.0f}" x2="{x:.0f}" y1="{top:.0f}" y2="{bottom:.0f}" stroke="{GRAY}" stroke-dasharray="3 3"/>'
    return line + _text(x, bottom + 16, says, anchor="middle")


def _text(x: float, y: float, says: str, *, size: int = 12, anchor: str = "start", color: str = "#222") -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" text-anchor="{anchor}" fill="{color}">{escape(says)}</text>'
    )


def _svg(height: float, parts: Sequence[str]) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height:.0f}" font-family="sans-serif">'
    return "\n".join((head, f'<rect width="{WIDTH}" height="{height:.0f}" fill="white"/>', *parts, "</svg>\n"))
