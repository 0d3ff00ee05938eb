"""Looks at JPEGs before a decoder does."""

from __future__ import annotations

from services.storage.domain import NotAPicture

SCAN, MAX_SCANS = b"\xff\xda", 500
"""What begins a scan, and how many a JPEG may have: encoders make a dozen. Each goes over the whole picture, which
takes a decoder milliseconds and a file forty bytes; ten megabytes by chance hold 160 that are none."""


def require_few_scans(data: bytes) -> None:
    """Raises NotAPicture for what would keep a decoder busy for hours."""
    if data.count(SCAN) > MAX_SCANS:
        raise NotAPicture(f"must have at most {MAX_SCANS} scans")
