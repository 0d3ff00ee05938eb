"""Tells by the bytes alone what a picture is, and refuses what is too large before anything is decoded."""

from __future__ import annotations

from enum import StrEnum

from services.generation.imaging.refusals import refused

MAX_BYTES = 25 * 2**20
LEAST_SIDE = 16
"""Pixels: no image API draws less than 256, and what is smaller than this is a tracking pixel or a mistake."""
MAX_PIXELS = 50_000_000
SCAN, MAX_SCANS = b"\xff\xda", 500
"""What begins a JPEG's scan, and how many one may have: encoders make a dozen. Each goes over the whole picture, which
takes a decoder milliseconds and a file forty bytes, and a decoder cannot be stopped."""

_VP8_START = b"\x9d\x01\x2a"
_VP8L_START = 0x2F


class Kind(StrEnum):
    """What can be read, by Pillow's names."""

    PNG = "PNG"
    JPEG = "JPEG"
    WEBP = "WEBP"


def sniff(data: bytes) -> Kind:
    """What it claims to be in its first bytes; what a server said about it is not asked.

    Raises:
        RenderFailed: it is nothing that can be read, or too much to decode.
    """
    if len(data) > MAX_BYTES:
        raise refused()
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return Kind.PNG
    if data.startswith(b"\xff\xd8\xff"):
        if data.count(SCAN) > MAX_SCANS:
            raise refused()
        return Kind.JPEG
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        # Pillow makes room for all of a WebP while it opens it; of the other kinds it reads the header only.
        require_bearable(*_webp_size(data))
        return Kind.WEBP
    raise refused()


def require_bearable(width: int, height: int) -> None:
    """Raises RenderFailed for more pixels than are ever decoded, and for too few to be a picture of anything."""
    if min(width, height) < LEAST_SIDE or width * height > MAX_PIXELS:
        raise refused()


def _webp_size(data: bytes) -> tuple[int, int]:
    chunk = data[12:16]
    if chunk == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if chunk == b"VP8 " and data[23:26] == _VP8_START:
        return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF
    if chunk == b"VP8L" and data[20:21] == bytes([_VP8L_START]):
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    raise refused()


def _little(octets: bytes) -> int:
    return int.from_bytes(octets, "little")
