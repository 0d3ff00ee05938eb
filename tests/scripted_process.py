"""The scripted service as a process of its own: `python -m tests.scripted_process`."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from chassis.auth import TokenVerifier
from chassis.errors import Unavailable
from chassis.server import Role, Service, main
from chassis.settings import ServiceSettings
from streamerstudio.storage.v1.asset_pb2 import Asset
from tests.processes import Running, running_process
from tests.scripted import METHODS, NAME, Context, Script, a_service


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


def process(*arguments: str, **environ: str) -> AbstractAsyncContextManager[Running]:
    """Starts one; it does not outlive the test."""
    return running_process("tests.scripted_process", *arguments, **environ)


if __name__ == "__main__":
    main("scripted", Settings, build)
