"""The Gemini API's image models, as a server that speaks and fails like theirs and remembers what it billed.

`python -m tests.fakes.gemini --port 8099` serves until it is stopped. `POST /fake/script` takes a list of turns, each
`{"status", "body", "headers", "then", "billed"}`, for the next calls; `GET /fake/ledger` tells all calls made.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import io
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field, replace
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from PIL import Image

from services.generation.providers.gemini_sizes import ImageConfig, family_of
from tests.fakes.gemini_bodies import bad_key, image, invalid_argument, model_gone, served
from tests.fakes.http_server import Answer, Hang, Hangup, HttpServer, Request, Response
from tests.fakes.pictures import draw

MODELS = ("gemini-nano-banana-2.1", "gemini-3.1-flash-image", "gemini-3-pro-image", "gemini-2.5-flash-image")
KEY = "AIza-a-key-for-tests"
MODELS_PATH = "/v1beta/models/"
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, OSError)
"""What reading a request that is none may raise."""
LARGEST_INLINE = 20 * 2**20 * 3 // 4
"""A request has 20 MiB at most, and pictures are in it as base64."""


class Then(StrEnum):
    """What happens once a call was read."""

    ANSWER = "answer"
    CUT = "cut"
    """The connection ends without a byte."""
    CUT_SHORT = "cut_short"
    """It ends in the middle of the body."""
    HANG = "hang"
    """Nothing comes until the client leaves."""


@dataclass(frozen=True, slots=True)
class Turn:
    """How one call goes."""

    body: Any = None
    """Of JSON, or bytes as they are; None: a picture is drawn."""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    then: Then = Then.ANSWER
    billed: bool | None = None
    """None: billed when it was served, whether or not the answer arrives."""

    @property
    def is_billed(self) -> bool:
        return self.is_served if self.billed is None else self.billed

    @property
    def is_served(self) -> bool:
        return self.status == HTTPStatus.OK

    @property
    def draws(self) -> bool:
        """Whether there is a picture to be made."""
        return self.body is None and self.is_served and self.then in (Then.ANSWER, Then.CUT_SHORT)


CUT, CUT_SHORT, HANG = Turn(then=Then.CUT), Turn(then=Then.CUT_SHORT), Turn(then=Then.HANG)


@dataclass(frozen=True, slots=True)
class Shown:
    """A picture that the model was shown."""

    mime_type: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Call:
    """One call of `generateContent`."""

    model: str
    prompt: str
    aspect_ratio: str
    image_size: str | None
    seed: int
    billed: bool
    images: tuple[Shown, ...] = ()


class FakeGemini:
    """Answers each call with the next turn of its script, and with a picture when there is none."""

    def __init__(self, *, key: str = KEY, port: int = 0) -> None:
        self._key = key
        self._turns: deque[Turn] = deque()
        self.ledger: list[Call] = []
        self.probes: deque[Turn] = deque()
        """What a question for a model is answered, when it is not the truth."""
        self.called = asyncio.Event()
        """Set with the first call."""
        self.server = HttpServer(
            {
                ("GET", "/fake/ledger"): self._tell,
                ("POST", "/fake/script"): self._learn,
                ("GET", f"{MODELS_PATH}*"): self._describe,
                ("POST", f"{MODELS_PATH}*"): self._generate,
            },
            port,
        )

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def billed(self) -> int:
        """How many calls there are to pay for."""
        return sum(call.billed for call in self.ledger)

    @property
    def targets(self) -> list[str]:
        """Every address that was asked for, whole."""
        return [f"{request.path}?{request.query}".rstrip("?") for request in self.server.requests]

    def script(self, *turns: Turn) -> None:
        """Adds turns for the calls to come."""
        self._turns.extend(turns)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[FakeGemini]:
        """Serves as long as the block."""
        async with self.server:
            yield self

    async def _describe(self, request: Request) -> Answer:
        model = request.path.removeprefix(MODELS_PATH)
        if self.probes:
            return _answer(self.probes.popleft())
        description = Turn({"name": f"models/{model}", "supportedGenerationMethods": ["generateContent"]})
        return _answer(self._refuse(request, model) or description)

    async def _generate(self, request: Request) -> Answer:
        model, _, method = request.path.removeprefix(MODELS_PATH).partition(":")
        refusal = self._refuse(request, model if method == "generateContent" else "")
        if refusal is not None:
            return _answer(refusal)
        turn = self._turns.popleft() if self._turns else Turn()
        try:
            call = _read(model, json.loads(request.body), billed=turn.is_billed)
        except MALFORMED:
            return _answer(Turn(invalid_argument(), 400))
        self.ledger.append(call)
        self.called.set()
        if not turn.draws:
            return _answer(turn)
        config = ImageConfig(call.aspect_ratio, call.image_size)
        picture = await asyncio.to_thread(draw, family_of(model).sizes[config], call.prompt, call.seed)
        return _answer(replace(turn, body=served({"text": "Here is your picture:"}, image(picture))))

    def _refuse(self, request: Request, model: str) -> Turn | None:
        if request.headers.get("x-goog-api-key") != self._key:
            return Turn(bad_key(), 400)
        return None if model in MODELS else Turn(model_gone(model), 404)

    async def _learn(self, request: Request) -> Answer:
        self.script(*(Turn(**{**turn, "then": Then(turn.get("then", "answer"))}) for turn in json.loads(request.body)))
        return await self._tell(request)

    async def _tell(self, request: Request) -> Answer:
        return _answer(Turn({"calls": [asdict(call) for call in self.ledger], "billed": self.billed}))


def _answer(turn: Turn) -> Answer:
    if turn.then is Then.CUT:
        return Hangup()
    if turn.then is Then.HANG:
        return Hang()
    body = turn.body if isinstance(turn.body, bytes) else json.dumps(turn.body).encode()
    if turn.then is Then.CUT_SHORT:
        return Hangup(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body[: len(body) // 2])
    return Response(turn.status, {"content-type": "application/json; charset=UTF-8", **turn.headers}, body)


def _read(model: str, body: Any, *, billed: bool) -> Call:
    """Raises one of MALFORMED for what the API would refuse as an invalid argument."""
    asked = body["generationConfig"]
    size = asked["imageConfig"]
    config = ImageConfig(size["aspectRatio"], size.get("imageSize"))
    strange = {*body} - {"contents", "generationConfig"} or {*size} - {"aspectRatio", "imageSize"}
    if strange or config not in family_of(model).sizes or "IMAGE" not in asked["responseModalities"]:
        raise ValueError("an invalid argument")
    if not -(2**31) <= asked["seed"] < 2**31:
        raise ValueError("the seed is not a 32-bit number")
    [content] = body["contents"]
    prompt, *images = content["parts"]
    shown = tuple(_look(part) for part in images)
    if {*prompt} != {"text"}:
        raise ValueError("the prompt is no text")
    return Call(model, prompt["text"], config.aspect_ratio, config.image_size, asked["seed"], billed, shown)


def _look(part: Any) -> Shown:
    """Raises as `_read` for what is no picture of the type that it is said to be."""
    [(name, blob)] = part.items()
    data = base64.b64decode(blob["data"], validate=True)
    if name != "inlineData" or {*blob} != {"mimeType", "data"} or len(data) > LARGEST_INLINE:
        raise ValueError("no part with a picture")
    with Image.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as picture:
        picture.load()
        if picture.get_format_mimetype() != blob["mimeType"]:
            raise ValueError("it is of another type")
    return Shown(blob["mimeType"], hashlib.sha256(data).hexdigest(), len(data))


async def _main() -> None:
    parser = argparse.ArgumentParser(description="Serves the Gemini API's image models, as a stand-in.")
    parser.add_argument("--port", type=int, default=0, help="a free one by default")
    parser.add_argument("--key", default=KEY, help="the API key to accept")
    arguments = parser.parse_args()
    async with FakeGemini(key=arguments.key, port=arguments.port).running() as fake:
        print(f"ready {fake.url}", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    try:
        asyncio.run(_main())
    except KeyboardInterrupt:
        print("stopped")
