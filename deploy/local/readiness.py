"""Waits until the whole system answers, and says what it waits for when that takes long."""

from __future__ import annotations

import asyncio

import httpx

from deploy.local.parts import Say
from deploy.local.supervisor import Supervisor

PATIENCE = 10.0
"""Seconds before the first word about what is missing, and between one and the next."""
POLL = 0.05
ANSWER_WITHIN = 30.0
"""Seconds; the gateway answers within 25 when a part hangs."""


class NotReady(Exception):
    """The system did not answer in time; the message says which part is missing."""


async def wait_ready(
    supervisor: Supervisor, url: str, say: Say, *, timeout: float | None = None, patience: float = PATIENCE
) -> None:
    """Returns when `/readyz` answers 200; after each `patience` says what is missing.

    Raises:
        NotReady: it did not in time.
    """
    waiting = asyncio.create_task(_speak_up(supervisor, url, say, patience))
    try:
        async with asyncio.timeout(timeout), _client(url) as client:
            await _answers(supervisor, client)
    except TimeoutError:
        raise NotReady(await missing(supervisor, url)) from None
    finally:
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def missing(supervisor: Supervisor, url: str) -> str:
    """What the system still waits for."""
    silent = supervisor.silent()
    if silent:
        return ", ".join(f"{keeper.part.name} does not answer (its output: {keeper.log.path})" for keeper in silent)
    async with _client(url) as client:
        return f"/readyz {await _trouble(client) or 'answers now'}"


async def _speak_up(supervisor: Supervisor, url: str, say: Say, patience: float) -> None:
    while True:
        await asyncio.sleep(patience)
        say(f"not ready yet: {await missing(supervisor, url)}")


def _client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, trust_env=False, timeout=ANSWER_WITHIN)


async def _answers(supervisor: Supervisor, client: httpx.AsyncClient) -> None:
    while True:
        if not supervisor.silent() and await _trouble(client) is None:
            return
        await asyncio.sleep(POLL)


async def _trouble(client: httpx.AsyncClient) -> str | None:
    try:
        answer = await client.get("/readyz")
    except httpx.HTTPError as error:
        return f"cannot be asked ({type(error).__name__})"
    return None if answer.status_code == httpx.codes.OK else f"answers {answer.status_code}: {answer.text.strip()}"
