"""The templates we ship, and the files the service refuses to start with."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml

from services.prompt.domain import AssetType
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.template_files import OPTIONAL, REQUIRED, TemplateInvalid

SEED_TEMPLATE = """\
name: thumbnail
version: "1.0"
base_prompt: |
  Create a YouTube thumbnail with {tone} style.
  Use colors: {primary_colors}.
  Typography style: {headline_font} for headlines.
  {custom_prompt}
quality_modifiers:
  - "high quality"
  - "professional"
  - "eye-catching"
  - "4K resolution"
placeholders:
  - tone
  - primary_colors
  - headline_font
  - custom_prompt
"""


def write(directory: Path, text: str, place: str = "thumbnail/v1.0.yaml") -> Path:
    path = directory / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("asset_type", AssetType)
def test_every_asset_type_has_a_template_that_uses_the_whole_brand(asset_type: AssetType) -> None:
    template = PromptEngine.from_directory(TEMPLATES).load_template(asset_type)

    assert set(template.placeholders) == REQUIRED | OPTIONAL
    assert template.name == asset_type
    assert template.content_hash == hashlib.sha256((TEMPLATES / asset_type / "v1.0.yaml").read_bytes()).hexdigest()


@pytest.mark.parametrize(
    ("asset_type", "needs"),
    [
        (AssetType.THUMBNAIL, ["16:9", "focal subject", "lower right corner stays quiet", "room for a headline"]),
        (AssetType.OVERLAY, ["16:9", "transparent background", "entire middle", "fully transparent"]),
        (AssetType.BANNER, ["5:2", "central safe area"]),
        (AssetType.STORY_GRAPHIC, ["vertical 9:16", "top seventh", "bottom fifth"]),
        (AssetType.CLIP_COVER, ["square 1:1", "readable when it is only one hundred pixels wide"]),
    ],
)
def test_every_template_says_what_its_asset_is_for(asset_type: AssetType, needs: list[str]) -> None:
    prose = PromptEngine.from_directory(TEMPLATES).load_template(asset_type).base_prompt

    assert [need for need in needs if need not in prose] == []


def test_no_template_puts_text_in_quotation_marks_for_a_model_to_paint() -> None:
    for template in PromptEngine.from_directory(TEMPLATES).templates():
        assert not set(template.base_prompt) & set('"“”«»')


def test_the_seed_s_own_template_is_a_good_one(tmp_path: Path) -> None:
    write(tmp_path, SEED_TEMPLATE)

    template = PromptEngine.from_directory(tmp_path).load_template(AssetType.THUMBNAIL, "v1.0")

    seed = yaml.safe_load(SEED_TEMPLATE)
    assert (template.name, template.version, template.base_prompt) == (seed["name"], "1.0", seed["base_prompt"])
    assert list(template.quality_modifiers) == seed["quality_modifiers"]
    assert list(template.placeholders) == seed["placeholders"]


def test_templates_are_listed_by_asset_type_and_version(tmp_path: Path) -> None:
    write(tmp_path, SEED_TEMPLATE)
    write(tmp_path, SEED_TEMPLATE.replace('"1.0"', '"1.1"'), "thumbnail/v1.1.yaml")
    write(tmp_path, SEED_TEMPLATE.replace("thumbnail\nversion", "banner\nversion"), "banner/v1.0.yaml")

    listed = PromptEngine.from_directory(tmp_path).templates()

    assert [(template.asset_type, template.version) for template in listed] == [
        ("banner", "1.0"),
        ("thumbnail", "1.0"),
        ("thumbnail", "1.1"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("name: thumbnail", "name: [", ":3: not YAML: "),
        ("name: thumbnail", "name: !!python/name:os.system x", ":1: not YAML: "),
        ("name: thumbnail", "name: a\x00b", ": not YAML: "),
        ("name: thumbnail\n", "", ": lacks name"),
        ("name: thumbnail", "name: banner", ":1: name must be 'thumbnail', as the file's path says"),
        ("name: thumbnail", "name: thumbnail\nauthor: me", ":2: unknown key 'author'"),
        ("name: thumbnail", "name: thumbnail\nname: thumbnail", ":2: name is there twice"),
        ('"1.0"', "1.0", ":2: version must be text, in quotation marks"),
        ('"1.0"', '"1.1"', ":2: version must be '1.0', as the file's path says"),
        ("placeholders:", "placeholders: tone\nquality:", ":14: unknown key 'quality'"),
        ('  - "4K resolution"', "  - 4", ":8: quality_modifiers must hold at least one text, and texts only"),
        ('  - "4K resolution"', '  - "4K {resolution|}}"', ":12: a brace that belongs to no placeholder"),
        ("with {tone} style", "with {tone style", ":4: a brace that belongs to no placeholder"),
        ("with {tone} style", "with {tone.__class__} style", ":4: a brace that belongs to no placeholder"),
        ("with {tone} style", "with style", ":14: placeholder tone is declared and not used"),
        ("with {tone} style", "with {tone} {body_font} style", ":4: placeholder body_font is used and not declared"),
        ("  - tone", "  - tone\n  - tone", ":15: placeholder tone is declared twice"),
        ("  - tone", "  - tone\n  - secret", ":15: unknown placeholder secret"),
        (
            "  {custom_prompt}",
            "  Draw {custom_prompt}.",
            ":7: custom_prompt may be empty: write {custom_prompt|words for then}",
        ),
    ],
)
def test_a_bad_file_is_refused_with_its_place_and_the_reason(
    tmp_path: Path, old: str, new: str, complaint: str
) -> None:
    path = write(tmp_path, SEED_TEMPLATE.replace(old, new, 1))

    with pytest.raises(TemplateInvalid) as caught:
        PromptEngine.from_directory(tmp_path)

    assert str(caught.value).startswith(f"{path}{complaint}")


@pytest.mark.parametrize("text", ["", "thumbnail", "- name"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    write(tmp_path, text)

    with pytest.raises(TemplateInvalid, match="must be a mapping of name, version, base_prompt"):
        PromptEngine.from_directory(tmp_path)


@pytest.mark.parametrize(
    "place",
    [
        "thumbnail.yaml",
        "emote/v1.0.yaml",
        "thumbnail/1.0.yaml",
        "thumbnail/v1.0.yml",
        "thumbnail/v01.0.yaml",
        "a/thumbnail/v1.0.yaml",
    ],
)
def test_a_file_in_the_wrong_place_is_refused(tmp_path: Path, place: str) -> None:
    write(tmp_path, SEED_TEMPLATE, place)

    with pytest.raises(TemplateInvalid, match=r"its path must be <asset_type>/v<major>\.<minor>\.yaml"):
        PromptEngine.from_directory(tmp_path)


@pytest.mark.parametrize("place", [".", "missing"])
def test_a_directory_without_templates_is_refused(tmp_path: Path, place: str) -> None:
    with pytest.raises(TemplateInvalid, match="holds no template"):
        PromptEngine.from_directory(tmp_path / place)
