"""Reads template files, and refuses a bad one when the service starts, not when a streamer asks for it.

A placeholder is `{name}`, or `{name|other words}` where the other words stand in when the value is empty. Those
whose value may be empty (`OPTIONAL`) need such words, or a line of their own, so that no sentence is left dangling.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from services.prompt.domain import AssetType, PromptTemplate

REQUIRED = frozenset({"tone", "primary_colors", "headline_font", "body_font"})
OPTIONAL = frozenset({"accent_colors", "style_reference", "custom_prompt"})
PLACEHOLDER = re.compile(r"\{([a-z_]+)(?:\|([^{}\n]*))?\}")

_FIELDS: dict[str, type] = {
    "name": str,
    "version": str,
    "base_prompt": str,
    "quality_modifiers": list,
    "placeholders": list,
}
_PLACE = re.compile(r"([a-z_]+)/v((?:0|[1-9]\d*)\.(?:0|[1-9]\d*))\.yaml")


class TemplateInvalid(Exception):
    """A template that must not be served: which file, where and why, for whoever starts the service."""

    def __init__(self, file: Path | str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{file}: {reason}" if line is None else f"{file}:{line}: {reason}")


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    raw: bytes

    def refuse(self, reason: str, at: str | None = None) -> TemplateInvalid:
        """The error, with the number of the last line that holds `at`: prose comes after what announces it."""
        lines = self.raw.decode(errors="replace").splitlines()
        found = [number for number, line in enumerate(lines, start=1) if at and at in line]
        return TemplateInvalid(self.path, reason, found[-1] if found else None)


def read_template(path: Path, place: str) -> PromptTemplate:
    """Reads the file whose path below the templates directory is `place`.

    Raises:
        TemplateInvalid: anything at all is wrong with it.
    """
    file = _File(path, path.read_bytes())
    asset_type, version = _identity(file, place)
    fields = _fields(file)
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


def _identity(file: _File, place: str) -> tuple[AssetType, str]:
    match = _PLACE.fullmatch(place)
    if match is None or match[1] not in set(AssetType):
        raise file.refuse("its path must be <asset_type>/v<major>.<minor>.yaml")
    return AssetType(match[1]), match[2]


def _fields(file: _File) -> dict[str, Any]:
    """The file's content, its keys and their types as they must be."""
    try:
        node = yaml.compose(file.raw, Loader=yaml.SafeLoader)
        fields = yaml.safe_load(file.raw)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        raise TemplateInvalid(file.path, f"not YAML: {error.problem}", mark.line + 1 if mark else None) from error
    except yaml.YAMLError as error:
        raise TemplateInvalid(file.path, f"not YAML: {error}") from error
    if not isinstance(node, yaml.MappingNode) or not isinstance(fields, dict):
        raise file.refuse(f"must be a mapping of {', '.join(_FIELDS)}")
    _check_keys(file, node)
    for field, kind in _FIELDS.items():
        if not isinstance(fields[field], kind):
            raise file.refuse(
                f"{field} must be {'a list' if kind is list else 'text, in quotation marks'}", at=f"{field}:"
            )
    return fields


def _check_keys(file: _File, node: yaml.MappingNode) -> None:
    """YAML itself lets the last of two equal keys win, without a word."""
    seen: set[str] = set()
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if name not in _FIELDS:
            raise TemplateInvalid(file.path, f"unknown key {name!r}", line)
        if name in seen:
            raise TemplateInvalid(file.path, f"{name} is there twice", line)
        seen.add(name)
    if missing := [field for field in _FIELDS if field not in seen]:
        raise file.refuse(f"lacks {', '.join(missing)}")


def _check_text(file: _File, fields: dict[str, Any]) -> None:
    for field in ("quality_modifiers", "placeholders"):
        if not fields[field] or not all(isinstance(item, str) and item.strip() for item in fields[field]):
            raise file.refuse(f"{field} must hold at least one text, and texts only", at=f"{field}:")
    if not fields["base_prompt"].strip():
        raise file.refuse("base_prompt must not be blank", at="base_prompt:")
    for line in [*fields["base_prompt"].splitlines(), *fields["quality_modifiers"]]:
        if re.search(r"[{}]", PLACEHOLDER.sub("", line)):
            raise file.refuse("a brace that belongs to no placeholder", at=line.strip())


def _check_placeholders(file: _File, base_prompt: str, declared: Sequence[str]) -> None:
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
