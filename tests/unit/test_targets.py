"""Where another service answers: what may be said, and what gRPC makes of it."""

from __future__ import annotations

import pytest

from chassis.settings import SettingsError, read_settings
from chassis.targets import grpc_target
from services.generation.settings import Settings
from tests.builders import SERVICE_SECRET, USER_SECRET, service_token

NEEDED = {
    "NATS_URL": "nats://nats", "JWT_SECRET": USER_SECRET, "SERVICE_JWT_SECRET": SERVICE_SECRET,
    "SERVICE_TOKEN": service_token(),
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("127.0.0.1:50051", "ipv4:127.0.0.1:50051"),
        ("10.0.0.1:50051, 10.0.0.2:50052", "ipv4:10.0.0.1:50051,10.0.0.2:50052"),
        ("[::1]:1,[fd00::2]:2", "ipv6:[::1]:1,[fd00::2]:2"),
        ("prompt.studio.svc:50051", "dns:///prompt.studio.svc:50051"),
    ],
)
def test_replicas_are_addresses_or_one_name(text: str, target: str) -> None:
    assert grpc_target(text) == target


@pytest.mark.parametrize(
    "text",
    ["", ",", "prompt", ":1", "prompt:", "prompt:0", "prompt:65536", "prompt:http", "a b:1", "http://prompt:1",
     "10.0.0.1:1,", "one:1,two:1", "10.0.0.1:1,[::1]:1", "10.0.0.1:1,two:1"],
)  # fmt: skip
def test_anything_else_is_refused_by_the_name_of_its_variable(text: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings(Settings, {**NEEDED, "PROMPT_ADDRESS": text or " ", "STORAGE_ADDRESS": text or " "})

    assert [line.partition(":")[0] for line in str(refusal.value).splitlines()] == ["PROMPT_ADDRESS", "STORAGE_ADDRESS"]


def test_without_a_word_the_others_are_on_this_machine() -> None:
    settings = read_settings(Settings, NEEDED)

    assert (settings.prompt_address, settings.storage_address) == ("ipv4:127.0.0.1:50051", "ipv4:127.0.0.1:50053")
