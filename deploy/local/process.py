"""One process of a part, in a group of its own that does not outlive the supervisor."""

from __future__ import annotations

import asyncio
import os
import signal
from contextlib import suppress

from deploy.local.logs import PartLog
from deploy.local.parts import Part

# Standard input is a pipe whose other end only the supervisor holds. When the supervisor is gone, however it went,
# the read returns and the group is killed. A session of its own keeps the terminal's Ctrl-C away from the part.
_LIFELINE = """
exec 3<&0 </dev/null
{ read -r _ <&3; kill -9 0; } >/dev/null 2>&1 &
exec 3<&- "$@"
"""


class Process:
    """A part that was started."""

    def __init__(self, part: Part, process: asyncio.subprocess.Process) -> None:
        self._part = part
        self._process = process
        self._swept = False

    @classmethod
    async def start(cls, part: Part, lifeline: int, log: PartLog) -> Process:
        """Starts a part; `lifeline` is the pipe's end to read."""
        with log.open() as output:
            process = await asyncio.create_subprocess_exec(
                *("/bin/sh", "-c", _LIFELINE, part.name, *part.argv),
                env=part.env,
                stdin=lifeline,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        return cls(part, process)

    @property
    def pid(self) -> int:
        """Also the number of its group."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not been seen to end."""
        return self._process.returncode is None

    async def wait(self) -> int:
        """Returns its exit code, or minus a signal's number, when it and all it started are gone."""
        code = await self._process.wait()
        if not self._swept:
            self.kill_group()
            self._swept = True
        return code

    def send(self, number: signal.Signals) -> None:
        """Sends it a signal; does nothing when it is gone."""
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def stop(self, grace: float) -> bool:
        """Asks it to stop and kills it when it does not; returns whether it went by itself."""
        self.send(signal.SIGTERM)
        # One that a test or a person has paused would never hear of it.
        self.send(signal.SIGCONT)
        try:
            async with asyncio.timeout(grace):
                await self.wait()
        except TimeoutError:
            self.kill_group()
            await self.wait()
            return False
        return True

    def kill_group(self) -> None:
        """Kills whatever is left of it: itself, what it started, and its lifeline."""
        # A group of zombies alone is a ProcessLookupError on one kernel and a PermissionError on another.
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
