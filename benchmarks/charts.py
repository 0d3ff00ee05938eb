"""Charts as SVG: how many times the conventional build, and how figures change with size."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape
from itertools import groupby

from benchmarks.growth import Point
from benchmarks.tables import Row

WIDTH, LEFT, LINE = 960, 360, 34
GOOD, BAD, GRAY, LIMIT = "#2a9d8f", "#e76f51", "#8d99ae", "#264653"
ACROSS, PANE = 3, 150


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
            color = BAD if "MISSED" in row.verdicts else GOOD if row.verdicts else GRAY
            parts.append(f'<rect x="{start:.0f}" y="{y + 2}" width="{end - start:.0f}" height="18" fill="{color}"/>')
            parts.append(_text(end + 4, y + 16, f"{conventional:.1f}"))
        if limit:
            x = scale.at(limit)
            parts.append(f'<rect x="{x - 2:.0f}" y="{y - 2}" width="4" height="26" fill="{LIMIT}"/>')
    return _svg(height, parts)


def growth(points: Sequence[Point]) -> str:
    """A pane for each figure of each question, a line for each contender; both axes logarithmic."""
    panes = [list(group) for _, group in groupby(sorted(points, key=_pane_of), _pane_of)]
    contenders = sorted({point.contender for point in points})
    colors = dict(zip(contenders, (GOOD, LIMIT, BAD, GRAY), strict=False))
    parts = [_text(30 + 180 * number, 24, name, size=14, color=colors[name]) for number, name in enumerate(contenders)]
    for number, pane in enumerate(panes):
        row, column = divmod(number, ACROSS)
        parts += _pane(pane, colors, 60 + (WIDTH // ACROSS) * column, 70 + (PANE + 70) * row)
    return _svg(70 + (PANE + 70) * math.ceil(len(panes) / ACROSS), parts)


def _pane_of(point: Point) -> tuple[str, str]:
    return point.axis, point.what


def _pane(points: Sequence[Point], colors: Mapping[str, str], left: float, top: float) -> list[str]:
    right = left + WIDTH // ACROSS - 90
    sizes, values = sorted({point.size for point in points}), [point.value for point in points]
    across, up = _Scale(sizes[0] * 0.9, sizes[-1] * 1.1, left, right), _Scale(*_around(values), top + PANE, top)
    parts = [_text(left, top - 10, f"{points[0].what}, {points[0].unit}, by {points[0].axis}")]
    parts += [_text(across.at(size), top + PANE + 16, f"{size:,}", anchor="middle") for size in sizes]
    for value in up.decades():
        y = up.at(value)
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y:.0f}" y2="{y:.0f}" stroke="#ddd"/>')
        parts.append(_text(left - 6, y + 4, f"{value:,g}", anchor="end"))
    for contender, color in colors.items():
        own = sorted((point.size, point.value) for point in points if point.contender == contender)
        spots = [(across.at(size), up.at(value)) for size, value in own]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in spots)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{color}"/>' for x, y in spots]
    return parts


def _around(values: Sequence[float]) -> tuple[float, float]:
    """Whole powers of ten, so that a line that falls looks as steep in every pane."""
    return 10.0 ** math.floor(math.log10(min(values))), 10.0 ** math.ceil(math.log10(max(values) * 1.01))


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
