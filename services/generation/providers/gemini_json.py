"""Reads JSON that may be of any shape: what is not of the type asked for counts as absent."""

from __future__ import annotations

import json
from typing import Any


def parse(body: bytes) -> Any:
    """Raises ValueError when it is not JSON, or nested deeper than can be read."""
    try:
        return json.loads(body)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def text(value: Any) -> str:
    return value if isinstance(value, str) else ""
