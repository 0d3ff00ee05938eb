"""The Nano Banana API, as a server that fails as it is told to and remembers what it billed.

`python -m tests.fakes.nano_banana --port 8098` serves until it is stopped.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.fakes.http_server import Answer, HttpServer, Request, Response
from tests.fakes.pictures import draw

KEY = "nano-banana-key-for-tests"


@dataclass(frozen=True, slots=True)
class Made:
    """A picture that was made, and billed."""

    at: float
    """When, by the monotonic clock."""
    idempotency_key: str
    """Which item of which job it was for: `<job>:<item>`."""
    prompt: str
    width: int
    height: int
    model: str
    seed: int
    id: str


Step = Callable[["FakeNanoBanana", Request], Answer]
"""How one `POST /generate` goes."""


def serves(api: FakeNanoBanana, request: Request) -> Answer:
    """All is well."""
    return a_json(api.done(api.make(request)))


def serves_slowly(api: FakeNanoBanana, request: Request) -> Answer:
    """Bills at once and answers in some seconds, as image APIs do: long enough for something to happen meanwhile."""
    answer = serves(api, request)
    assert isinstance(answer, Response)
    return replace(answer, drip=0.01)


def fails(status: int, *, code: str = "internal", **headers: str) -> Step:
    """Nothing is made; headers as `retry_after="3"`."""
    body = {"error": {"code": code, "message": "the API's own words"}}
    return answers(a_json(body, status, {name.replace("_", "-"): value for name, value in headers.items()}))


def refuses(status: int = 400) -> Step:
    """The request is against the content policy."""
    return fails(status, code="content_policy_violation")


def answers(answer: Answer) -> Step:
    """Nothing is made, whatever is said."""
    return lambda api, request: answer


def bills_then(answer: Answer) -> Step:
    """A picture is made and billed, and then this happens instead of telling so."""

    def step(api: FakeNanoBanana, request: Request) -> Answer:
        api.unanswered.add(api.make(request).id)
        return answer

    return step


def accepts(*polls: Answer) -> Step:
    """A picture is made, later: these are told who asks, one after the other, and then that it is done."""

    def step(api: FakeNanoBanana, request: Request) -> Answer:
        made = api.make(request)
        api.polls[made.id] = deque(polls)
        return a_json({"generation_id": made.id}, 202)

    return step


def a_json(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    return Response(status, {"content-type": "application/json", **(headers or {})}, json.dumps(value).encode())


def progress(status: str, **fields: Any) -> Response:
    """What a generation that was accepted says of itself."""
    return a_json({"status": status, **fields})


_STRANGER = a_json({"error": {"code": "unauthorized", "message": "the API's own words"}}, 401)


class FakeNanoBanana(HttpServer):
    """Steps are taken from the script, one a call; after them all is well."""

    def __init__(self, *, api_key: str | None = KEY, honours_keys: bool = True, port: int = 0) -> None:
        """Without an `api_key` any is good; one that honours Idempotency-Keys bills each of them once."""
        super().__init__(
            {
                ("POST", "/generate"): self._generate,
                ("GET", "/status"): self._status,
                ("GET", "/status/*"): self._progress,
                ("GET", "/images/*"): self._image,
            },
            port,
        )
        self.script: deque[Step] = deque()
        self.images: deque[Answer] = deque()
        """What is answered to who asks for a picture, before there is one."""
        self.image_url = ""
        """Told instead of the true address."""
        self.as_data = False
        """Whether pictures come in a data URL."""
        self.paints: dict[int, bytes] = {}
        """Pictures by the seed that they are made from; any other is drawn."""
        self.is_well = True
        self.ledger: list[Made] = []
        self.unanswered: set[str] = set()
        """Ids of those that nobody was told of."""
        self.polls: dict[str, deque[Answer]] = {}
        self._api_key = api_key
        self._honours_keys = honours_keys

    def received(self, method: str, path: str) -> list[Request]:
        """What arrived where the path begins so, in order."""
        return [one for one in self.requests if one.method == method and one.path.startswith(path)]

    def make(self, request: Request) -> Made:
        """Makes a picture and bills it, unless that was done before under the same key."""
        key, wanted = request.headers.get("idempotency-key", ""), json.loads(request.body)
        if self._honours_keys:
            for made in self.ledger:
                if key and made.idempotency_key == key:
                    return made
        number = len(self.ledger) + 1
        made = Made(time.monotonic(), key, **{"seed": number, **wanted}, id=f"generation-{number}")
        self.ledger.append(made)
        return made

    def done(self, made: Made) -> dict[str, Any]:
        """What is said of a picture that was made."""
        url = self.image_url or f"{self.url}/images/{made.id}.png"
        if self.as_data:
            url = f"data:image/png;base64,{base64.b64encode(draw_made(made)).decode()}"
        return {"image_url": url, "generation_id": made.id, "seed": made.seed, "inference_time_ms": 4200}

    async def _generate(self, request: Request) -> Answer:
        if not self._knows(request):
            return _STRANGER
        step = self.script.popleft() if self.script else serves
        return step(self, request)

    async def _status(self, _: Request) -> Answer:
        return a_json({"status": "ok"}) if self.is_well else a_json({"status": "down"}, 503)

    async def _progress(self, request: Request) -> Answer:
        if not self._knows(request):
            return _STRANGER
        generation_id = request.path.removeprefix("/status/")
        if generation_id not in self.polls:
            return a_json({"error": {"code": "not_found", "message": "the API's own words"}}, 404)
        polls = self.polls[generation_id]
        return polls.popleft() if polls else progress("completed", **self.done(self._made(generation_id)))

    async def _image(self, request: Request) -> Answer:
        if self.images:
            return self.images.popleft()
        made = self._made(request.path.removeprefix("/images/").removesuffix(".png"))
        return Response(200, {"content-type": "image/png"}, self.paints.get(made.seed) or draw_made(made))

    def _knows(self, request: Request) -> bool:
        return self._api_key is None or request.headers.get("authorization") == f"Bearer {self._api_key}"

    def _made(self, generation_id: str) -> Made:
        return next(made for made in self.ledger if made.id == generation_id)


def draw_made(made: Made) -> bytes:
    """A PNG of the size that was asked for."""
    return draw((made.width, made.height), made.prompt, made.seed)


async def serve(port: int, api_key: str | None = None) -> None:
    """Serves until it is cancelled."""
    async with FakeNanoBanana(api_key=api_key, port=port) as api:
        print(f"NANO_BANANA_BASE_URL={api.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A stand-in for the Nano Banana API.")
    parser.add_argument("--port", type=int, default=8098)
    parser.add_argument("--api-key", help="the only key it accepts; any, if not given")
    arguments = parser.parse_args()
    try:
        asyncio.run(serve(arguments.port, arguments.api_key))
    except KeyboardInterrupt:
        print("stopped")


if __name__ == "__main__":
    main()
