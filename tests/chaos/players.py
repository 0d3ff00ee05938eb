"""Apps of several users: each asks for pictures, follows its jobs, cancels some and tries some again."""

from __future__ import annotations

import asyncio
import json
import random
import uuid
from collections.abc import Callable

import httpx

from tests.chaos.history import TERMINAL, History, Json, Story
from tests.e2e.apps import BRAND_KIT

ASSET_TYPES = ("banner", "banner", "banner", "thumbnail", "clip_cover", "story_graphic", "overlay")
AGAIN = 0.2
"""Seconds before a call that found nobody is repeated."""
POLL = 0.4
RETRYABLE = (502, 503, 504)
"""What an app repeats: nothing was accepted, or a key makes it harmless."""


class Player:
    """One user and their app."""

    def __init__(
        self, number: int, seed: int, client: httpx.AsyncClient, history: History, clock: Callable[[], float]
    ) -> None:
        self.user = f"player-{number}"
        self.client = client
        self._dice = random.Random(f"player {number} {seed}")
        self._history = history
        self._clock = clock
        self._kit_id = ""

    async def play(self, until: float, every: float, at_once: int) -> None:
        """Asks for a job each so many seconds while there is room, and follows every one to its end."""
        kit = await self._call("POST", "/api/v1/brand-kits", {**BRAND_KIT, "name": self.user})
        self._kit_id = kit.json()["id"]
        room = asyncio.Semaphore(at_once)
        async with asyncio.TaskGroup() as jobs:
            while self._clock() < until:
                await room.acquire()
                job = jobs.create_task(self._job())
                job.add_done_callback(lambda _: room.release())
                await asyncio.sleep(self._dice.uniform(0.5, 1.5) * every)

    async def _job(self) -> None:
        body = {
            "asset_type": self._dice.choice(ASSET_TYPES),
            "brand_kit_id": self._kit_id,
            "custom_prompt": f"Finals {self._dice.randrange(10**9)}",
            "count": self._dice.choice((1, 1, 1, 2, 3)),
        }
        headers = {"Idempotency-Key": str(uuid.UUID(int=self._dice.getrandbits(128)))}
        plays_again, cancels, retries = (self._dice.random() < chance for chance in (0.1, 0.06, 0.5))
        story = self._begin((await self._call("POST", "/api/v1/generate", body, headers)).json())
        if plays_again:
            self._history.replays += 1
            replay = (await self._call("POST", "/api/v1/generate", body, headers)).json()
            if replay != story.job:
                self._history.surprises.append(f"the same key made {replay['id']} beside {story.id}")
        await self._follow(story, self._dice.uniform(0, 2) if cancels else None)
        if story.end and story.end["status"] != "completed" and not story.cancel_asked and retries:
            await self._retry(story)

    def _begin(self, job: Json) -> Story:
        story = Story(self.user, job, self._clock())
        self._history.stories.append(story)
        return story

    async def _retry(self, story: Story) -> None:
        """Once: who does not hear the answer does not know whether there is a new job."""
        try:
            answer = await self.client.post(f"/api/v1/jobs/{story.id}:retry", json={})
        except httpx.TransportError:
            self._history.unheard_retries += 1
            return
        if answer.status_code == 201:
            await self._follow(self._begin(answer.json()), None)
        elif answer.status_code in (502, 504):
            self._history.unheard_retries += 1
        elif answer.status_code != 503:
            self._surprise("POST :retry", answer)

    async def _follow(self, story: Story, cancel_after: float | None) -> None:
        """Until it has ended, by turns polling and watching: one listener, so that what it hears is in order."""
        dice = random.Random(f"{self._dice.random()}")
        cancel_at = None if cancel_after is None else self._clock() + cancel_after
        while story.end is None:
            if cancel_at is not None and self._clock() >= cancel_at:
                cancel_at = None
                await self._cancel(story)
            if dice.random() < 0.4:
                await self._watch(story, dice.choice((1, 2, 100)))
            else:
                await self._poll(story)
                await asyncio.sleep(dice.uniform(0.5, 1.5) * POLL)

    async def _cancel(self, story: Story) -> None:
        story.cancel_asked = True
        answer = await self._call("POST", f"/api/v1/jobs/{story.id}:cancel", {}, accepts=(400,))
        if answer.status_code == 400 and answer.json()["error"]["code"] != "INVALID_STATE_TRANSITION":
            self._surprise("POST :cancel", answer)

    async def _poll(self, story: Story) -> None:
        answer = await self._call("GET", f"/api/v1/jobs/{story.id}")
        story.see("poll", answer.json(), None, self._clock())

    async def _watch(self, story: Story, events: int) -> None:
        """Reads so many events, from the last one seen on, and goes; a stream that breaks is just left."""
        known = [sighting.revision for sighting in story.sightings if sighting.revision is not None]
        query = {"after": str(known[-1])} if known else {}
        self._history.streams += 1
        try:
            async with self.client.stream("GET", f"/api/v1/jobs/{story.id}/stream", params=query) as stream:
                if stream.status_code != 200:
                    await stream.aread()
                    self._note(f"GET stream {stream.status_code}", stream)
                    return
                async for line in stream.aiter_lines():
                    if line and self._hear(story, json.loads(line.removeprefix("data: "))):
                        events -= 1
                    if events <= 0:
                        return
        except httpx.TransportError as error:
            self._history.troubles[f"GET stream {type(error).__name__}"] += 1

    def _hear(self, story: Story, event: Json) -> bool:
        if event["type"] == "heartbeat":
            return False
        if (event["type"] in ("completed", "failed")) != (event["status"] in TERMINAL):
            self._history.surprises.append(f"an event of type {event['type']} says {event['status']}")
        story.see("stream", event["job"], int(event["event_id"]), self._clock())
        return True

    async def _call(
        self,
        method: str,
        path: str,
        body: Json | None = None,
        headers: dict[str, str] | None = None,
        accepts: tuple[int, ...] = (),
    ) -> httpx.Response:
        """Repeats a call, as an app does, until somebody answers it."""
        what = f"{method} {path.split('?')[0].split('/')[3].split(':')[0]}"
        while True:
            try:
                answer = await self.client.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                self._history.troubles[f"{what} {type(error).__name__}"] += 1
            else:
                if answer.status_code < 300 or answer.status_code in accepts:
                    return answer
                self._note(f"{what} {answer.status_code}", answer)
            await asyncio.sleep(AGAIN)

    def _note(self, what: str, answer: httpx.Response) -> None:
        self._history.troubles[what] += 1
        if answer.status_code not in RETRYABLE:
            self._surprise(what, answer)

    def _surprise(self, what: str, answer: httpx.Response) -> None:
        self._history.surprises.append(f"{what}: {answer.status_code} {answer.text[:300]}")
