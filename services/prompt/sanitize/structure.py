"""Tokens that carry structure for a language model: nobody needs them to say what a picture shows."""

from __future__ import annotations

import re
from collections.abc import Iterator

FENCES = ("subject", "style")
"""Tags a prompt puts around users' words; no user may write them."""

_SPACES = r"[^\S\n]{0,8}"
_ROLE = "(?:system|assistant|developer)"
_PART = "(?:prompt|message|instructions?)"
_TAGS = rf"{_ROLE}|inst|sys|instructions?|tool_calls?|function_calls?|(?:start|end)_of_turn|bos|eos|system_{_PART}"
_DASHES = f"(?:{_SPACES}[-#=*]{{1,8}})?"
_TOKEN = "|".join(
    (
        # ChatML and its kin, and the role that follows the opening token.
        rf"< ?\| ?[a-z][^<>|]{{0,64}}\| ?>(?:{_SPACES}{_ROLE}\b)?",
        rf"\[ {{0,3}}/? {{0,3}}(?:inst|{_ROLE}(?: {_PART})?) {{0,3}}\](?:{_SPACES}[:(]{_SPACES}#?)?",
        r"<< {0,3}/? {0,3}sys {0,3}>>",
        rf"<{_SPACES}/?{_SPACES}(?:{_TAGS})\b[^<>\n]{{0,32}}>",
        r"</s> ?<s>|<s> ?(?=\[)|</user>|<!--",
    )
)
_FIELD = rf"""["']?role["']?{_SPACES}:{_SPACES}["'](?:{_ROLE}|user)["']"""
_BANNER = (
    rf"[-#=*]{{2,16}}{_SPACES}(?:begin|start|end)(?: of)?(?: the)? (?:system {_PART}|prompt|instructions)\b{_DASHES}"
)
_MARKER = rf"\b(?:begin|end)(?: of)?(?: the)? system {_PART}\b"
_MACHINE = r"(?:pc|ps ?\d|playstation|xbox|switch|wii|n64|s?nes|sega|steam|windows|linux|mac|[rg]tx|ryzen|intel|amd)\b"
"""What a streamer means by a line `System: PS5`."""
_NAMED = rf"(?:(?:system|assistant)(?:{_SPACES}{_PART})?|developer {_PART})"
_SPEAKER = rf"{_NAMED}{_SPACES}:(?=\s|\w|$)(?!{_SPACES}{_MACHINE}){_SPACES}"
_HEADING = rf"#{{2,6}}{_SPACES}(?:{_ROLE}|instructions?|response)\b(?:{_SPACES}{_PART})?{_SPACES}(?::|$){_SPACES}"
_LABEL = rf"(?:^|(?<=[.!?]))[^\S\n]*(?:#{_SPACES}{_SPEAKER}|{_SPEAKER}|{_HEADING})+"
_RULES = (
    ("code_fence", ("`", "~"), re.compile(r"`{3,}|^ {0,3}~{3,}$", re.MULTILINE)),
    ("special_token", ("<", "["), re.compile(_TOKEN)),
    ("special_token", ("role",), re.compile(_FIELD)),
    ("special_token", ("--", "##", "==", "**"), re.compile(_BANNER)),
    ("special_token", ("system",), re.compile(_MARKER)),
    ("fence_mark", ("<",), re.compile(rf"<{_SPACES}/?{_SPACES}(?:{'|'.join(FENCES)})\b{_SPACES}/?>?")),
    ("role_label", (":", "#"), re.compile(_LABEL, re.MULTILINE)),
)
"""Each rule, one of what its pattern needs, since a look for that costs less than a search, and the pattern."""


def find_structure(text: str) -> Iterator[tuple[str, int, int]]:
    """The rule, start and end of everything of the kind in a folded text."""
    for rule, signs, pattern in _RULES:
        if any(sign in text for sign in signs):
            yield from ((rule, match.start(), match.end()) for match in pattern.finditer(text))
