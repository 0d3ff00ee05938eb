"""What a picture's prompt was written from: remembered beside it, so that it can be made again."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PromptSource:
    """The template that a prompt was written from."""

    template_version: str
    """For example `v1.0`."""
    template_hash: str
    """SHA-256 of its file, hex."""
