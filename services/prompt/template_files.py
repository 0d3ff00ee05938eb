"""Reads template files, and refuses a bad one when the service starts, not when a streamer asks for it.

A placeholder is `{name}`, or `{name|other words}` where the other words stand in when the value is empty. Those
whose value may be empty (`OPTIONAL`) need such words, or a line of their own, so that no sentence is left dangling.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from services.prompt.domain import AssetType, PromptTemplate
from services.prompt.template_yaml import File, TemplateInvalid, read_file, read_mapping

REQUIRED = frozenset(
    {
        "tone", "tone_direction", "primary_colors", "primary_palette", "headline_font", "headline_letters",
        "body_font", "body_letters", "key_color",
    }
)  # fmt: skip
OPTIONAL = frozenset({"accent_colors", "accent_palette", "style_reference", "custom_prompt"})
PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\|([^{}\n]*))?\}")

_FIELDS: dict[str, type] = {
    "name": str,
    "version": str,
    "base_prompt": str,
    "quality_modifiers": list,
    "placeholders": list,
}
_PLACE = re.compile(r"([a-z_]+)/v((?:0|[1-9]\d{0,3})\.(?:0|[1-9]\d{0,3}))\.yaml", re.ASCII)


def read_directory(directory: Path) -> list[PromptTemplate]:
    """Reads `<asset_type>/v<version>.yaml`, all of them.

    Raises:
        TemplateInvalid: a file is not a good template, or there is none at all.
    """
    try:
        paths = sorted(path for suffix in ("*.yaml", "*.yml") for path in directory.rglob(suffix))
    except OSError as error:
        raise TemplateInvalid(directory, f"cannot be read: {error.strerror}") from error
    if not paths:
        raise TemplateInvalid(directory, "holds no template")
    return [read_template(path, path.relative_to(directory).as_posix()) for path in paths]


def read_complete_directory(directory: Path) -> list[PromptTemplate]:
    """As `read_directory`; and every asset type has a template, or its jobs would fail one by one.

    Raises:
        TemplateInvalid: one has none.
    """
    templates = read_directory(directory)
    missing = sorted(set(AssetType) - {template.asset_type for template in templates})
    if missing:
        raise TemplateInvalid(directory, f"holds no template for {', '.join(missing)}")
    return templates


def read_template(path: Path, place: str) -> PromptTemplate:
    """Reads the file whose path below the templates directory is `place`.

    Raises:
        TemplateInvalid: anything at all is wrong with it.
    """
    asset_type, version = _identity(path, place)
    file = read_file(path)
    fields = read_mapping(file, _FIELDS)
    _check_kinds(file, fields)
    _check_text(file, fields)
    for field, expected in (("name", asset_type.value), ("version", version)):
        if fields[field] != expected:
            raise file.refuse(f"{field} must be {expected!r}, as the file's path says", at=f"{field}:")
    _check_placeholders(file, fields["base_prompt"], fields["placeholders"])
    return PromptTemplate(
        asset_type=asset_type,
        name=fields["name"],
        version=version,
        base_prompt=fields["base_prompt"],
        quality_modifiers=tuple(fields["quality_modifiers"]),
        placeholders=tuple(fields["placeholders"]),
        content_hash=hashlib.sha256(file.raw).hexdigest(),
    )


def _identity(path: Path, place: str) -> tuple[AssetType, str]:
    """Each version has one spelling, so no two files can be the same one."""
    match = _PLACE.fullmatch(place)
    if match is None or match[1] not in set(AssetType):
        raise TemplateInvalid(path, "its path must be <asset_type>/v<major>.<minor>.yaml")
    return AssetType(match[1]), match[2]


def _check_kinds(file: File, fields: dict[str, Any]) -> None:
    for field, kind in _FIELDS.items():
        if not isinstance(fields[field], kind):
            raise file.refuse(
                f"{field} must be {'a list' if kind is list else 'text, in quotation marks'}", at=f"{field}:"
            )


def _check_text(file: File, fields: dict[str, Any]) -> None:
    for field in ("quality_modifiers", "placeholders"):
        if not fields[field] or not all(isinstance(item, str) and item.strip() for item in fields[field]):
            raise file.refuse(f"{field} must hold at least one text, and texts only", at=f"{field}:")
    if not fields["base_prompt"].strip():
        raise file.refuse("base_prompt must not be blank", at="base_prompt:")
    for line in [*fields["base_prompt"].split("\n"), *fields["quality_modifiers"]]:
        # No message could carry some of these, and nobody sees the others; prompts are composed as users' words are.
        if not line.isprintable() or not unicodedata.is_normalized("NFC", line):
            raise file.refuse(f"a character that is not printable or not composed (NFC) in {line.strip()[:40]!a}")
        if re.search(r"[{}]", PLACEHOLDER.sub("", line)):
            raise file.refuse("a brace that belongs to no placeholder", at=line.strip())


def _check_placeholders(file: File, base_prompt: str, declared: Sequence[str]) -> None:
    used = {match[1] for match in PLACEHOLDER.finditer(base_prompt)}
    for name in declared:
        if name not in REQUIRED | OPTIONAL:
            raise file.refuse(f"unknown placeholder {name}", at=name)
        if declared.count(name) > 1:
            raise file.refuse(f"placeholder {name} is declared twice", at=name)
        if name not in used:
            raise file.refuse(f"placeholder {name} is declared and not used", at=name)
    for name in sorted(used - set(declared)):
        raise file.refuse(f"placeholder {name} is used and not declared", at="{" + name)
    for line in base_prompt.splitlines():
        for match in PLACEHOLDER.finditer(line):
            if match[1] in OPTIONAL and match[2] is None and line.strip() != match[0]:
                raise file.refuse(f"{match[1]} may be empty: write {{{match[1]}|words for then}}", at=match[0])
