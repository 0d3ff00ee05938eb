"""What building a prompt costs: on what people type, and on the worst that a search finds."""

from __future__ import annotations

import time
from collections.abc import Sequence
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
VERSIONS = tuple(dict.fromkeys(template.version for template in _ENGINE.templates()))
"""Of templates; each costs the same for every asset type, but for an overlay's key colour."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Milliseconds for one prompt."""

    wall: float
    cpu: float
    """Of this thread alone, so that what else the machine does is not in it."""


def usual(version: str) -> list[Cost]:
    """Prompts of full length made of what streamers ask for, in each of their languages; no two have the same words,
    since what was sanitised once is remembered.
    """
    inputs = _full_length()
    turn = VERSIONS.index(version) * _RUNS
    return [_cost(words[run:] + words[:run], _KIT, version) for run in range(turn, turn + _RUNS) for words in inputs]


def unknown_kits(version: str) -> list[Cost]:
    """The same, each with a kit of as many colours as a kit may have that nobody has seen before."""
    inputs = _full_length()
    return [_cost(words, _unknown_kit(number), version) for number, words in enumerate(inputs * _RUNS)]


def worst(searches: int, version: str) -> tuple[Cost, str]:
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
        cost = min((_cost_everywhere(typed[turn:] + typed[:turn], version) for turn in range(3)), key=lambda it: it.cpu)
        slowest[0] = max(slowest[0], (cost, typed), key=lambda found: found[0].cpu)
        target(cost.cpu)

    look()
    return slowest[0]


def percentile(costs: Sequence[float], share: float) -> float:
    ordered = sorted(costs)
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


def _unknown_kit(number: int) -> BrandKitContext:
    colors = tuple(f"#{(number * 8 + place) * 40503 % 2**24:06X}" for place in range(8))
    return replace(_KIT, primary_colors=colors[:5], accent_colors=colors[5:], headline_font=f"Acme {number} Sans")


def _cost_everywhere(typed: str, version: str) -> Cost:
    kit = replace(_KIT, headline_font=typed[:64], body_font=typed[-64:], style_reference=typed[9:] + typed[:9])
    return _cost(typed, kit, version)


def _cost(words: str, kit: BrandKitContext, version: str) -> Cost:
    wall, cpu = time.perf_counter_ns(), time.thread_time_ns()
    _ENGINE.build_prompt(AssetType.OVERLAY, kit, words, version)
    return Cost(cpu=(time.thread_time_ns() - cpu) / 1e6, wall=(time.perf_counter_ns() - wall) / 1e6)
