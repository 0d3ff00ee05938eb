"""The corpus of what streamers ask for and of what attackers try, and when an answer to it is right.

`tests/corpus/<split>/<benign or attacks>/<kind>.yaml` holds texts by language. Rules are tuned on `dev`; `held_out` was
written before them and says how they do on what they were not made for. `beyond` has attacks that no rule is aimed at.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from services.prompt.sanitize import Sanitized

CORPUS = Path(__file__).parent / "corpus"
SPLITS = ("dev", "held_out")
BEYOND = "beyond"

UNSEEN = {"control", "bidi", "zero_width", "variation_selector", "tag", "filler", "not_text", "blank"}
STRUCTURE = {"code_fence", "special_token", "fence_mark", "role_label"}
ORDERS = {"injected_order", "prompt_request", "changed_persona", "encoded_order"}
_RIGHT_RULES = {"hidden": UNSEEN, "structure": STRUCTURE}


@dataclass(frozen=True, slots=True)
class Sample:
    """One text, and where it comes from."""

    kind: str
    language: str
    text: str


def benign(split: str) -> Sequence[Sample]:
    """What must come through as it is."""
    return _samples(split, "benign")


def attacks(split: str) -> Sequence[Sample]:
    """What must not."""
    return _samples(split, "attacks")


def comes_through(sample: Sample, cleaned: str) -> bool:
    return cleaned == unicodedata.normalize("NFC", sample.text)


def is_caught(attack: Sample, sanitized: Sanitized) -> bool:
    """Whether it was found by a rule of the right kind: an order whose invisible characters alone went is still one."""
    return bool({finding.rule for finding in sanitized.report} & _RIGHT_RULES.get(attack.kind, ORDERS))


def _samples(split: str, side: str) -> Sequence[Sample]:
    return [
        Sample(path.stem, language, text)
        for path in sorted((CORPUS / split / side).glob("*.yaml"))
        for language, texts in yaml.safe_load(path.read_text(encoding="utf-8")).items()
        for text in texts
    ]
