"""The scripted service as a process of its own: `python -m tests.scripted_process`."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from chassis.auth import TokenVerifier
from chassis.errors import Unavailable
from chassis.server import Role, Service, main
from chassis.settings import ServiceSettings
from streamerstudio.storage.v1.asset_pb2 import Asset
from tests.builders import SERVICE_SECRET, USER_SECRET
from tests.scripted import METHODS, NAME, Context, Script, a_service

ROOT = Path(__file__).parent.parent
PATIENCE = 20.0


class Settings(ServiceSettings):
    """What the script is."""

    port: int = Field(0, alias="SCRIPTED_PORT")
    mood: Literal["well", "never ready", "needy", "mortal", "stubborn"] = Field("well", alias="SCRIPTED_MOOD")
    """`never ready`: the build takes for ever; `needy`: it cannot be built while the gate is there; `mortal`: its work
    dies; `stubborn`: its drain takes for ever."""
    gate: Path = Field(Path("/nowhere"), alias="SCRIPTED_GATE")
    """A call says so in this file, and is answered when the file is gone."""


async def build(settings: Settings, role: Role, stack: AsyncExitStack) -> Service:
    stack.callback(print, "closed", flush=True)
    if settings.mood == "never ready":
        print("building", flush=True)
        await asyncio.Event().wait()
    if settings.mood == "needy" and settings.gate.exists():
        raise Unavailable("its database is down")

    async def asset(_: Context) -> Asset:
        settings.gate.write_text("waiting")
        while settings.gate.exists():  # noqa: ASYNC110  the test is in another process
            await asyncio.sleep(0.005)
        return Asset(id="answered")

    async def work() -> None:
        if settings.mood == "mortal":
            raise RuntimeError("died of hunter2")

    async def drain() -> None:
        if settings.mood == "stubborn":
            raise RuntimeError("will not")

    script = Script(asset=asset)  # type: ignore[abstract]
    serves: dict[str, Any] = {"methods": METHODS, "register": [script.register], "service_names": [NAME]}
    idle: dict[str, Any] = {"methods": {}, "register": [], "service_names": []}
    return a_service(
        script,
        **(serves if role.serves else idle),
        port=settings.port,
        work=[work],
        drain=[drain],
        verifier=TokenVerifier.from_settings(settings),
    )


@dataclass(frozen=True, slots=True)
class Running:
    """A process that was started."""

    process: asyncio.subprocess.Process

    async def logged(self, message: str) -> dict[str, Any]:
        """The next line in its log with that message."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            async for line in self.process.stderr:
                if line.startswith(b"{") and (said := json.loads(line))["message"] == message:
                    return dict(said)
        raise AssertionError(f"it ended without saying {message!r}")

    async def printed(self, line: str) -> None:
        """Returns when it has printed the line."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE):
            async for printed in self.process.stdout:
                if printed.decode().strip() == line:
                    return
        raise AssertionError(f"it ended without printing {line!r}")

    async def ended(self) -> tuple[int, str, str]:
        """Its exit code, and what it still had to say."""
        async with asyncio.timeout(PATIENCE):
            said, complained = await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode, said.decode(), complained.decode()


@asynccontextmanager
async def process(*arguments: str, **environ: str) -> AsyncIterator[Running]:
    """Starts one; it does not outlive the test."""
    base: Mapping[str, str] = {
        "PATH": os.environ["PATH"], "NATS_URL": "nats://127.0.0.1:1", "JWT_SECRET": USER_SECRET,
        "SERVICE_JWT_SECRET": SERVICE_SECRET,
    }  # fmt: skip
    started = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.scripted_process", *arguments),
        cwd=ROOT,
        env={**base, **environ},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Running(started)
    finally:
        if started.returncode is None:
            started.kill()
            await started.communicate()


if __name__ == "__main__":
    main("scripted", Settings, build)
