"""Reads a file that should be a small YAML mapping, and trusts nothing about it.

YAML can do more than a template needs: aliases that unfold to gigabytes, nesting deeper than the stack, two documents,
equal keys of which the last wins without a word. What has any of it is refused, with the line.
"""

from __future__ import annotations

import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 32 * 1024
"""A template is some three kilobytes; what is larger is something else, and is not read to its end."""
_DEPTH = 16
"""Far more than lists in a mapping need, far less than the stack has."""


class TemplateInvalid(Exception):
    """A template that must not be served: which file, where and why, for whoever starts the service."""

    def __init__(self, file: Path | str, reason: str, line: int | None = None) -> None:
        super().__init__(f"{file}: {reason}" if line is None else f"{file}:{line}: {reason}")


@dataclass(frozen=True, slots=True)
class File:
    """A file that was read whole."""

    path: Path
    raw: bytes
    text: str

    def refuse(self, reason: str, at: str | None = None) -> TemplateInvalid:
        """The error, with the number of the last line that holds `at`: prose comes after what announces it."""
        lines = self.text.splitlines()
        found = [number for number, line in enumerate(lines, start=1) if at and at in line]
        return TemplateInvalid(self.path, reason, found[-1] if found else None)


def read_file(path: Path) -> File:
    """Raises TemplateInvalid when it cannot be read, is too large or no text."""
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            raw = file.read(MAX_BYTES + 1) or b""
    except OSError as error:
        raise TemplateInvalid(path, f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise TemplateInvalid(path, f"is larger than {MAX_BYTES} bytes")
    try:
        return File(path, raw, raw.decode())
    except UnicodeDecodeError as error:
        raise TemplateInvalid(path, "is not UTF-8", raw.count(b"\n", 0, error.start) + 1) from error


def _open_at_once(path: str, flags: int) -> int:
    """Also what is no file: a pipe would be waited for until somebody writes into it."""
    return os.open(path, flags | os.O_NONBLOCK)


def read_mapping(file: File, keys: Collection[str]) -> dict[str, Any]:
    """The file's content, which has all of these keys and no other; of the values nothing is known.

    Raises:
        TemplateInvalid: it has not.
    """
    try:
        _check_events(file)
        node = yaml.compose(file.text, Loader=yaml.SafeLoader)
        if not isinstance(node, yaml.MappingNode):
            raise file.refuse(f"must be a mapping of {', '.join(keys)}")
        _check_keys(file, node, keys)
        fields: dict[str, Any] = yaml.safe_load(file.text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        line = mark.line + 1 if mark else None
        raise TemplateInvalid(file.path, f"not YAML: {error.problem}", line) from error
    except yaml.reader.ReaderError as error:
        before = file.text.count("\n", 0, error.position)
        raise TemplateInvalid(file.path, f"not YAML: {error.reason}", before + 1) from error
    except (yaml.YAMLError, ValueError) as error:  # such as a date that no calendar has
        raise TemplateInvalid(file.path, f"not YAML: {error}") from error
    return fields


def _check_events(file: File) -> None:
    """Before anything is built of them, and without recursion."""
    depth = 0
    for event in yaml.parse(file.text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else None
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise TemplateInvalid(file.path, "anchors and aliases have no place in a template", line)
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEPTH:
            raise TemplateInvalid(file.path, "nested too deeply", line)


def _check_keys(file: File, node: yaml.MappingNode, keys: Collection[str]) -> None:
    """YAML itself lets the last of two equal keys win, without a word."""
    seen: set[str] = set()
    for key, _ in node.value:
        name, line = str(key.value), key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or name not in keys:
            raise TemplateInvalid(file.path, f"unknown key {name!r}", line)
        if name in seen:
            raise TemplateInvalid(file.path, f"{name} is there twice", line)
        seen.add(name)
    if missing := [name for name in keys if name not in seen]:
        raise file.refuse(f"lacks {', '.join(missing)}")
