"""The templates we ship, and the files the service refuses to start with."""

from __future__ import annotations

import hashlib
import itertools
import os
from pathlib import Path

import pytest
import yaml

from services.prompt.domain import AssetType, PromptTemplate
from services.prompt.engine import TEMPLATES, PromptEngine
from services.prompt.template_files import read_directory
from services.prompt.template_yaml import MAX_BYTES, TemplateInvalid

SHIPPED = read_directory(TEMPLATES)
WAYS_TO_SAY = (
    {"tone", "tone_direction"}, {"primary_colors", "primary_palette"}, {"accent_colors", "accent_palette"},
    {"headline_font", "headline_letters"}, {"body_font", "body_letters"}, {"style_reference"}, {"custom_prompt"},
)  # fmt: skip
"""The placeholders that say the same part of a brand."""

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


@pytest.mark.parametrize("template", SHIPPED, ids=lambda template: f"{template.asset_type}/v{template.version}")
def test_every_template_uses_the_whole_brand(template: PromptTemplate) -> None:
    path = TEMPLATES / template.asset_type / f"v{template.version}.yaml"

    assert [ways for ways in WAYS_TO_SAY if not ways & set(template.placeholders)] == []
    assert template.name == template.asset_type
    assert template.content_hash == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
@pytest.mark.parametrize("asset_type", AssetType)
def test_every_asset_type_has_every_version(asset_type: AssetType, version: str) -> None:
    assert PromptEngine(SHIPPED).load_template(asset_type, version).version == version.removeprefix("v")


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
@pytest.mark.parametrize(
    ("asset_type", "needs"),
    [
        (AssetType.THUMBNAIL, ["16:9", "focal subject", "lower right corner", "headline of three or four words"]),
        (AssetType.OVERLAY, ["16:9", "entire middle", "from band to band", "empty opening"]),
        (AssetType.BANNER, ["5:2", "central safe area", "middle three fifths", "middle half of the height"]),
        (AssetType.STORY_GRAPHIC, ["9:16", "top seventh", "bottom fifth", "right side"]),
        (AssetType.CLIP_COVER, ["square 1:1", "only one hundred pixels wide", "four corners"]),
    ],
)
def test_every_template_says_what_its_asset_is_for(asset_type: AssetType, needs: list[str], version: str) -> None:
    prose = PromptEngine(SHIPPED).load_template(asset_type, version).base_prompt

    assert [need for need in needs if need not in prose] == []


def test_only_an_overlay_asks_for_a_key_colour_and_then_speaks_of_no_transparency() -> None:
    keyed = [template for template in SHIPPED if "key_color" in template.placeholders]

    assert [(template.asset_type, template.version) for template in keyed] == [("overlay", "1.1")]
    assert "transparent" not in keyed[0].base_prompt + " ".join(keyed[0].quality_modifiers)


def test_no_template_puts_text_in_quotation_marks_for_a_model_to_paint() -> None:
    for template in SHIPPED:
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
    for version in ("1.9", "1.10", "2.0"):
        write(tmp_path, SEED_TEMPLATE.replace('"1.0"', f'"{version}"'), f"thumbnail/v{version}.yaml")
    write(tmp_path, SEED_TEMPLATE.replace("thumbnail\nversion", "banner\nversion"), "banner/v1.0.yaml")

    listed = PromptEngine.from_directory(tmp_path).templates()

    assert [(template.asset_type, template.version) for template in listed] == [
        ("banner", "1.0"),
        ("thumbnail", "1.0"),
        ("thumbnail", "1.9"),
        ("thumbnail", "1.10"),
        ("thumbnail", "2.0"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("name: thumbnail", "name: [", ":3: not YAML: "),
        ("name: thumbnail", "name: !!python/name:os.system x", ":1: not YAML: "),
        ("name: thumbnail", "name: a\x00b", ":1: not YAML: "),
        ("name: thumbnail", "name: 2026-99-99", ": not YAML: month must be in 1..12"),
        ("name: thumbnail", "name: &a thumbnail", ":1: anchors and aliases have no place in a template"),
        ("  - tone", "  - *a", ":14: anchors and aliases have no place in a template"),
        ("name: thumbnail", "name: " + "[" * 3000, ":1: nested too deeply"),
        ("name: thumbnail", "name: " + "{a: " * 3000, ":1: nested too deeply"),
        ("name: thumbnail", "? [a]\n: 1\nname: thumbnail", ":1: unknown key"),
        ("name: thumbnail", "---\na: 1\n---\nname: thumbnail", ":3: not YAML: but found another document"),
        ("name: thumbnail\n", "", ": lacks name"),
        ("name: thumbnail", "name: banner", ":1: name must be 'thumbnail', as the file's path says"),
        ("name: thumbnail", "name: thumbnail\nauthor: me", ":2: unknown key 'author'"),
        ("name: thumbnail", "name: thumbnail\nname: thumbnail", ":2: name is there twice"),
        ('"1.0"', "1.0", ":2: version must be text, in quotation marks"),
        ('"1.0"', '"1.1"', ":2: version must be '1.0', as the file's path says"),
        ("placeholders:", "placeholders: tone\nquality:", ":14: unknown key 'quality'"),
        ('  - "4K resolution"', "  - 4", ":8: quality_modifiers must hold at least one text, and texts only"),
        ('  - "4K resolution"', '  - "4K {resolution|}}"', ":12: a brace that belongs to no placeholder"),
        ('"4K resolution"', '"4K\\0"', ": a character that is not printable or not composed (NFC) in '4K\\x00'"),
        ('"4K resolution"', '"4K\\ud800"', ": a character that is not printable or not composed (NFC) in '4K\\ud800'"),
        ("with {tone} style", "e\u0301 with {tone} style", ": a character that is not printable or not composed"),
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


def test_a_file_that_is_no_utf_8_is_refused_with_its_line(tmp_path: Path) -> None:
    path = write(tmp_path, "")
    path.write_bytes(SEED_TEMPLATE.replace("Create a", "Cr\xe9er une").encode("latin-1"))

    with pytest.raises(TemplateInvalid, match=r"v1\.0\.yaml:4: is not UTF-8"):
        PromptEngine.from_directory(tmp_path)


def test_a_huge_file_is_refused_and_not_read_to_its_end(tmp_path: Path) -> None:
    path = write(tmp_path, SEED_TEMPLATE)
    with path.open("r+b") as file:
        file.truncate(2**40)  # takes no room on the disk, and would take all of memory

    with pytest.raises(TemplateInvalid, match=f"is larger than {MAX_BYTES} bytes"):
        PromptEngine.from_directory(tmp_path)


def test_an_alias_bomb_is_refused(tmp_path: Path) -> None:
    bomb = "a: &a [x, x]\n" + "".join(
        f"{after}: &{after} [*{name}, *{name}]\n" for name, after in itertools.pairwise("abcdefghijklmnopqrstuvwxyz")
    )
    write(tmp_path, bomb)

    with pytest.raises(TemplateInvalid, match=":1: anchors and aliases"):
        PromptEngine.from_directory(tmp_path)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thumbnail" / "v1.0.yaml").mkdir(parents=True)

    with pytest.raises(TemplateInvalid, match=r"v1\.0\.yaml: cannot be read: Is a directory"):
        PromptEngine.from_directory(tmp_path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    (tmp_path / "thumbnail").mkdir()
    os.mkfifo(tmp_path / "thumbnail" / "v1.0.yaml")

    with pytest.raises(TemplateInvalid, match="must be a mapping"):
        PromptEngine.from_directory(tmp_path)


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
        "thumbnail/v1.00.yaml",
        "thumbnail/v1.yaml",
        "thumbnail/v1.0.0.yaml",
        "thumbnail/v\u0661.0.yaml",
        "thumbnail/latest.yaml",
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
