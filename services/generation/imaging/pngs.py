"""Takes a PNG apart, so that what is not the picture itself never reaches a decoder, or anybody else."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import reduce
from itertools import chain

from zlib_ng import zlib_ng

from services.generation.imaging.refusals import refused
from services.generation.imaging.sniffing import require_bearable

RGB, RGBA = 2, 6
"""Colour types."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CRITICAL = (b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND")
# All that is kept, in the order the format asks for. The rest is text, dates, thumbnails, further frames, or a bomb.
_ORDER = (b"IHDR", b"sRGB", b"iCCP", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND")
_MAX_CHUNKS = 50_000
_CHANNELS = {0: 1, RGB: 3, 3: 1, 4: 2, RGBA: 4}
_DEPTHS = (1, 2, 4, 8, 16)
_FILTERS = 5
_MOST_INFLATED = 2**24
"""Bytes; every asset's own size is less."""
_PIECE = 2**20
# Where each pass of an interlaced picture starts and how far it steps: x, y, across, down.
_ADAM7 = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
_AT_ONCE = ((0, 0, 1, 1),)


@dataclass(frozen=True, slots=True)
class Png:
    """A PNG whose rows are all there."""

    width: int
    height: int
    depth: int
    color_type: int
    interlaced: bool
    plain: bytes
    """The same picture without what does not belong to it; the very bytes that were read when nothing was removed."""
    kinds: frozenset[bytes]
    """The chunks that `plain` is made of."""
    inflated: bytes
    """The same picture for a decoder, which need not inflate it again; `plain` itself where that is much memory."""

    def is_ready(self, size: tuple[int, int], color_type: int) -> bool:
        """Whether nothing needs to be done to its pixels."""
        settled = not self.interlaced and self.kinds <= {b"IHDR", b"sRGB", b"IDAT", b"IEND"}
        return settled and ((self.width, self.height), self.color_type, self.depth) == (size, color_type, 8)


def read_png(data: bytes) -> Png:
    """Checks a PNG from end to end, which decoders do not: Pillow takes rows that are missing for black ones.

    Raises:
        RenderFailed: it is damaged, truncated or too large.
    """
    chunks = list(_chunks(data))
    header = chunks[0][1] if chunks else b""
    if len(header) != 13 or [kind for kind, _, _ in chunks].count(b"IHDR") != 1:
        raise refused()
    chunks.sort(key=lambda chunk: _ORDER.index(chunk[0]))
    plain = b"".join(chain([_SIGNATURE], (whole for _, _, whole in chunks)))
    plain = data if plain == data else plain
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    kinds = frozenset(kind for kind, _, _ in chunks)
    png = Png(width, height, header[8], header[9], bool(header[12]), plain, kinds, plain)
    require_bearable(width, height)
    return _with_rows(png, chunks)


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview, memoryview]]:
    """What is to be kept: its kind, its body, and all of it."""
    view, start, kind = memoryview(data), len(_SIGNATURE), b""
    for _ in range(_MAX_CHUNKS):
        end = start + 12 + int.from_bytes(view[start : start + 4], "big")
        kind = bytes(view[start + 4 : start + 8])
        if end > len(data) or len(kind) < 4:
            raise refused()
        intact = zlib_ng.crc32(view[start + 4 : end - 4]) == int.from_bytes(view[end - 4 : end], "big")
        if kind in _CRITICAL and not intact:
            raise refused()
        body = view[start + 8 : end - 4]
        if intact and kind in _ORDER and (kind != b"iCCP" or _is_profile(bytes(body))):
            yield kind, body, view[start:end]
        if kind == b"IEND":
            return
        start = end
    raise refused()


def _is_profile(body: bytes) -> bool:
    """Whether it can be inflated, to something of a bearable size; a profile that cannot is nothing to fail for."""
    deflated = body.partition(b"\0")[2]
    inflater = zlib_ng.decompressobj()
    try:
        inflater.decompress(deflated[1:], _PIECE)
    except zlib_ng.error:  # type: ignore[misc]  # as below
        return False
    return deflated[:1] == b"\0" and inflater.eof


def _with_rows(png: Png, chunks: list[tuple[bytes, memoryview, memoryview]]) -> Png:
    if png.depth not in _DEPTHS or png.color_type not in _CHANNELS:
        raise refused()
    rows = _rows(png, [body for kind, body, _ in chunks if kind == b"IDAT"])
    if _size(png) > _MOST_INFLATED:
        deque(rows, maxlen=0)
        return png
    store = zlib_ng.compressobj(0)
    stored = [*map(store.compress, rows), store.flush()]
    before = (whole for kind, _, whole in chunks if kind not in (b"IDAT", b"IEND"))
    return replace(png, inflated=b"".join([_SIGNATURE, *before, *_chunk(b"IDAT", stored), *_chunk(b"IEND", [])]))


def _chunk(kind: bytes, parts: list[bytes]) -> Iterator[bytes]:
    """In parts, since each copy of a whole picture takes as long as much else here."""
    yield sum(map(len, parts)).to_bytes(4, "big")
    yield kind
    yield from parts
    yield reduce(lambda crc, part: zlib_ng.crc32(part, crc), parts, zlib_ng.crc32(kind)).to_bytes(4, "big")


def _rows(png: Png, parts: list[memoryview]) -> Iterator[bytes]:
    """All rows, in pieces. Raises RenderFailed when they are not all there, or too many."""
    missing, row = _size(png), _row(png, png.width)
    start = 0
    for piece in _inflated(parts):
        # Rows of an interlaced picture have many lengths, and their filters are left to the decoder.
        if not png.interlaced and max(piece[-start % row :: row], default=0) >= _FILTERS:
            raise refused()
        start += len(piece)
        if start > missing:
            raise refused()
        yield piece
    if start != missing:
        raise refused()


def _inflated(parts: list[memoryview]) -> Iterator[bytes]:
    """In small pieces, since a few kilobytes may hold gigabytes."""
    inflater = zlib_ng.decompressobj()
    try:
        for part in parts:
            rest: bytes | memoryview = part
            while rest:
                yield inflater.decompress(rest, _PIECE)
                rest = inflater.unconsumed_tail
        yield inflater.flush()
    except zlib_ng.error as error:  # type: ignore[misc]  # its stub has an instance there
        raise refused() from error
    if not inflater.eof:
        raise refused()


def _size(png: Png) -> int:
    passes = _ADAM7 if png.interlaced else _AT_ONCE
    sizes = ((-(-(png.width - x) // across), -(-(png.height - y) // down)) for x, y, across, down in passes)
    return sum(_row(png, width) * height for width, height in sizes if width > 0 and height > 0)


def _row(png: Png, width: int) -> int:
    return 1 + (width * png.depth * _CHANNELS[png.color_type] + 7) // 8
