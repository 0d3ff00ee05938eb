"""The Gemini provider when a call was served and brought no picture: what is paid, thrown again, and said."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.generation.providers.gemini import LONGEST_BODY
from tests.fakes.gemini import CUT, KEY, Turn
from tests.fakes.gemini_bodies import bad_key, blocked, error, model_gone, refused, served
from tests.unit.gemini_world import World, gemini_world


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with gemini_world() as world:
        yield world


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (blocked("PROHIBITED_CONTENT"), "CONTENT_POLICY"),
        (blocked("OTHER"), "CONTENT_POLICY"),
        (refused("IMAGE_PROHIBITED_CONTENT"), "CONTENT_POLICY"),
        (refused("SAFETY"), "CONTENT_POLICY"),
        (refused("SOMETHING_NEW"), "NO_IMAGE"),
        (served({"text": "I cannot draw that."}), "NO_IMAGE"),
        ({"candidates": []}, "NO_IMAGE"),
        (b"<html>hello</html>", "PROVIDER_ERROR"),
        (served({"inlineData": {"data": "!"}}), "INVALID_IMAGE"),
    ],
)
async def test_what_was_served_without_a_picture_is_paid_and_not_asked_for_again(
    world: World, body: Any, reason: str
) -> None:
    world.fake.script(Turn(body))

    assert (await world.failure()).reason == reason
    assert world.calls.states == ["paid"]


@pytest.mark.parametrize("finish_reason", ["IMAGE_SAFETY", "IMAGE_RECITATION", "IMAGE_OTHER", "NO_IMAGE", "OTHER"])
async def test_a_picture_that_was_held_back_gets_another_throw_of_the_dice(world: World, finish_reason: str) -> None:
    world.fake.script(Turn(refused(finish_reason)))

    await world.render()

    first, second = world.fake.ledger
    assert first.seed != second.seed
    assert world.calls.states == ["paid", "paid"]
    assert world.waits == []


@pytest.mark.parametrize(
    ("finish_reason", "reason"),
    [
        ("IMAGE_SAFETY", "CONTENT_POLICY"),
        ("IMAGE_RECITATION", "CONTENT_POLICY"),
        ("IMAGE_OTHER", "NO_IMAGE"),
        ("NO_IMAGE", "NO_IMAGE"),
        ("OTHER", "NO_IMAGE"),
    ],
)
async def test_the_dice_are_thrown_twice_and_no_more(world: World, finish_reason: str, reason: str) -> None:
    world.fake.script(*[Turn(refused(finish_reason))] * 9)

    assert (await world.failure()).reason == reason
    assert world.calls.states == ["paid", "paid"]


async def test_after_a_lost_call_there_is_no_second_throw(world: World) -> None:
    world.fake.script(CUT, Turn(refused("IMAGE_SAFETY")))

    assert (await world.failure()).reason == "CONTENT_POLICY"
    assert world.calls.states == ["unknown", "paid"]


async def test_a_second_throw_that_the_budget_forbids_leaves_the_refusal_as_the_reason(world: World) -> None:
    async with world.calls.attempt():
        pass  # an earlier delivery died in its call
    world.fake.script(Turn(refused("IMAGE_SAFETY")))

    assert (await world.failure()).reason == "CONTENT_POLICY"
    assert len(world.fake.ledger) == 1


async def test_an_answer_without_end_is_cut_off(world: World) -> None:
    sent = []

    async def endless() -> AsyncIterator[bytes]:
        for part in range(100):
            sent.append(part)
            yield b"[" * 2**20

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))

    async with httpx.AsyncClient(transport=transport) as world.http:
        assert (await world.failure()).reason == "PROVIDER_ERROR"
    assert len(sent) == LONGEST_BODY // 2**20 + 1


@pytest.mark.parametrize(
    ("turn", "setting"),
    [(Turn(model_gone("gemini-9"), 404), "GEMINI_MODEL"), (Turn(bad_key(), 400), "GEMINI_API_KEY")],
)
async def test_what_has_to_be_mended_is_logged_loudly(
    world: World, caplog: pytest.LogCaptureFixture, turn: Turn, setting: str
) -> None:
    world.fake.script(turn)

    await world.failure()

    assert [setting in record.message for record in caplog.records if record.levelno == logging.ERROR] == [True]


async def test_neither_the_key_nor_a_word_of_the_service_is_logged_or_told(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    said = f"THEIR OWN WORDS about {KEY}"
    turns = [Turn(error(status, said, said), status) for status in (400, 401, 403, 404)]
    turns += [Turn(refused(said)), Turn(served({"text": said})), Turn(blocked(said)), Turn(said.encode())]

    told = ""
    for turn in turns:
        world.fake.script(turn)
        world.calls.calls.clear()
        told += repr(await world.failure())

    logged = caplog.text + repr([vars(record) for record in caplog.records])
    assert "THEIR OWN WORDS" not in logged + told
    assert KEY not in logged + told
    assert not any(KEY in target for target in world.fake.targets)
