"""What a brand kit's `style_reference` says: a style in words, or an upload to borrow it from, with words or without.

grainy, 90s anime
upload:550e8400-e29b-41d4-a716-446655440000
upload:550e8400-e29b-41d4-a716-446655440000 the light of it, not the line
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from chassis.errors import Invalid

FIELD = "style_reference"
PREFIX = "upload:"
NAMES_UPLOAD = re.compile(
    rf"{PREFIX}([0-9a-f]{{8}}(?:-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}})(?:\s+(.*))?",
    re.DOTALL | re.IGNORECASE,  # telephones begin with a capital
)


@dataclass(frozen=True, slots=True)
class StyleReference:
    """A style reference, taken apart."""

    words: str
    upload_id: str | None = None
    """In lower case."""

    def __str__(self) -> str:
        """As it is stored."""
        return self.words if self.upload_id is None else f"{PREFIX}{self.upload_id} {self.words}".rstrip()


class UploadUnusable(Invalid):
    """A kit names an upload that its owner does not have; whether anybody else has it is nobody's business."""

    def __init__(self) -> None:
        error = Invalid.field(FIELD, "you have no such upload")
        super().__init__(error.message, violations=error.violations)


def read_style(text: str) -> StyleReference:
    """Whatever names no upload is words: a kit may say anything that was said before there were uploads."""
    text = text.strip()
    found = NAMES_UPLOAD.fullmatch(text)
    return StyleReference((found[2] or "").rstrip(), found[1].lower()) if found else StyleReference(text)


def normalized_style(text: str) -> str:
    """As it is stored.

    Raises:
        Invalid: it begins as if it named an upload, and names none.
    """
    style = read_style(text)
    if style.upload_id is None and style.words.startswith(PREFIX):
        raise Invalid.field(FIELD, "must be words, or upload: with the id of an upload, a space and words")
    return str(style)
