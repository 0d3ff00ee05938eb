"""Tells whether a PNG is whole, without making pixels of it: in half the time a decoder needs."""

from __future__ import annotations

from collections.abc import Iterator

from zlib_ng import zlib_ng

SIGNATURE = b"\x89PNG\r\n\x1a\n"
INTERLACED_AT = 28
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""By colour type."""
FILTERS = 5


class PngDamaged(Exception):
    """It is not whole, or not a PNG; the message says why."""


def is_interlaced(data: bytes) -> bool:
    """Whether only a decoder can tell that it is whole: its rows have many lengths."""
    return len(data) > INTERLACED_AT and data[INTERLACED_AT] != 0


def require_intact(data: bytes) -> None:
    """Checks every chunk's checksum, which takes next to no time.

    Raises:
        PngDamaged: one is wrong, or missing.
    """
    for _ in _chunks(data):
        pass


def require_whole(data: bytes) -> None:
    """Checks every chunk's checksum, and that the compressed rows are all there, of the right length.

    Raises:
        PngDamaged: it is not so.
    """
    chunks = list(_chunks(data))
    kind, header = chunks[0]
    if kind != b"IHDR" or len(header) != 13 or header[9] not in CHANNELS:
        raise PngDamaged("it has no header")
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    row = 1 + (width * header[8] * CHANNELS[header[9]] + 7) // 8
    rows = _inflate([body for kind, body in chunks if kind == b"IDAT"], row * height)
    if max(rows[::row], default=FILTERS) >= FILTERS:
        raise PngDamaged("a row is filtered in no known way")


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    view, start = memoryview(data), len(SIGNATURE)
    if data[:start] != SIGNATURE:
        raise PngDamaged("it is no PNG")
    kind = b""
    while kind != b"IEND":
        end = start + 8 + int.from_bytes(view[start : start + 4], "big")
        kind = bytes(view[start + 4 : start + 8])
        if zlib_ng.crc32(view[start + 4 : end]) != int.from_bytes(view[end : end + 4], "big") or end + 4 > len(data):
            raise PngDamaged("a part of it is damaged or missing")
        yield kind, view[start + 8 : end]
        start = end + 4
    if start != len(data):
        raise PngDamaged("something follows its end")


def _inflate(parts: list[memoryview], size: int) -> bytes:
    """What the parts hold, which must be exactly `size` bytes; never makes more than one more of them."""
    inflater = zlib_ng.decompressobj()
    try:
        rows = inflater.decompress(b"".join(parts), size + 1)
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub has an instance there
        raise PngDamaged("its rows are damaged") from error
    if len(rows) != size or not inflater.eof:
        raise PngDamaged("it has too few rows, or too many")
    return rows
