"""Why a system does not start, in words for the person who started it.

CannotStart
├── PortsInUse       something else listens where it wants to; a line for each port
├── DataDirInUse     another system runs on this data directory; says which process
├── DataDirUnusable  nothing can be kept there
└── ProgramMissing   a program it runs on is not installed; says which package brings it
"""

from __future__ import annotations


class CannotStart(Exception):
    """The system does not start; nothing was started."""


class PortsInUse(CannotStart):
    """Something else listens where the system wants to."""


class DataDirInUse(CannotStart):
    """Another system runs on this data directory."""


class DataDirUnusable(CannotStart):
    """Nothing can be kept in this data directory."""


class ProgramMissing(CannotStart):
    """A program the system runs on is not installed."""
