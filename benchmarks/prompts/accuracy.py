"""Precision and recall over the corpus, by split, kind, language and rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.prompts.peers import OURS, Peer
from services.prompt.sanitize import sanitize
from tests.corpora import SPLITS, Sample, attacks, benign, comes_through


@dataclass(frozen=True, slots=True)
class Score:
    """How often a peer was right."""

    caught: int
    attacks: int
    touched: int
    benign: int

    @property
    def precision(self) -> float:
        """Of the texts it acted on, how many were attacks."""
        return _share(self.caught, self.caught + self.touched)

    @property
    def recall(self) -> float:
        return _share(self.caught, self.attacks)

    @property
    def benign_touched(self) -> float:
        return _share(self.touched, self.benign)


def score(peer: Peer, harmless: Sequence[Sample], hostile: Sequence[Sample]) -> Score:
    return Score(
        caught=sum(peer.judge(sample).found for sample in hostile),
        attacks=len(hostile),
        touched=sum(_is_touched(peer, sample) for sample in harmless),
        benign=len(harmless),
    )


def by_split(peer: Peer) -> Iterator[tuple[str, Score]]:
    for split in SPLITS:
        yield split, score(peer, benign(split), attacks(split))


def by(key: Callable[[Sample], str], peer: Peer) -> dict[str, Score]:
    """The score on both splits together, for each value of the key."""
    harmless = [sample for split in SPLITS for sample in benign(split)]
    hostile = [sample for split in SPLITS for sample in attacks(split)]
    return {
        value: score(
            peer,
            [sample for sample in harmless if key(sample) == value],
            [sample for sample in hostile if key(sample) == value],
        )
        for value in dict.fromkeys(map(key, (*hostile, *harmless)))
    }


def by_rule() -> dict[str, tuple[int, int]]:
    """In how many attacks and in how many benign texts each of our rules found something."""
    counts: dict[str, Counter[str]] = {"attacks": Counter(), "benign": Counter()}
    for split in SPLITS:
        for side, samples in (("attacks", attacks(split)), ("benign", benign(split))):
            for sample in samples:
                counts[side].update(finding.rule for finding in sanitize(sample.text).report)
    return {rule: (counts["attacks"][rule], counts["benign"][rule]) for rule in counts["attacks"] | counts["benign"]}


def wrong() -> Iterator[tuple[str, str, Sample]]:
    """What ours got wrong: the split, what went wrong, and where."""
    for split in SPLITS:
        yield from ((split, "touched", sample) for sample in benign(split) if _is_touched(OURS, sample))
        yield from ((split, "missed", sample) for sample in attacks(split) if not OURS.judge(sample).found)


def _is_touched(peer: Peer, sample: Sample) -> bool:
    verdict = peer.judge(sample)
    return verdict.found or not comes_through(sample, verdict.text)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
