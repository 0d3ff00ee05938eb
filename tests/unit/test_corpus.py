"""The sanitiser's goals, held on the corpus: both on what it was tuned on and on what it never saw."""

from __future__ import annotations

import unicodedata
from collections import Counter

import pytest

from services.prompt.sanitize import MAX_LENGTH, sanitize
from tests.corpora import SPLITS, Sample, attacks, benign, comes_through, is_caught

MOST_CHANGED = 0.005
FEWEST_CAUGHT = 0.95
DISGUISED = ("disguise", "encoded")
"""Where one order is written in many ways on purpose."""


def test_the_corpus_is_large_and_many_voiced() -> None:
    harmless = [sample for split in SPLITS for sample in benign(split)]
    hostile = [sample for split in SPLITS for sample in attacks(split)]

    assert min(len(harmless), len(hostile)) >= 300
    assert len({sample.language for sample in harmless}) >= 10
    assert len({sample.language for sample in hostile}) >= 14
    assert max(len(sample.text) for sample in harmless + hostile) <= MAX_LENGTH


def test_no_text_is_in_the_corpus_twice_not_even_in_other_letters() -> None:
    def plain(sample: Sample) -> str:
        folded = unicodedata.normalize("NFKD", sample.text).casefold()
        return "".join(filter(str.isalnum, folded)) or sample.text

    samples = [
        sample for split in SPLITS for sample in (*benign(split), *attacks(split)) if sample.kind not in DISGUISED
    ]
    counts = Counter(plain(sample) for sample in samples)

    assert [text for text, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("split", SPLITS)
def test_what_streamers_ask_for_comes_through_untouched(split: str) -> None:
    samples = benign(split)

    changed = [sample.text for sample in samples if not comes_through(sample, sanitize(sample.text).text)]

    assert len(changed) / len(samples) <= MOST_CHANGED, changed


@pytest.mark.parametrize("split", SPLITS)
def test_what_attackers_try_is_caught(split: str) -> None:
    samples = attacks(split)

    missed = [sample.text for sample in samples if not is_caught(sample, sanitize(sample.text))]

    assert len(missed) / len(samples) <= 1 - FEWEST_CAUGHT, missed


@pytest.mark.parametrize("split", SPLITS)
def test_whatever_is_in_the_corpus_is_clean_after_one_pass(split: str) -> None:
    for sample in (*benign(split), *attacks(split)):
        once = sanitize(sample.text).text

        assert sanitize(once).text == once
        assert sanitize(once).report == ()
