"""What the parts say: all of it in a file each, and on the terminal what a person must know."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import BinaryIO

_ALARM = re.compile(r"\b(ERROR|CRITICAL|FATAL)\b|\[(ERR|FTL|error|critical)\]")
# What a NATS server says of another that starts, or is started again, of which the supervisor says enough.
_KNOWN = "Error trying to connect to route"
_LEVELS = ("ERROR", "CRITICAL")
_TAIL = 4096


class PartLog:
    """One part's output, from this start of the system; what it said at the start before is kept beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = 0
        self._rest = b""
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.exists():
            path.replace(path.with_name(f"{path.name}.1"))
        path.touch(0o600)

    def open(self) -> BinaryIO:
        """For a process to write to; each of its lines goes to the end."""
        return self.path.open("ab")

    def new_lines(self) -> list[str]:
        """The complete lines written since the last call."""
        with self.path.open("rb") as file:
            file.seek(self._read)
            fresh = file.read()
        self._read += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        return [line.decode(errors="replace") for line in lines]

    def last_line(self) -> str:
        """The last thing it said; empty when it said nothing."""
        with self.path.open("rb") as file:
            file.seek(max(0, self.path.stat().st_size - _TAIL))
            lines = [line for line in file.read().decode(errors="replace").splitlines() if line.strip()]
        return (alarm(lines[-1]) or lines[-1].strip()) if lines else ""


def alarm(line: str) -> str | None:
    """What to tell a person about a line; None when it is not about an error."""
    if not _ALARM.search(line) or _KNOWN in line:
        return None
    try:
        record = json.loads(line)
    except ValueError:
        return line.strip()
    if not isinstance(record, dict) or record.get("level") not in _LEVELS:
        return None
    trace = str(record.get("exc_info") or "").strip().splitlines()
    return ": ".join([str(record.get("message", "")), *trace[-1:]])
