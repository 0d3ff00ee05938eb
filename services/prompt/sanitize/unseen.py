"""Characters that nobody sees and a model reads all the same, apart from those that a script or an emoji needs."""

from __future__ import annotations

import re
from collections import Counter


def _tags(ascii_text: str) -> str:
    return "".join(chr(0xE0000 + ord(character)) for character in ascii_text)


_PICTOGRAPH = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u231a-\u23ff\u24c2\u25a0-\u25ff\u2600-\u27bf\u2934\u2935"
    "\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff]"
)
_EMOJI = f"{_PICTOGRAPH}(?:[\ufe0e\ufe0f]|[\U0001f3fb-\U0001f3ff]\ufe0f?)?"
_VIRAMA = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca"
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17b3\u17b6-\u17ff"
_KEPT = "|".join(
    (
        # England, Scotland and Wales: the only flags spelt in tag characters that exist.
        "\U0001f3f4(?:" + "|".join(_tags(region) for region in ("gbeng", "gbsct", "gbwls")) + ")\U000e007f",
        # The longest joined emoji in use has four parts; a longer chain carries something else.
        f"{_EMOJI}(?:\u200d{_EMOJI}){{0,5}}",
        "[0-9#*]\ufe0f\u20e3",
        # Persian and the Indic scripts spell with joiners: one, between two letters, or one that ends a word in a
        # half letter, as Malayalam does.
        "(?<=[\u0620-\u0dff])[\u200c\u200d](?=[\u0620-\u0dff])",
        f"(?<=[{_VIRAMA}])\u200d(?![\u200b-\u200d])",
        # Thai, Lao, Khmer and Burmese put no spaces between words; some keyboards put this instead.
        f"(?<=[{_UNSPACED}])\u200b(?=[{_UNSPACED}])",
        # Mongolian letters choose their form by it.
        "(?<=[\u1820-\u18aa])[\u180b-\u180f](?![\u180b-\u180f])",
    )
)
_UNSEEN = re.compile(
    f"(?P<kept>{_KEPT})"
    "|(?P<line_break>[\t-\r\x1c-\x1f\x85\u2028\u2029]+)"
    # These look like a space, so they become one.
    "|(?P<blank>[\u2800\u3164\uffa0]+)"
    "|(?P<control>[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f])"
    "|(?P<bidi>[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069])"
    "|(?P<zero_width>[\u00ad\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff])"
    "|(?P<variation_selector>[\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef])"
    "|(?P<tag>[\U000e0000-\U000e007f])"
    "|(?P<filler>[\u034f\u115f\u1160\u17b4\u17b5\u180e\U0001bca0-\U0001bca3\U0001d173-\U0001d17a])"
    # At the start of a text it would strike out the fence mark before it.
    "|(?P<not_text>^\u0338+|[\ud800-\uf8ff\ufdd0-\ufdef\ufff0-\uffff\U000e0080-\U000e00ff\U000e01f0-\U0010ffff])"
)
_SUSPECT = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u0338\u2800\u3164\ud800-\uf8ff\ufdd0-\ufdef\ufe00-\ufe0f\ufeff\uffa0\ufff0-\uffff\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U0010ffff]"
)
"""One of these is where a search begins; a text without any needs none."""
_REPLACEMENTS = {
    # A role label is one only at the start of a line, so lines live until labels were looked for.
    "line_break": "\n",
    "blank": " ",
}


def drop_unseen(text: str, counts: Counter[str]) -> str:
    """The text without them; its lines end in nothing but a line feed."""

    def replacement(match: re.Match[str]) -> str:
        rule = match.lastgroup or ""
        if rule == "kept":
            return match[0]
        counts[rule] += 1
        return _REPLACEMENTS.get(rule, "")

    return _UNSEEN.sub(replacement, text) if _SUSPECT.search(text) else text
