"""Every answer the Gemini API was seen to give, and what it means."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.generation.domain import Picture
from services.generation.failures import failure
from services.generation.providers.gemini_answer import read_answer
from services.generation.providers.ladder import Again, Billed, Miss
from tests.fakes.gemini_bodies import blocked, image, refused, served
from tests.pictures import a_picture
from tests.unit.gemini_world import GARBAGE

PNG = a_picture()
OTHER_PNG = a_picture(seed=2)
JPEG = a_picture(kind="JPEG")
WEBP = a_picture(kind="WEBP")
WORDS = {"text": "Here is your thumbnail:"}


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def read(body: Any) -> Picture | Miss:
    return read_answer(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("body", "picture"),
    [
        (served(image(PNG)), Picture(PNG, "image/png")),
        (served(WORDS, image(PNG)), Picture(PNG, "image/png")),
        (served(image(PNG), WORDS), Picture(PNG, "image/png")),
        (served(image(PNG), image(OTHER_PNG)), Picture(PNG, "image/png")),
        (served({"text": "Let me see", "thought": True}, image(PNG, thought=True), image(OTHER_PNG)),
         Picture(OTHER_PNG, "image/png")),
        (served(image(PNG, thoughtSignature="CpgF")), Picture(PNG, "image/png")),
        (served({"inline_data": {"mime_type": "image/png", "data": encoded(PNG)}}), Picture(PNG, "image/png")),
        (served({"inlineData": {"data": encoded(PNG)}}), Picture(PNG, "application/octet-stream")),
        (served({"inlineData": {"mimeType": "image/png", "data": "\n".join([encoded(PNG)[:40], encoded(PNG)[40:]])}}),
         Picture(PNG, "image/png")),
        (served({"text": f"![image](data:image/png;base64,{encoded(PNG)}) Enjoy it"}), Picture(PNG, "image/png")),
        (served(image(JPEG, "image/jpeg")), Picture(JPEG, "image/jpeg")),
        (served(image(WEBP, "image/webp")), Picture(WEBP, "image/webp")),
        (served(image(b"a song", "audio/mpeg"), image(PNG)), Picture(PNG, "image/png")),
        (served(image(PNG), finish_reason="MAX_TOKENS"), Picture(PNG, "image/png")),
        (served(image(PNG), finish_reason="SOMETHING_NEW"), Picture(PNG, "image/png")),
        ({"candidates": [{"content": {"parts": [image(PNG)]}}]}, Picture(PNG, "image/png")),
        ({"candidates": [{"content": {"parts": [WORDS]}}, {"content": {"parts": [image(PNG)]}}]},
         Picture(PNG, "image/png")),
    ],
)  # fmt: skip
def test_a_picture_is_found_wherever_it_lies(body: Any, picture: Picture) -> None:
    assert read(body) == picture


@pytest.mark.parametrize(
    ("finish_reason", "reason", "again"),
    [
        ("IMAGE_SAFETY", "CONTENT_POLICY", Again.WITH_ANOTHER_SEED),
        ("IMAGE_RECITATION", "CONTENT_POLICY", Again.WITH_ANOTHER_SEED),
        ("IMAGE_OTHER", "NO_IMAGE", Again.WITH_ANOTHER_SEED),
        ("NO_IMAGE", "NO_IMAGE", Again.WITH_ANOTHER_SEED),
        ("OTHER", "NO_IMAGE", Again.WITH_ANOTHER_SEED),
        ("IMAGE_PROHIBITED_CONTENT", "CONTENT_POLICY", Again.NEVER),
        ("PROHIBITED_CONTENT", "CONTENT_POLICY", Again.NEVER),
        ("BLOCKLIST", "CONTENT_POLICY", Again.NEVER),
        ("SPII", "CONTENT_POLICY", Again.NEVER),
        ("SAFETY", "CONTENT_POLICY", Again.NEVER),
        ("STOP", "NO_IMAGE", Again.NEVER),
        ("MAX_TOKENS", "NO_IMAGE", Again.NEVER),
        ("RECITATION", "NO_IMAGE", Again.NEVER),
        ("LANGUAGE", "NO_IMAGE", Again.NEVER),
        ("MALFORMED_FUNCTION_CALL", "NO_IMAGE", Again.NEVER),
        ("UNEXPECTED_TOOL_CALL", "NO_IMAGE", Again.NEVER),
        ("TOO_MANY_TOOL_CALLS", "NO_IMAGE", Again.NEVER),
        ("FINISH_REASON_UNSPECIFIED", "NO_IMAGE", Again.NEVER),
        ("IMAGE_OF_SOMEBODY_FAMOUS_2028", "NO_IMAGE", Again.NEVER),
        ("", "NO_IMAGE", Again.NEVER),
    ],
)
def test_every_finish_reason_without_a_picture_has_its_meaning(finish_reason: str, reason: str, again: Again) -> None:
    miss = read(refused(finish_reason))

    assert isinstance(miss, Miss)
    assert (miss.reason, miss.again, miss.billed) == (reason, again, Billed.YES)


@pytest.mark.parametrize("finish_reason", ["IMAGE_SAFETY", "PROHIBITED_CONTENT"])
def test_a_picture_that_was_refused_is_not_used(finish_reason: str) -> None:
    miss = read(served(image(PNG), finish_reason=finish_reason))

    assert isinstance(miss, Miss)
    assert miss.reason == "CONTENT_POLICY"


@pytest.mark.parametrize(
    "block_reason", ["SAFETY", "OTHER", "BLOCKLIST", "PROHIBITED_CONTENT", "IMAGE_SAFETY", "JAILBREAK", "NEW_IN_2028"]
)
def test_a_blocked_prompt_is_never_asked_again(block_reason: str) -> None:
    miss = read(blocked(block_reason))

    assert isinstance(miss, Miss)
    assert (miss.reason, miss.again, miss.billed) == ("CONTENT_POLICY", Again.NEVER, Billed.YES)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (served({"text": "I cannot draw that person."}), "NO_IMAGE"),
        (served({"text": "See https://example.com/picture.png"}), "NO_IMAGE"),
        (served(image(PNG, thought=True)), "NO_IMAGE"),
        (served(image(b"")), "NO_IMAGE"),
        (served(), "NO_IMAGE"),
        ({"candidates": []}, "NO_IMAGE"),
        ({"candidates": None, "promptFeedback": {}}, "NO_IMAGE"),
        ({}, "NO_IMAGE"),
        (served({"inlineData": {"mimeType": "image/png", "data": "not base64!"}}), "INVALID_IMAGE"),
        (served({"inlineData": {"mimeType": "image/png", "data": encoded(PNG)[:-1]}}), "INVALID_IMAGE"),
        (served({"inlineData": {"mimeType": "image/png", "data": "ä"}}), "INVALID_IMAGE"),
        (served(image(b"a song", "audio/mpeg")), "NO_IMAGE"),
        ([served(image(PNG))], "PROVIDER_ERROR"),
        ("a picture", "PROVIDER_ERROR"),
        (None, "PROVIDER_ERROR"),
    ],
)
def test_a_served_answer_without_a_usable_picture_is_never_a_success(body: Any, reason: str) -> None:
    miss = read(body)

    assert isinstance(miss, Miss)
    assert (miss.reason, miss.again, miss.billed) == (reason, Again.NEVER, Billed.YES)


@pytest.mark.parametrize("body", [b"", b"<html>Bad Gateway</html>", b'{"candidates": [', b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json_is_an_error_that_was_paid_for(body: bytes) -> None:
    miss = read_answer(body)

    assert isinstance(miss, Miss)
    assert (miss.reason, miss.again, miss.billed) == ("PROVIDER_ERROR", Again.NEVER, Billed.YES)


def test_what_the_service_wrote_is_repeated_nowhere() -> None:
    misses = [read(refused("IMAGE_SAFETY")), read(refused("A SECRET")), read(served({"text": "A SECRET"}))]

    assert not any("SECRET" in repr(miss) or "Support code" in repr(miss) for miss in misses)


@settings(deadline=None)
@given(GARBAGE | st.builds(served, GARBAGE, GARBAGE) | st.fixed_dictionaries({"candidates": GARBAGE}))
def test_no_garbage_breaks_the_reader(body: Any) -> None:
    outcome = read(body)

    assert isinstance(outcome, Picture) or failure(outcome.reason)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    outcome = read_answer(body)

    assert isinstance(outcome, Picture) or failure(outcome.reason)
