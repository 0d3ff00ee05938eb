"""The bundled fonts: which one speaks for a kit, and which characters it can draw."""

from __future__ import annotations

import io
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from PIL import ImageFont

_MISSING = "\uffff"
"""Never assigned a character, so every font draws its substitute for it."""


@dataclass(frozen=True, slots=True)
class Face:
    """One font file, and how much to thicken it, as a share of its size."""

    package: str
    file: str
    heft: float = 0.0


SLANTED = Face("font_hanken_grotesk", "HankenGrotesk-BoldItalic.otf", heft=0.012)
GROTESK = Face("font_hanken_grotesk", "HankenGrotesk-Bold.otf", heft=0.008)
ROUND = Face("font_fredoka_one", "FredokaOne-Regular.ttf")
GEOMETRIC = Face("font_manrope", "Manrope-ExtraBold.ttf")
TEXT = Face("font_manrope", "Manrope-SemiBold.ttf")

_BY_NAME: tuple[tuple[Face, tuple[str, ...]], ...] = (
    (ROUND, ("fredoka", "baloo", "nunito", "quicksand", "comic", "rounded", "varela", "chewy", "lilita", "bubble")),
    (SLANTED, ("italic", "oblique", "teko", "rajdhani", "orbitron", "saira", "exo", "russo", "audiowide")),
    (GROTESK, ("hanken", "grotesk", "helvetica", "arial", "oswald", "bebas", "anton", "impact", "archivo", "barlow")),
    (GEOMETRIC, ("manrope", "inter", "poppins", "raleway", "roboto", "open sans", "dm sans", "outfit", "sora")),
)


def choose_face(headline_font: str, usual: Face, words: str) -> Face:
    """The face nearest to the one the kit names, else the tone's usual one; another when it cannot write the words."""
    named = next((face for face, names in _BY_NAME if _mentions(headline_font, names)), usual)
    candidates = dict.fromkeys((named, usual, GEOMETRIC))
    letters = [char for char in words if char.isalnum()]
    return max(candidates, key=lambda face: sum(covers(face, char) for char in letters))


def drawable(face: Face, words: str) -> str:
    """The words without what the face cannot draw; empty when no letter or digit is left."""
    kept = " ".join("".join(_kept(face, char) for char in unicodedata.normalize("NFC", words)).split())
    kept = kept.strip(" |:-–—,;/·•")
    return kept if any(char.isalnum() for char in kept) else ""


@lru_cache(maxsize=4096)
def covers(face: Face, char: str) -> bool:
    """Whether the face has its own picture of a character, and not a box that stands for it."""
    mask = font(face, 32).getmask(char)
    missing = font(face, 32).getmask(_MISSING)
    return mask.getbbox() is not None and (mask.size != missing.size or bytes(mask) != bytes(missing))


@lru_cache(maxsize=96)
def font(face: Face, size: int) -> ImageFont.FreeTypeFont:
    """The face at a size in pixels."""
    return ImageFont.truetype(io.BytesIO(_file(face)), size)


@lru_cache
def _file(face: Face) -> bytes:
    return (files(face.package) / "files" / face.file).read_bytes()


def _kept(face: Face, char: str) -> str:
    """The character, or the plainer ones it stands for, as far as the face can draw them."""
    if char.isspace():
        return " "
    if unicodedata.category(char)[0] in "CM":
        return ""
    if covers(face, char):
        return char
    plainer = unicodedata.normalize("NFKD", char)
    return "".join(part for part in plainer if not unicodedata.combining(part) and covers(face, part))


def _mentions(name: str, parts: tuple[str, ...]) -> bool:
    return any(part in name.casefold() for part in parts)
