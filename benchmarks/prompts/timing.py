"""What building a prompt costs: on what people type, and on the worst that a search finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate

from hypothesis import HealthCheck, Phase, given, settings, target
from hypothesis import strategies as st

from services.prompt.domain import AssetType, BrandKitContext, Tone
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.sanitize import MAX_LENGTH
from tests.corpora import SPLITS, benign
from tests.properties.test_prompt_properties import FRAGMENTS

_ENGINE = PromptEngine.from_directory(TEMPLATES)
_KIT = BrandKitContext(
    primary_colors=("#FF0055", "#1A1A2E"),
    accent_colors=("#00E5FF",),
    headline_font="Montserrat",
    body_font="Inter",
    tone=Tone.COMPETITIVE,
    style_reference="90s anime, grainy, hand-painted skies",
)
_RUNS = 20


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds for one prompt."""

    wall: float
    cpu: float
    """Of this thread alone, so that what else the machine does is not in it."""


def usual() -> list[Cost]:
    """Prompts of full length made of what streamers ask for, in each of their languages; no two have the same words."""
    inputs = _full_length()
    return [_cost(words[run:] + words[:run], _KIT) for run in range(_RUNS) for words in inputs]


def worst(searches: int) -> tuple[Cost, str]:
    """The slowest prompt that a search finds, and what was typed for it: in the words and in every text of the kit."""
    slowest: list[tuple[Cost, str]] = [(Cost(0, 0), "")]

    @settings(
        max_examples=searches,
        phases=(Phase.generate, Phase.target),
        database=None,
        deadline=None,
        derandomize=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(st.sampled_from(FRAGMENTS) | st.text(max_size=8), min_size=1, max_size=30).map("".join))
    def look(unit: str) -> None:
        typed = (unit * MAX_LENGTH)[:MAX_LENGTH]
        # Each time a little different, since what was sanitised once is remembered.
        cost = min((_cost_everywhere(typed[turn:] + typed[:turn]) for turn in range(3)), key=lambda cost: cost.cpu)
        slowest[0] = max(slowest[0], (cost, typed), key=lambda found: found[0].cpu)
        target(cost.cpu)

    look()
    return slowest[0]


def percentile(costs: Sequence[Cost], of: Callable[[Cost], float], share: float) -> float:
    ordered = sorted(map(of, costs))
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _full_length() -> list[str]:
    by_language: dict[str, list[str]] = {}
    for split in SPLITS:
        for sample in benign(split):
            by_language.setdefault(sample.language, []).append(sample.text)
    return [text for texts in by_language.values() for text in _joined(texts)]


def _joined(texts: list[str]) -> list[str]:
    """Texts of full length that hold all of these, and what is left over once more as often as it fits."""
    joined = ", ".join(texts)
    joined = ", ".join([joined] * (1 + MAX_LENGTH // len(joined)))
    ends = accumulate([MAX_LENGTH] * (len(joined) // MAX_LENGTH))
    return [joined[end - MAX_LENGTH : end] for end in ends]


def _cost_everywhere(typed: str) -> Cost:
    return _cost(
        typed, replace(_KIT, headline_font=typed[:64], body_font=typed[-64:], style_reference=typed[9:] + typed[:9])
    )


def _cost(words: str, kit: BrandKitContext) -> Cost:
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    _ENGINE.build_prompt(AssetType.THUMBNAIL, kit, words)
    return Cost(cpu=(time.thread_time_ns() - cpu) / 1e6, wall=(time.perf_counter_ns() - wall) / 1e6)
