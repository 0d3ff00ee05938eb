"""Google's image models, called "Nano Banana", through `generateContent`."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from urllib.parse import quote

import httpx

from services.generation.domain import AssetType, Picture, RenderFailed, RenderRequest
from services.generation.picture_ports import Attempt, PaidCalls
from services.generation.providers.gemini_answer import read_answer
from services.generation.providers.gemini_errors import read_error
from services.generation.providers.gemini_request import another_seed, encode_body
from services.generation.providers.gemini_sizes import ImageConfig, best_config
from services.generation.providers.ladder import Again, Billed, Ladder, Miss, failed, no_answer, retry_after
from services.generation.providers.timing import REAL_TIME, Timing

BASE_URL = "https://generativelanguage.googleapis.com"
MODEL = "gemini-nano-banana-2.1"
TIMEOUT = 30.0
"""Seconds for one call, from the first byte sent to the last one received."""
LONGEST_BODY = 40 * 2**20
"""Bytes: a picture of 25 MiB in base64, and words. What is longer is cut off and then no JSON."""

log = logging.getLogger(__name__)
PROBE_TIMEOUT = 5.0
"""Seconds that a start waits to hear whether the model is there."""


class ModelUnavailable(Exception):
    """The model cannot be used as things are set; the message names the setting to mend."""


class GeminiProvider:
    """Has pictures made by a Gemini model."""

    sees_styles = True

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        api_key: str,
        model: str = MODEL,
        base_url: str = BASE_URL,
        timeout: float = TIMEOUT,
        sizes: Mapping[AssetType, ImageConfig] | None = None,
        timing: Timing = REAL_TIME,
    ) -> None:
        """The client is the caller's to close, and should allow for as many connections as there are renders at once.

        `timeout` is in seconds and for one call as a whole; `sizes` replaces what the table says of an asset type.
        """
        self.model = model
        self._http = http
        # In a header and nowhere else: addresses end up in logs.
        self._headers = {"x-goog-api-key": api_key, "Content-Type": "application/json"}
        self._url = f"{base_url.rstrip('/')}/v1beta/models/{quote(model, safe='')}"
        self._timeout = timeout
        # Connecting gives up before the whole call does, or it would not be known that nothing was sent.
        self._patience = httpx.Timeout(timeout, connect=timeout / 3, pool=timeout / 3)
        self._sizes = sizes or {}
        self._timing = timing

    async def probe(self) -> None:
        """Asks at start whether the model is there; a network in trouble is no reason not to start.

        Raises:
            ModelUnavailable: no render would succeed before somebody changes a setting.
        """
        try:
            async with asyncio.timeout(min(self._timeout, PROBE_TIMEOUT)):
                response = await self._http.get(self._url, headers=self._headers, timeout=self._patience)
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("the image service did not answer", extra={"why": type(error).__name__})
            return
        if response.is_success:
            return
        miss = read_error(response.status_code, response.content)
        if miss.mend:
            raise ModelUnavailable(miss.mend)
        log.warning("the image service does not say whether the model is there", extra={"why": miss.why})

    async def render(self, request: RenderRequest, calls: PaidCalls) -> Picture:
        """One picture, in a size that the model makes: as big as the asset or bigger, wherever it can."""
        ladder = Ladder(calls, self._timing)
        seed, refusal = request.seed, None
        while isinstance(answer := await self._call(request, seed, calls, refusal), Miss):
            self._tell(answer)
            await ladder.climb(answer)
            if answer.again is Again.WITH_ANOTHER_SEED:
                seed, refusal = another_seed(seed), answer
        return answer

    async def _call(self, request: RenderRequest, seed: int, calls: PaidCalls, refusal: Miss | None) -> Picture | Miss:
        config = self._sizes.get(request.asset_type) or best_config(self.model, request.size)
        # In a thread: a style image is megabytes of base64.
        body = await asyncio.to_thread(encode_body, request.prompt, config, seed, request.style_image)
        try:
            async with calls.attempt() as attempt:
                return await self._post(body, attempt)
        except RenderFailed as spent:
            # No further call is allowed, and what the last one answered is what the streamer should hear.
            raise (failed(refusal) if refusal else spent) from None

    async def _post(self, body: bytes, attempt: Attempt) -> Picture | Miss:
        url = f"{self._url}:generateContent"
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._http.stream("POST", url, content=body, headers=self._headers, timeout=self._patience) as response,
            ):
                if response.is_success:
                    # Said before the picture is here: whatever happens to it on its way, it was served.
                    attempt.paid()
                data = await _read(response)
        except (httpx.HTTPError, TimeoutError) as error:
            answer: Picture | Miss = no_answer(error)
        else:
            answer = await self._understand(response, data)
        if isinstance(answer, Miss) and answer.billed is Billed.NO:
            attempt.unpaid()
        return answer

    async def _understand(self, response: httpx.Response, data: bytes) -> Picture | Miss:
        if response.is_success:
            # In a thread: it is megabytes of base64.
            return await asyncio.to_thread(read_answer, data)
        hint = retry_after(response.headers.get("Retry-After"), self._timing.now())
        return read_error(response.status_code, data, hint)

    def _tell(self, miss: Miss) -> None:
        about = {"model": self.model, "why": miss.why, "reason": miss.reason}
        if miss.mend:
            log.error(miss.mend, extra=about)
        else:
            log.warning("a call to the image service brought no picture", extra=about)


async def _read(response: httpx.Response) -> bytes:
    data = bytearray()
    async for part in response.aiter_bytes():
        data += part
        if len(data) > LONGEST_BODY:
            break
    return bytes(data)
