"""The public keys of an issuer of tokens, fetched from its JWKS address."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping

import httpx
from jwt import PyJWK, PyJWKSet

from chassis.errors import Unauthenticated, Unavailable

log = logging.getLogger(__name__)

ALGORITHMS = ("ES256", "RS256")
FRESH = 300.0
"""Seconds after which the keys are fetched again, while the old ones still serve."""
KEPT = 3600.0
"""Seconds that keys serve while the address does not answer."""
PAUSE = 10.0
"""Seconds between two fetches, so that made-up key ids do not make us hammer the address."""
PAUSE_AFTER_FAILURE = 1.0


class PublicKeys:
    """Finds keys by id; nobody waits for one that is known, and all who wait share one fetch."""

    def __init__(self, url: str, *, timeout: float = 5.0, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = url
        self._timeout = timeout
        # Once: to read whom we trust takes 40 ms, in which nobody else is served and which would be the issuer's time.
        self._trusted = httpx.create_ssl_context()
        self._clock = clock
        self._keys: Mapping[str, PyJWK] = {}
        self._fetched_at = float("-inf")
        self._not_before = float("-inf")
        self._down = False
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> PyJWK:
        """The key of that id.

        Raises:
            Unauthenticated: the issuer has no such key.
            Unavailable: the address does not answer, and what it last answered has no such key or is too old.
        """
        key = self._known(key_id)
        if key is None or self._age() >= FRESH:
            fetching = self._fetch_soon()
            if key is None:
                await asyncio.shield(fetching)
                key = self._known(key_id)
        if key is None and self._down:
            raise Unavailable("access tokens cannot be checked right now")
        if key is None:
            raise Unauthenticated("the access token is not valid")
        return key

    def _known(self, key_id: str) -> PyJWK | None:
        return self._keys.get(key_id) if self._age() < KEPT else None

    def _age(self) -> float:
        return self._clock() - self._fetched_at

    def _fetch_soon(self) -> asyncio.Task[None]:
        """The fetch under way; a new one if it is time for that; else the last."""
        if self._fetching is None or (self._fetching.done() and self._clock() >= self._not_before):
            self._fetching = asyncio.create_task(self._fetch())
        return self._fetching

    async def _fetch(self) -> None:
        try:
            self._keys = await self._read()
            self._fetched_at = self._clock()
            self._down = False
        except Exception as error:  # whatever it answers: the keys we have still serve, and so do shared secrets
            log.warning("public keys cannot be fetched", extra={"why": repr(error)})
            self._down = True
        self._not_before = self._clock() + (PAUSE_AFTER_FAILURE if self._down else PAUSE)

    async def _read(self) -> Mapping[str, PyJWK]:
        client = httpx.AsyncClient(timeout=self._timeout, verify=self._trusted)
        async with asyncio.timeout(self._timeout), client:
            answer = await client.get(self._url)
        keys = PyJWKSet.from_dict(answer.raise_for_status().json()).keys
        usable = (key for key in keys if key.public_key_use in (None, "sig") and key.algorithm_name in ALGORITHMS)
        return {key.key_id: key for key in usable if key.key_id}
