"""Which parts a system has, what they are called, and what each is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chassis.settings import SettingsError
from deploy.local.parts import Part
from deploy.local.secrets import with_secrets
from deploy.local.settings import read_local_settings
from deploy.local.studio import studio_stages

POSTGRES = {"DATABASE_URL": "postgresql://postgres@127.0.0.1:5432/studio"}
SERVICES = ("prompt", "generation", "storage")


def parts(data_dir: Path, **environ: str) -> dict[str, Part]:
    """What would be started, by name."""
    settings = read_local_settings({"STUDIO_DATA_DIR": str(data_dir), **environ})
    stages = studio_stages(with_secrets(settings.with_free_ports()))
    return {part.name: part for stage in stages for part in stage}


def refusal(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as error:
        read_local_settings(environ)
    return str(error.value).splitlines()


def endpoints(data_dir: Path, service: str) -> list[int]:
    """The ports to which the gateway sends what is for a service."""
    config: Any = json.loads((data_dir / "run" / "envoy.json").read_text())
    [cluster] = [each for each in config["static_resources"]["clusters"] if each["name"] == service]
    [locality] = cluster["load_assignment"]["endpoints"]
    return [each["endpoint"]["address"]["socket_address"]["port_value"] for each in locality["lb_endpoints"]]


def test_one_of_each_is_called_by_its_own_name(tmp_path: Path) -> None:
    found = parts(tmp_path)

    assert list(found) == ["nats", *SERVICES, "gateway"]
    assert [found[name].ports for name in SERVICES] == [
        {"PROMPT_PORT": 50051}, {"GENERATION_PORT": 50052}, {"STORAGE_PORT": 50053},
    ]  # fmt: skip
    assert str(tmp_path / "nats") in (tmp_path / "run" / "nats.conf").read_text()
    assert "cluster" not in (tmp_path / "run" / "nats.conf").read_text()
    for name in SERVICES:
        assert found[name].env["NATS_REPLICAS"] == "1"
        assert "STOP_NOTICE" not in found[name].env


def test_several_of_each_are_numbered_and_the_first_has_the_port_that_was_asked_for(tmp_path: Path) -> None:
    found = parts(tmp_path, STUDIO_REPLICAS="2", STUDIO_NATS_SERVERS="3", **POSTGRES)

    assert list(found) == [
        "nats-1", "nats-2", "nats-3", "prompt-1", "prompt-2", "generation-1", "generation-2", "storage-1", "storage-2",
        "gateway",
    ]  # fmt: skip
    assert found["generation-1"].ports == {"GENERATION_PORT": 50052}
    assert found["generation-1"].env["GENERATION_PORT"] == "50052"
    [second] = found["generation-2"].ports.values()
    assert found["generation-2"].env["GENERATION_PORT"] == str(second)
    ports = [port for part in found.values() for port in part.ports.values()]
    assert len(set(ports)) == len(ports)


def test_everybody_is_told_of_every_replica(tmp_path: Path) -> None:
    found = parts(tmp_path, STUDIO_REPLICAS="3", STUDIO_NATS_SERVERS="3", **POSTGRES)

    for service in ("prompt", "storage"):
        ports = [found[f"{service}-{number}"].env[f"{service.upper()}_PORT"] for number in (1, 2, 3)]
        told = ",".join(f"127.0.0.1:{port}" for port in ports)
        assert {each.env[f"{service.upper()}_ADDRESS"] for name, each in found.items() if "generation" in name} == {
            told
        }
        assert [str(port) for port in endpoints(tmp_path, service)] == ports
    nats = found["storage-2"].env["NATS_URL"].split(",")
    assert [int(url.rpartition(":")[2]) for url in nats] == [
        found[f"nats-{number}"].ports[f"the port of nats-{number}"] for number in (1, 2, 3)
    ]


def test_replicas_give_notice_unless_somebody_says_how_long(tmp_path: Path) -> None:
    assert parts(tmp_path, STUDIO_REPLICAS="2", **POSTGRES)["prompt-1"].env["STOP_NOTICE"] == "2.0"
    assert parts(tmp_path, STUDIO_REPLICAS="2", STOP_NOTICE="0", **POSTGRES)["prompt-1"].env["STOP_NOTICE"] == "0"


def test_a_cluster_keeps_each_message_on_every_server_unless_somebody_says_on_how_many(tmp_path: Path) -> None:
    assert parts(tmp_path, STUDIO_NATS_SERVERS="3")["prompt"].env["NATS_REPLICAS"] == "3"
    assert parts(tmp_path, STUDIO_NATS_SERVERS="3", NATS_REPLICAS="1")["prompt"].env["NATS_REPLICAS"] == "1"
    elsewhere = {"NATS_URL": "nats://nats.example.com", "NATS_REPLICAS": "3"}
    assert parts(tmp_path, **elsewhere)["prompt"].env["NATS_REPLICAS"] == "3"


def test_the_servers_of_a_cluster_have_a_directory_each_and_let_nobody_else_in(tmp_path: Path) -> None:
    parts(tmp_path, STUDIO_NATS_SERVERS="3")

    configs = [(tmp_path / "run" / f"nats-{number}.conf").read_text() for number in (1, 2, 3)]
    for number, config in enumerate(configs, 1):
        assert f'server_name: "nats-{number}"' in config
        assert str(tmp_path / f"nats-{number}") in config
        assert config.count("authorization {") == 2, "for clients, and for routes"
        assert config.count("nats-route://") == 3
        assert "sync_interval: always" in config


def test_more_than_one_replica_needs_a_database_they_can_share() -> None:
    sentence = "STUDIO_REPLICAS: more than one needs PostgreSQL (a SQLite file serves one process): set DATABASE_URL"

    assert refusal(STUDIO_REPLICAS="2") == [sentence]
    assert refusal(STUDIO_REPLICAS="2", DATABASE_URL="sqlite:////tmp/studio.db") == [sentence]
    assert read_local_settings({"STUDIO_REPLICAS": "2", **POSTGRES}).replicas == 2


@pytest.mark.parametrize("servers", ["0", "2", "4", "many"])
def test_a_cluster_has_a_majority_to_lose_a_server_from(servers: str) -> None:
    [line] = refusal(STUDIO_NATS_SERVERS=servers)

    assert line.startswith("STUDIO_NATS_SERVERS: ")


def test_what_cannot_be_together_is_said_at_once() -> None:
    given = {"STUDIO_NATS_SERVERS": "3", "NATS_URL": "nats://nats.example.com", "STUDIO_REPLICAS": "2"}

    assert [line.partition(":")[0] for line in refusal(**given)] == ["STUDIO_NATS_SERVERS", "STUDIO_REPLICAS"]


def test_no_message_is_kept_on_more_servers_than_there_are() -> None:
    assert refusal(NATS_REPLICAS="3") == ["NATS_REPLICAS: must be at most STUDIO_NATS_SERVERS"]
    assert read_local_settings({"NATS_REPLICAS": "3", "STUDIO_NATS_SERVERS": "5"}).nats_replicas == 3
