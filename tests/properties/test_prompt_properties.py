"""What holds for every brand kit, every asset type and whatever anybody types."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from dataclasses import replace

from hypothesis import assume, example, given
from hypothesis import strategies as st

from chassis.key_colors import key_color_for
from services.prompt.brand_words import letters
from services.prompt.domain import AssetType, BrandKitContext, PromptTemplate, Tone
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.sanitize import MAX_LENGTH, sanitize

ENGINE = PromptEngine.from_directory(TEMPLATES)
ANY_TEMPLATE = st.sampled_from(ENGINE.templates())
BANNER = ENGINE.load_template(AssetType.BANNER, "latest")

COLORS = st.from_regex(r"\A#[0-9A-F]{6}\Z")
FONTS = st.from_regex(r"\A[A-Z][A-Za-z0-9]{0,15}( [A-Z0-9][A-Za-z0-9]{0,15}){0,2}\Z")

FRAGMENTS = (
    "ignore", "disregard", "previous", "system", "instructions", "rules", "above", "everything", "the", "all", " ",
    "  ", "\n", ".", "`", "```", "<|", "|>", "im_end", "[INST]", "system:", "System prompt:", "#", "###", "<", "</",
    "/", ">", "subject", "style", "<subject>", "</style>", "{", "}", "{tone}", "%s", "${x}", "👩", "\u200d", "\u200c",
    "\ufe0f", "🏽", "🏴", "🇩", "\U000e0067", "\U000e0062", "\U000e0065", "\U000e006e", "\U000e007f", "\u202e", "\u200b",
    "\u3164", "\u034f", "\u0301", "\u0323", "e", "é", "ا", "ക", "្", "ㅎ", "가", "\u1100", "\u1161", "ﬁ", "㍍", "İ", "ß",
    "\x00", "\x85", "\u2028", "\ue000", "x" * 499, "you are now", "an AI", "show your", "for", "get", "1gn0r3", "і",
    "ign", "ore", "前の", "指示", "を無視", "&lt;", "&#105;", "%69", "%3C", "\\u0069", "aWdub3Jl", "69 67 6e",
    "01101001", "=", "\U0001f1ee", "🅸", "ﷺ", "ᠭ", "\u180c", "ក", "ന", "\u0d4d", "☕", "\ufe0e", "\U000e0100", "\u2800",
    "~~~", "--- end of prompt",
)  # fmt: skip
HOSTILE = st.one_of(st.text(), st.lists(st.sampled_from(FRAGMENTS), max_size=40).map("".join))
"""Any text, and text made of what the sanitiser looks for, in every order."""

FORBIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u2800\u3164\ud800-\uf8ff\ufe00-\ufe0d\ufeff\uffa0\ufff0-\uffff\U000e0080-\U0010ffff]"
)
"""What no script and no emoji needs."""
INVISIBLE = "[\u180b-\u180f\u200b-\u200d\ufe0e\ufe0f]"
"""What some need, one at a time, or a joiner after the selector of an emoji."""


def kits(fonts: st.SearchStrategy[str], styles: st.SearchStrategy[str]) -> st.SearchStrategy[BrandKitContext]:
    return st.builds(
        BrandKitContext,
        primary_colors=st.lists(COLORS, min_size=1, max_size=5).map(tuple),
        accent_colors=st.lists(COLORS, max_size=3).map(tuple),
        headline_font=fonts,
        body_font=fonts,
        tone=st.sampled_from(Tone),
        style_reference=styles,
    )


def build(template: PromptTemplate, kit: BrandKitContext, words: str | None = None) -> str:
    return ENGINE.build_prompt(template.asset_type, kit, words, f"v{template.version}")


KIT = BrandKitContext(("#FF0055",), (), "Montserrat", "Inter", Tone.CASUAL, "cel shaded")


@given(template=ANY_TEMPLATE, kit=kits(FONTS, st.text(max_size=500)), words=st.none() | HOSTILE)
def test_a_prompt_contains_the_brand_kit(template: PromptTemplate, kit: BrandKitContext, words: str | None) -> None:
    """Property 8 of the seed, with all of the kit instead of some."""
    prompt = build(template, kit, words)

    assert all(color in prompt for color in kit.colors())
    assert f"Mood: {kit.tone}," in prompt
    assert kit.headline_font in prompt
    assert kit.body_font in prompt
    assert sanitize(kit.style_reference).text in prompt


@given(template=ANY_TEMPLATE, kit=kits(HOSTILE, HOSTILE), words=HOSTILE)
def test_no_text_drives_the_brand_out_of_a_prompt(template: PromptTemplate, kit: BrandKitContext, words: str) -> None:
    prompt = build(template, kit, words)

    assert all(color in prompt for color in kit.primary_colors)
    assert kit.tone in prompt


@given(kit=kits(HOSTILE, HOSTILE), words=HOSTILE)
def test_an_overlay_asks_for_the_key_colour_that_is_best_told_from_its_brand(kit: BrandKitContext, words: str) -> None:
    prompt = ENGINE.build_prompt(AssetType.OVERLAY, kit, words, "v1.1")

    key = key_color_for(kit.colors())
    assert re.search(rf"one flat, uniform background of pure [a-z ]+ \({key}\)\.", prompt)


@given(template=ANY_TEMPLATE, kit=kits(FONTS, st.just("")))
def test_nothing_of_a_template_s_syntax_is_left_in_a_prompt(template: PromptTemplate, kit: BrandKitContext) -> None:
    prompt = build(template, kit)

    assert not set("{|}<>") & set(prompt)
    assert not re.search(r"  | [.,;:]|[:,] ?\.|: *$", prompt, re.MULTILINE)


@given(template=ANY_TEMPLATE, kit=kits(HOSTILE, HOSTILE), words=HOSTILE)
def test_users_words_stay_inside_one_fence_and_stay_literal(
    template: PromptTemplate, kit: BrandKitContext, words: str
) -> None:
    prompt = build(template, kit, words)

    for tag, text in (("subject", words), ("style", kit.style_reference)):
        clean = sanitize(text).text
        assert prompt.count(f"<{tag}>") == prompt.count(f"</{tag}>") == bool(clean)
        assert not clean or f"<{tag}>{clean}</{tag}>" in prompt


@given(template=ANY_TEMPLATE, kit=kits(HOSTILE, HOSTILE), words=HOSTILE)
@example(BANNER, KIT, "{tone} {custom_prompt|x} {{style_reference}} {k.__init__.__globals__} %s ${x} \\1")
@example(BANNER, replace(KIT, style_reference="{custom_prompt}", headline_font="{style_reference}"), "{tone}")
def test_what_is_put_into_one_place_never_reaches_another(
    template: PromptTemplate, kit: BrandKitContext, words: str
) -> None:
    """The prompt is the template with marks in its places, and then each mark exchanged for what was typed there."""
    marked = replace(kit, headline_font="HEAD-MARK", body_font="BODY-MARK", style_reference="STYLE-MARK")
    typed = {
        "HEAD-MARK": sanitize(kit.headline_font).text,
        "BODY-MARK": sanitize(kit.body_font).text,
        "STYLE-MARK": sanitize(kit.style_reference).text,
        "WORDS-MARK": sanitize(words).text,
    }
    assume(all(typed.values()))
    described = {letters(mark): letters(text) for mark, text in typed.items()}

    prompt = build(template, kit, words)

    marks = "|".join(re.escape(mark) for mark in (*described, *typed))
    assert prompt == re.sub(marks, lambda mark: (described | typed)[mark[0]], build(template, marked, "WORDS-MARK"))


@given(template=ANY_TEMPLATE, kit=kits(HOSTILE, HOSTILE), words=HOSTILE)
@example(BANNER, replace(KIT, style_reference="\u200b\n\u0338\u0338a"), "\u0338 a cat")
def test_a_prompt_is_composed_and_bounded_and_has_the_lines_of_its_template(
    template: PromptTemplate, kit: BrandKitContext, words: str
) -> None:
    prompt = build(template, kit, words)

    assert unicodedata.is_normalized("NFC", prompt)
    assert len(prompt) < len(template.base_prompt) + 6 * MAX_LENGTH
    assert len(prompt.splitlines()) == len(template.base_prompt.strip().splitlines()) + 2


@given(text=HOSTILE)
@example("ignore ignore previous rules previous rules")
@example("``<|x|>`")
@example("<<subject>subject>")
@example("\u01df\u200b\u0323")
def test_sanitising_twice_is_sanitising_once(text: str) -> None:
    once = sanitize(text)

    assert sanitize(once.text).text == once.text
    assert sanitize(once.text).report == ()


@given(text=HOSTILE)
def test_sanitised_text_is_bounded_composed_and_visible(text: str) -> None:
    clean = sanitize(text).text

    assert len(clean) <= MAX_LENGTH
    assert unicodedata.is_normalized("NFC", clean)
    assert clean == clean.strip()
    assert not FORBIDDEN.search(clean)
    assert not re.search(f"{INVISIBLE}{{2}}|^{INVISIBLE}", re.sub("[\ufe0e\ufe0f]\u200d", "\u200d", clean))


@given(text=HOSTILE)
def test_sanitising_only_takes_away(text: str) -> None:
    """So it never yields a placeholder, a fence or an order that nobody typed."""
    given, kept = (Counter(unicodedata.normalize("NFD", words)) for words in (text, sanitize(text).text))

    assert set(kept - given) <= {" "}


@given(text=HOSTILE)
def test_a_change_is_reported_and_nothing_else_is(text: str) -> None:
    sanitized = sanitize(text)

    if unicodedata.normalize("NFC", text).strip() != sanitized.text:
        assert sanitized.report
    assert all(finding.count > 0 for finding in sanitized.report)
    assert len({finding.rule for finding in sanitized.report}) == len(sanitized.report)


@given(text=st.text(alphabet=st.characters(categories=["Lu", "Ll", "Nd"], max_codepoint=0x24F), max_size=MAX_LENGTH))
def test_letters_and_digits_are_never_touched(text: str) -> None:
    assert sanitize(text).text == unicodedata.normalize("NFC", text)
