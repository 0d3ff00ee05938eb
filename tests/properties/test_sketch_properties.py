"""Sketches hold for every kit, every seed and whatever a streamer types."""

from __future__ import annotations

import io
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from services.generation.domain import AssetType, BrandKitContext, RenderRequest
from services.generation.providers.sketching.canvas import Canvas
from services.generation.providers.sketching.drawing import draw, encode
from services.generation.providers.sketching.faces import (
    GEOMETRIC,
    GROTESK,
    ROUND,
    SLANTED,
    Face,
    covers,
    drawable,
)
from services.generation.providers.sketching.legibility import paper_at
from services.generation.providers.sketching.lettering import Frame, fit
from services.generation.providers.sketching.palette import LEGIBLE, contrast, luminance, palette_of, parse, plate_color
from tests.sketches import TONES

colors = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06X}")
kits = st.builds(
    BrandKitContext,
    primary_colors=st.lists(colors, min_size=1, max_size=5).map(tuple),
    accent_colors=st.lists(colors, max_size=3).map(tuple),
    headline_font=st.sampled_from(("Montserrat", "Nunito", "Bebas Neue", "Teko", "Noto Sans", "字")),
    body_font=st.just("Inter"),
    tone=st.sampled_from((*TONES, "", "weird")),
)
alphabets = st.sampled_from(
    ("abcdefg ABC 0189 !?.,:|-", "日本語 テキスト", "مرحبا بالعالم", "שלום", "🎮🔥👩‍👩‍👧 gg", "Жёлтый ", "ßẞǅﬁİ ")
)
words = st.one_of(
    st.just(""),
    st.text(max_size=500),
    alphabets.flatmap(lambda letters: st.text(st.sampled_from(letters), max_size=500)),
    st.text(st.sampled_from("WMil"), min_size=60, max_size=500),
)
requests = st.builds(
    RenderRequest,
    job_id=st.just("job-1"),
    item=st.integers(0, 3),
    asset_type=st.sampled_from(AssetType),
    prompt=st.just(""),
    words=words,
    brand_kit=kits,
    seed=st.integers(-(2**63), 2**63 - 1),
)


@settings(max_examples=40, deadline=None)
@given(requests)
def test_every_request_becomes_a_legible_picture_of_the_right_size(request: RenderRequest) -> None:
    canvas = draw(request)

    assert canvas.image.size == request.size
    assert canvas.image.mode == ("RGBA" if request.asset_type is AssetType.OVERLAY else "RGB")
    assert all(letters.contrast >= LEGIBLE for letters in canvas.lettered)
    w, h = request.size
    assert all(0 <= x0 < x1 <= w and 0 <= y0 < y1 <= h for x0, y0, x1, y1 in (word.box for word in canvas.lettered))


@settings(max_examples=15, deadline=None)
@given(requests)
def test_the_same_request_and_seed_give_the_same_bytes(request: RenderRequest) -> None:
    first, second = encode(draw(request)), encode(draw(request))

    assert first == second
    assert Image.open(io.BytesIO(first)).size == request.size


@settings(max_examples=15, deadline=None)
@given(kits, words, st.integers())
def test_an_overlay_is_empty_in_the_middle_and_solid_somewhere(kit: BrandKitContext, text: str, seed: int) -> None:
    alpha = draw(RenderRequest("job-1", 0, AssetType.OVERLAY, "", text, kit, seed)).image.getchannel("A")

    assert alpha.crop((480, 270, 1440, 810)).getextrema() == (0, 0)
    assert alpha.getextrema() == (0, 255)


@settings(max_examples=60, deadline=None)
@given(kits, st.integers(), st.lists(colors, min_size=4, max_size=4))
def test_some_ink_reads_on_every_pixel_of_any_ground(kit: BrandKitContext, seed: int, ground: list[str]) -> None:
    pixels = Image.new("RGB", (2, 2))
    pixels.putdata([parse(color) for color in ground])
    canvas, box = Canvas(pixels.resize((64, 48))), (8, 8, 56, 40)

    paper = paper_at(canvas, palette_of(kit, Random(seed)), box)

    behind = canvas.image.crop(box).getcolors(maxcolors=10_000)
    assert behind is not None
    ink = luminance(paper.ink)
    assert all(contrast(ink, luminance(color)) >= LEGIBLE for _, color in behind)


@settings(max_examples=80, deadline=None)
@given(words, st.sampled_from((GEOMETRIC, GROTESK, ROUND, SLANTED)))
def test_only_characters_the_face_has_are_ever_drawn(text: str, face: Face) -> None:
    assert all(char == " " or covers(face, char) for char in drawable(face, text))


@settings(max_examples=80, deadline=None)
@given(words, st.integers(120, 1200), st.integers(60, 800), st.integers(1, 7), st.sampled_from((1.0, 1.7)))
def test_words_never_leave_their_frame(text: str, width: int, height: int, lines: int, spread: float) -> None:
    drawn = drawable(GEOMETRIC, text) or "gg"

    block = fit(GEOMETRIC, drawn, Frame(width, height, largest=300, smallest=24, max_lines=lines, spread=spread))

    assert block.width <= width
    assert block.height <= height
    assert len(block.lines) <= lines


@settings(max_examples=100, deadline=None)
@given(kits, st.integers())
def test_words_read_on_veils_and_plates_of_any_kit(kit: BrandKitContext, seed: int) -> None:
    palette = palette_of(kit, Random(seed))

    pale, deep, plate = luminance(palette.pale), luminance(palette.deep), luminance(plate_color(palette))
    assert contrast(pale, luminance(palette.shade)) >= 1.5 * LEGIBLE
    assert contrast(pale, deep) >= 1.5 * LEGIBLE
    assert max(contrast(pale, plate), contrast(deep, plate)) >= LEGIBLE
