"""Setting words: as large as they fit, and never beyond."""

from __future__ import annotations

from dataclasses import replace

from services.generation.providers.sketching.faces import GEOMETRIC, SLANTED
from services.generation.providers.sketching.lettering import Block, Frame, fit

FRAME = Frame(width=640, height=400, largest=240, smallest=36, max_lines=5)


def said(block: Block) -> str:
    return " ".join(line.text for line in block.lines)


def test_words_stay_within_their_frame() -> None:
    block = fit(GEOMETRIC, "five settings every new streamer gets wrong", FRAME)

    assert block.width <= FRAME.width
    assert block.height <= FRAME.height
    assert said(block) == "five settings every new streamer gets wrong"


def test_a_short_word_is_larger_than_a_long_sentence() -> None:
    word, sentence = fit(GEOMETRIC, "go", FRAME), fit(GEOMETRIC, "go " * 12, FRAME)

    assert word.lines[0].size > 2 * sentence.lines[0].size


def test_no_letter_is_larger_than_the_frame_asks_for() -> None:
    assert fit(GEOMETRIC, "I", FRAME).lines[0].size == FRAME.largest


def test_too_many_words_are_cut_between_words_with_an_ellipsis() -> None:
    words = "lorem ipsum dolor sit amet " * 20

    block = fit(GEOMETRIC, words, FRAME)

    assert said(block).endswith("…")
    assert words.startswith(said(block).removesuffix("…"))
    assert min(line.size for line in block.lines) >= FRAME.smallest


def test_a_word_too_long_for_a_line_is_broken_with_hyphens() -> None:
    block = fit(GEOMETRIC, "Donaudampfschifffahrtsgesellschaft", FRAME)

    assert len(block.lines) > 1
    assert all(line.text.endswith("-") for line in block.lines[:-1])
    assert "".join(line.text.removesuffix("-") for line in block.lines) == "Donaudampfschifffahrtsgesellschaft"


def test_a_broken_word_that_fits_one_line_after_all_shows_no_hyphen() -> None:
    wide = replace(FRAME, width=900, max_lines=1)

    assert said(fit(GEOMETRIC, "Donaudampfschifffahrtsgesellschaft", wide)) == "Donaudampfschifffahrtsgesellschaft"


def test_five_hundred_letters_without_a_space_are_set_and_cut() -> None:
    block = fit(GEOMETRIC, "A" * 500, FRAME)

    assert block.width <= FRAME.width
    assert block.height <= FRAME.height
    assert block.lines[-1].text.endswith("…")


def test_lines_are_of_one_size_unless_they_may_spread() -> None:
    even = fit(SLANTED, "GRIND TO DIAMOND", FRAME)
    spread = fit(SLANTED, "GRIND TO DIAMOND", replace(FRAME, spread=1.7))

    assert len({line.size for line in even.lines}) == 1
    assert len({line.size for line in spread.lines}) > 1


def test_lines_of_one_size_stand_at_equal_distances() -> None:
    baselines = fit(GEOMETRIC, "moon yogi moon", replace(FRAME, width=260)).baselines

    assert len(baselines) == 3
    assert abs((baselines[2] - baselines[1]) - (baselines[1] - baselines[0])) <= 1
