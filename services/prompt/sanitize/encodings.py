"""Encodings that a model reads as if they were plain text: they are decoded to be looked at, never to be kept."""

from __future__ import annotations

import base64
import binascii
import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

ROUNDS = 3
"""How many layers are looked under."""

_ESCAPE = r"\\u\{?[0-9a-fA-F]{4,6}\}?|\\x[0-9a-fA-F]{2}|%u[0-9a-fA-F]{4}"
_RUN = "[A-Za-z0-9+/_-]{6,}={0,2}"
_ENCODED = re.compile(
    r"(?P<entity>&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6});?|&[a-zA-Z][a-zA-Z0-9]{1,31};)"
    rf"|(?P<escape>{_ESCAPE})"
    r"|(?P<percent>(?:%[0-9a-fA-F]{2})+)"
    r"|(?P<binary>(?:\b[01]{8}[ ,]?){6,})"
    r"|(?P<hexadecimal>\b(?:0x)?(?:[0-9a-fA-F]{2}[ :-]?){8,}\b)"
    rf"|(?P<base64>{_RUN})"
)
_SIGN = re.compile(r"[&%\\]|[0-9a-fA-F]{2}(?:[ :-]?[0-9a-fA-F]{2}){5}")
"""All encodings but the last need one of these."""
_BASE64 = re.compile(f"(?P<base64>{_RUN})")


@dataclass(frozen=True, slots=True)
class Reading:
    """A text with encodings decoded, and where in the original each of its characters came from."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        """The original's span that reads as this text's."""
        return self.starts[start], self.ends[end - 1]


def readings(text: str) -> Iterator[Reading]:
    """What is under one layer of encodings, under two, and so on, until there is none or it was enough."""
    reading = Reading(text, range(len(text)), range(1, len(text) + 1))
    for _ in range(ROUNDS):
        decoded = _decode(reading.text)
        if not decoded:
            return
        reading = _replaced(reading, decoded)
        yield reading


def _decode(text: str) -> list[tuple[int, int, str]]:
    """The start and end of everything encoded, and what it says."""
    decoded: list[tuple[int, int, str]] = []
    for match in (_ENCODED if _SIGN.search(text) else _BASE64).finditer(text):
        plain = _DECODERS[match.lastgroup or ""](match[0])
        if plain is not None and plain != match[0]:
            decoded.append((*match.span(), plain))
    return decoded


def _replaced(reading: Reading, decoded: list[tuple[int, int, str]]) -> Reading:
    pieces: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    position = 0
    for start, end, plain in decoded:
        pieces += reading.text[position:start], plain
        starts += [*reading.starts[position:start], *[reading.starts[start]] * len(plain)]
        ends += [*reading.ends[position:start], *[reading.ends[end - 1]] * len(plain)]
        position = end
    pieces.append(reading.text[position:])
    return Reading("".join(pieces), [*starts, *reading.starts[position:]], [*ends, *reading.ends[position:]])


def _text(data: bytes) -> str | None:
    """What the bytes say, if they say anything."""
    try:
        plain = data.decode()
    except UnicodeDecodeError:
        return None
    return plain if plain.replace("\n", " ").isprintable() else None


def _from_escape(encoded: str) -> str | None:
    code_point = int(encoded[2:].strip("{}"), 16)
    return chr(code_point) if code_point <= 0x10FFFF else None


def _from_percent(encoded: str) -> str:
    return bytes.fromhex(encoded.replace("%", "")).decode(errors="replace")


def _from_binary(encoded: str) -> str | None:
    return _text(bytes(int(digits, 2) for digits in re.findall("[01]{8}", encoded)))


def _from_hexadecimal(encoded: str) -> str | None:
    return _text(bytes.fromhex(re.sub("^0x|[ :-]", "", encoded)))


def _from_base64(encoded: str) -> str | None:
    if encoded[1:].islower():
        return None  # A word.
    characters = encoded.rstrip("=").replace("-", "+").replace("_", "/")
    # One character of four alone says nothing.
    characters = characters[: len(characters) - (len(characters) % 4 == 1)]
    try:
        return _text(base64.b64decode(characters + "=" * (-len(characters) % 4)))
    except binascii.Error:
        return None


_DECODERS: dict[str, Callable[[str], str | None]] = {
    "entity": html.unescape,
    "escape": _from_escape,
    "percent": _from_percent,
    "binary": _from_binary,
    "hexadecimal": _from_hexadecimal,
    "base64": _from_base64,
}
