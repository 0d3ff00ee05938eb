"""What the sanitiser reports."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Action = Literal["removed", "replaced", "truncated"]

RULES: dict[str, Action] = {
    "length": "truncated",
    "line_break": "replaced",
    "blank": "replaced",
    "control": "removed",
    "bidi": "removed",
    "zero_width": "removed",
    "variation_selector": "removed",
    "tag": "removed",
    "filler": "removed",
    "not_text": "removed",
    "code_fence": "removed",
    "special_token": "removed",
    "fence_mark": "removed",
    "role_label": "removed",
    "injected_order": "removed",
    "prompt_request": "removed",
    "changed_persona": "removed",
    "encoded_order": "removed",
    "layered_orders": "removed",
}
"""Every rule and what it does with what it finds, in the order of a report."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One kind of thing that was changed, and how often."""

    rule: str
    count: int
    action: Action


@dataclass(frozen=True, slots=True)
class Sanitized:
    """Text that may go into a prompt, and what was done to make it so."""

    text: str
    report: tuple[Finding, ...]


def merged(*reports: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """One report of several texts."""
    counts: Counter[str] = Counter()
    for findings in reports:
        counts.update({finding.rule: finding.count for finding in findings})
    return report(counts)


def report(counts: Mapping[str, int]) -> tuple[Finding, ...]:
    return tuple(Finding(rule, counts[rule], action) for rule, action in RULES.items() if rule in counts)
