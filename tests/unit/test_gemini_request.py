"""What the Gemini API is asked for: the size that suits an asset, the prompt, the seed."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.domain import ASSET_DIMENSIONS, AssetType
from services.generation.providers.gemini_request import SEEDS, STYLED, another_seed, build_body, encode_body
from services.generation.providers.gemini_sizes import FAMILIES, Fit, ImageConfig, best_config, family_of, fit
from services.generation.styles import StyleImage

NEWEST, OLDER = "gemini-nano-banana-2.1", "gemini-2.5-flash-image"


@pytest.mark.parametrize(
    ("asset_type", "config", "loss"),
    [
        (AssetType.THUMBNAIL, ImageConfig("16:9", "1K"), Fit(1.0, 0.0078)),
        (AssetType.OVERLAY, ImageConfig("16:9", "2K"), Fit(1.0, 0.0078)),
        (AssetType.BANNER, ImageConfig("21:9", "1K"), Fit(1.0, 0.0571)),
        (AssetType.STORY_GRAPHIC, ImageConfig("9:16", "2K"), Fit(1.0, 0.0078)),
        (AssetType.CLIP_COVER, ImageConfig("1:1", "2K"), Fit(1.0, 0.0)),
    ],
)
def test_every_asset_type_gets_a_size_that_covers_it(asset_type: AssetType, config: ImageConfig, loss: Fit) -> None:
    asset = ASSET_DIMENSIONS[asset_type]

    assert best_config(NEWEST, asset) == config
    assert fit(family_of(NEWEST).sizes[config], asset) == loss


@pytest.mark.parametrize(
    ("asset_type", "config", "loss"),
    [
        (AssetType.THUMBNAIL, ImageConfig("16:9", None), Fit(1.0, 0.0156)),
        (AssetType.OVERLAY, ImageConfig("16:9", None), Fit(1.4286, 0.0156)),
        (AssetType.BANNER, ImageConfig("21:9", None), Fit(1.0, 0.0857)),
        (AssetType.STORY_GRAPHIC, ImageConfig("9:16", None), Fit(1.4286, 0.0156)),
        (AssetType.CLIP_COVER, ImageConfig("1:1", None), Fit(1.0547, 0.0)),
    ],
)
def test_a_model_of_one_size_is_asked_for_a_ratio_alone(asset_type: AssetType, config: ImageConfig, loss: Fit) -> None:
    asset = ASSET_DIMENSIONS[asset_type]

    assert best_config(OLDER, asset) == config
    assert fit(family_of(OLDER).sizes[config], asset) == loss
    assert build_body("a banner", config, 7)["generationConfig"]["imageConfig"] == {"aspectRatio": config.aspect_ratio}


@settings(deadline=None)
@given(st.tuples(st.integers(1, 6000), st.integers(1, 6000)), st.sampled_from([NEWEST, OLDER]))
def test_no_other_size_would_have_been_enlarged_less(asset: tuple[int, int], model: str) -> None:
    sizes = family_of(model).sizes

    chosen = fit(sizes[best_config(model, asset)], asset)

    assert chosen.upscale == min(fit(size, asset).upscale for size in sizes.values())
    assert 0 <= chosen.crop < 1


@pytest.mark.parametrize("model", ["gemini-3.1-flash-image", "gemini-3-pro-image", "gemini-nano-banana-9", ""])
def test_a_model_that_is_new_to_us_is_taken_for_one_of_the_latest(model: str) -> None:
    assert family_of(model) is FAMILIES[-1]


def test_a_request_is_what_the_api_documents() -> None:
    config = ImageConfig("16:9", "1K")

    body = json.loads(encode_body("Ein Bild: „Früh übt sich“ 🎮", config, 7, None))

    assert body == {
        "contents": [{"role": "user", "parts": [{"text": "Ein Bild: „Früh übt sich“ 🎮"}]}],
        "generationConfig": {
            "responseModalities": ["TEXT", "IMAGE"],
            "imageConfig": {"aspectRatio": "16:9", "imageSize": "1K"},
            "seed": 7,
        },
    }


def test_a_style_image_comes_after_the_prompt_which_says_what_it_is_for() -> None:
    style = StyleImage(b"style", "image/jpeg")

    [content] = build_body("a banner", ImageConfig("16:9", "1K"), 7, style)["contents"]

    text, image = content["parts"]
    assert text == {"text": f"a banner\n\n{STYLED}"}
    assert image == {"inlineData": {"mimeType": "image/jpeg", "data": base64.b64encode(b"style").decode()}}
    assert "the palette of this brief wins" in STYLED


@settings(deadline=None)
@given(st.integers())
def test_every_seed_is_made_one_that_the_api_takes(seed: int) -> None:
    sent = build_body("a banner", ImageConfig("1:1", "1K"), seed)["generationConfig"]["seed"]

    assert 0 <= sent < SEEDS
    assert 0 <= another_seed(seed) < SEEDS


@settings(deadline=None)
@given(st.integers(0, SEEDS - 1))
def test_another_seed_is_none_of_the_same_job(seed: int) -> None:
    assert abs(another_seed(seed) - seed) > 4
