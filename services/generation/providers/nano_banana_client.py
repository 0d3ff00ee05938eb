"""A client of the Nano Banana API: one picture for one call, and no call paid for that need not be."""

from __future__ import annotations

import asyncio
import json
import logging
from contextlib import aclosing
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import quote

import httpx

from services.generation.domain import Picture
from services.generation.picture_ports import PaidCalls
from services.generation.providers.ladder import (
    BILLED_AT_MOST,
    RUNGS,
    Again,
    Billed,
    Miss,
    asks_for_patience,
    no_answer,
    retry_after,
)
from services.generation.providers.nano_banana_answer import (
    Fields,
    Reply,
    read_accepted,
    read_error,
    read_generated,
    read_progress,
)
from services.generation.providers.nano_banana_errors import RateLimitError, error_of
from services.generation.providers.nano_banana_image import ImageFetcher, read_at_most
from services.generation.providers.timing import REAL_TIME, Timing

BASE_URL = "https://api.nanobanana.ai"
POLL_EVERY = 1.0
ASK_FOR = 5.0
"""Seconds for one question about a status, which is cheap to repeat."""
LONGEST_BODY = 40 * 2**20
"""Bytes: a picture of 25 MiB in base64, and words. What is longer is cut off and then no JSON."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """Request to Nano Banana API."""

    prompt: str
    width: int
    height: int
    model: str = "default"
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class GenerationResponse:
    """Response from Nano Banana API."""

    image_url: str
    generation_id: str
    seed: int
    inference_time_ms: int


class NanoBananaClient:
    """Async client for Nano Banana AI generation API."""

    def __init__(
        self,
        api_key: str,
        base_url: str = BASE_URL,
        timeout: float = 30,
        max_retries: int = 3,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timing: Timing = REAL_TIME,
    ) -> None:
        """`timeout` is in seconds and for one call as a whole; more than three retries are three."""
        self.base_url = base_url.rstrip("/")
        self.timeout = timeout
        self._rungs = RUNGS[:max_retries]
        self._timing = timing
        self._authorization = f"Bearer {api_key}"
        self._http = httpx.AsyncClient(
            transport=transport,
            # Compressed answers could unpack to more than we would ever read.
            headers={"Accept-Encoding": "identity"},
            # The worker bounds how many calls there are at once; to wait for a place here would use up their time.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
            # Connecting gives up before the whole call does, or it would not be known that nothing was sent.
            timeout=httpx.Timeout(timeout, connect=timeout / 3),
            trust_env=False,
        )
        self._images = ImageFetcher(self._http, self.base_url, timeout, timing)

    async def generate(
        self, request: GenerationRequest, *, calls: PaidCalls, idempotency_key: str
    ) -> GenerationResponse:
        """Generates an image; at most four calls, two of them perhaps billed, each in an attempt of `calls`.

        Raises:
            RateLimitError: the API is busier than the ladder is long.
            ContentPolicyError: it refuses the request.
            ProviderAuthError: it refuses our key.
            GenerationTimeoutError: it did not answer in time; UnknownOutcomeError if that may have been billed.
            GenerationError: any other failure of the API.
        """
        headers = {"Idempotency-Key": idempotency_key, "Content-Type": "application/json"}
        fields = await self._request_with_retry(
            "POST", "/generate", calls=calls, headers=headers, content=_body(request)
        )
        return GenerationResponse(
            fields["image_url"],
            _of_type(fields.get("generation_id"), ""),
            _of_type(fields.get("seed"), request.seed or 0),
            _of_type(fields.get("inference_time_ms"), 0),
        )

    async def fetch(self, image_url: str) -> Picture:
        """The picture of a response; not a paid call.

        Raises:
            InvalidImageError: the address or what is found there is nothing we take.
            GenerationError: the picture is not to be had.
        """
        return await self._images.fetch(image_url)

    async def check_health(self) -> None:
        """Returns when the API says that it is well; raises GenerationError otherwise."""
        reply = await self._exchange(self._request("GET", "/status"), min(self.timeout, ASK_FOR))
        if isinstance(reply, Miss):
            raise error_of(reply)
        if not httpx.codes.is_success(reply.status):
            raise error_of(read_error(reply))

    async def close(self) -> None:
        """Cuts what is under way."""
        await self._http.aclose()

    async def _request_with_retry(self, method: str, endpoint: str, *, calls: PaidCalls, **kwargs: Any) -> Fields:
        """Makes a paid call, and makes it again after 1 s, 2 s, 4 s while that cannot cost more than it may."""
        request = self._request(method, endpoint, **kwargs)
        billed = retries = 0
        while isinstance(answer := await self._attempt(request, calls), Miss):
            log.info("a call to the image service brought no picture", extra={"why": answer.why, "retries": retries})
            billed += answer.billed is not Billed.NO
            if answer.again is Again.NEVER or billed >= BILLED_AT_MOST:
                raise error_of(answer)
            if asks_for_patience(answer, retries, self._rungs):
                raise RateLimitError(answer.hint)
            if retries == len(self._rungs):
                raise error_of(answer)
            await self._timing.pause(self._rungs[retries], answer.hint)
            retries += 1
        return answer

    async def _attempt(self, request: httpx.Request, calls: PaidCalls) -> Fields | Miss:
        async with calls.attempt() as attempt:
            reply = await self._exchange(request, self.timeout)
            answer = reply if isinstance(reply, Miss) else await self._understand(reply)
            match answer:
                case Miss(billed=Billed.NO):
                    attempt.unpaid()
                case Miss(billed=Billed.MAYBE):
                    pass
                case _:
                    attempt.paid()
        return answer

    async def _understand(self, reply: Reply) -> Fields | Miss:
        generation_id = read_accepted(reply)
        return read_generated(reply) if generation_id is None else await self._poll(generation_id)

    async def _poll(self, generation_id: str) -> Fields | Miss:
        """Asks until it is known what became of an accepted call, inside its attempt: a twin would pay once more."""
        end = self._timing.monotonic() + self.timeout
        request = self._request("GET", f"/status/{quote(generation_id, safe='')}")
        while self._timing.monotonic() < end:
            await self._timing.sleep(POLL_EVERY)
            reply = await self._exchange(request, min(self.timeout, ASK_FOR))
            answer = None if isinstance(reply, Miss) else read_progress(reply)
            if answer is not None:
                return answer
        return Miss("PROVIDER_TIMEOUT", "accepted, and never done", Billed.MAYBE)

    async def _exchange(self, request: httpx.Request, patience: float) -> Reply | Miss:
        """One request and its whole answer, whatever it says, in so many seconds."""
        try:
            async with (
                asyncio.timeout(patience),
                aclosing(await self._http.send(request, stream=True)) as response,
            ):
                body = await read_at_most(response, LONGEST_BODY)
        except (httpx.HTTPError, TimeoutError) as error:
            return no_answer(error)
        hint = retry_after(response.headers.get("Retry-After"), self._timing.now())
        return Reply(response.status_code, body, hint)

    def _request(self, method: str, endpoint: str, **kwargs: Any) -> httpx.Request:
        request = self._http.build_request(method, self.base_url + endpoint, **kwargs)
        # Not for all that this client asks for: where pictures are, the key is nobody's business.
        request.headers["Authorization"] = self._authorization
        return request


def _body(request: GenerationRequest) -> bytes:
    fields = asdict(request)
    if request.seed is None:
        del fields["seed"]
    return json.dumps(fields).encode()


def _of_type(value: Any, default: Any) -> Any:
    """A value that came, if it is of its type; what we do not need must not fail a picture that was paid for."""
    return value if type(value) is type(default) else default
