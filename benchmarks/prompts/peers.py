"""What others do about the same texts, written again from how they describe it; ours, in the same shape.

None of this is part of the product.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from services.prompt.sanitize import sanitize
from tests.corpora import Sample, is_caught


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is left of a text, and whether something was found in it."""

    text: str
    found: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """One way to judge a text."""

    name: str
    judge: Callable[[Sample], Verdict]


def _ours(sample: Sample) -> Verdict:
    sanitized = sanitize(sample.text)
    return Verdict(sanitized.text, is_caught(sample, sanitized))


_INVISIBLE = {"Cf", "Co", "Cn"}
_BANNED = (
    "ignore all previous", "ignore previous instructions", "ignore the above", "ignore your instructions",
    "disregard all previous", "disregard previous", "disregard the above", "forget all previous", "forget previous",
    "forget your instructions", "do anything now", "you are now dan", "act as dan", "developer mode enabled",
    "jailbreak mode", "without any restrictions", "no restrictions", "bypass your", "override your", "pretend you are",
    "you are no longer", "system prompt", "your initial prompt", "repeat the text above", "reveal your instructions",
    "unrestricted ai", "unfiltered ai", "from now on you", "new instructions:", "<|im_start|>", "[inst]",
)  # fmt: skip


def _invisible_text_and_banned_substrings(sample: Sample) -> Verdict:
    """As llm-guard's InvisibleText (categories Cf, Co and Cn) and BanSubstrings (plain, any case, redacted)."""
    text = "".join(character for character in sample.text if unicodedata.category(character) not in _INVISIBLE)
    redacted = re.sub("|".join(map(re.escape, _BANNED)), "[REDACTED]", text, flags=re.IGNORECASE)
    return Verdict(redacted, redacted != sample.text)


_PATTERNS = (
    r"ignore\s+(all\s+)?previous\s+instructions?",
    r"you\s+are\s+now\s+(in\s+)?developer\s+mode",
    r"system\s+override",
    r"reveal\s+prompt",
)
_FUZZY = ("ignore", "bypass", "override", "reveal", "delete", "system")


def _sample_filter(sample: Sample) -> Verdict:
    """As the sample in OWASP's cheat sheet: four patterns, six words that may be scrambled, runs cut, spaces joined."""
    found = any(re.search(pattern, sample.text, re.IGNORECASE) for pattern in _PATTERNS) or any(
        _is_similar(word, target) for word in re.findall(r"\b\w+\b", sample.text.lower()) for target in _FUZZY
    )
    text = re.sub(r"(.)\1{3,}", r"\1", re.sub(r"\s+", " ", sample.text))
    for pattern in _PATTERNS:
        text = re.sub(pattern, "[FILTERED]", text, flags=re.IGNORECASE)
    return Verdict(text, found)


def _is_similar(word: str, target: str) -> bool:
    ends_alike = len(word) == len(target) and word[0] == target[0] and word[-1] == target[-1]
    return ends_alike and sorted(word[1:-1]) == sorted(target[1:-1])


OURS = Peer("ours", _ours)
PEERS = (
    OURS,
    Peer("invisible text + banned substrings", _invisible_text_and_banned_substrings),
    Peer("cheat sheet's sample filter", _sample_filter),
)
