"""What a picture's style may be borrowed from."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StyleImage:
    """A picture of the streamer's own, to borrow the style from; storage has made sure that it is one."""

    data: bytes
    content_type: str
