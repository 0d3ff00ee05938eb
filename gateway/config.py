"""`envoy.yaml` with its settings put in, as Envoy's bootstrap configuration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from gateway.refusals import local_reply_mappers, lua_refusals
from gateway.settings import Address, GatewaySettings
from gateway.tokens import jwks_cluster, token_providers

HERE = Path(__file__).resolve().parent


def envoy_config(settings: GatewaySettings) -> dict[str, Any]:
    """The whole configuration. It holds the token secrets: write it where only its owner can read."""
    loader = _loader(_values(settings))
    config: dict[str, Any] = _without_nones(yaml.load((HERE / "envoy.yaml").read_text(), loader))
    return config


def _values(settings: GatewaySettings) -> dict[str, Any]:
    """What `!setting <name>` in the template stands for."""
    providers = token_providers(settings)
    return {
        "admin_port": settings.admin_port,
        "host": settings.host,
        "port": settings.port,
        "access_log": [_access_log(settings.access_log)] if settings.access_log else [],
        "refusals": local_reply_mappers(),
        "lua": f"local REFUSALS = {lua_refusals()}\n{(HERE / 'response.lua').read_text()}",
        "token_providers": providers,
        "token_requirements": [{"provider_name": name} for name in providers],
        "descriptor": str(settings.descriptor),
        "openapi": str(settings.openapi),
        "docs": str(settings.docs),
        "cors_origins": [{"exact": origin} for origin in settings.cors_origins],
        "prompt": _endpoints("prompt", settings.prompt),
        "generation": _endpoints("generation", settings.generation),
        "storage": _endpoints("storage", settings.storage),
        "jwks": jwks_cluster(settings.jwt_jwks_url) if settings.jwt_jwks_url else None,
    }


def _loader(values: Mapping[str, Any]) -> type[yaml.SafeLoader]:
    class Template(yaml.SafeLoader):
        """YAML in which `!setting <name>` is a value; a name nobody filled in is a KeyError."""

    Template.add_constructor("!setting", lambda _, node: values[node.value])
    return Template


def _without_nones(value: Any) -> Any:
    """The same without the settings that are not there, which Envoy would take for empty ones."""
    if isinstance(value, dict):
        return {key: _without_nones(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nones(item) for item in value if item is not None]
    return value


def _endpoints(name: str, replicas: Sequence[Address]) -> dict[str, Any]:
    places = [{"address": each.host, "port_value": each.port} for each in replicas]
    endpoints = [{"endpoint": {"address": {"socket_address": place}}} for place in places]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}


def _access_log(path: Path) -> dict[str, Any]:
    """One JSON object a line. Paths come without their query: a file's token stands there."""
    line = {
        "time": "%START_TIME%",
        "method": "%REQ(X-ENVOY-ORIGINAL-METHOD?:METHOD)%",
        "path": "%REQ_WITHOUT_QUERY(X-ENVOY-ORIGINAL-PATH?:PATH)%",
        "status": "%RESPONSE_CODE%",
        "grpc_status": "%GRPC_STATUS_NUMBER%",
        "details": "%RESPONSE_CODE_DETAILS%",
        "flags": "%RESPONSE_FLAGS%",
        "milliseconds": "%DURATION%",
        "bytes_in": "%BYTES_RECEIVED%",
        "bytes_out": "%BYTES_SENT%",
        "request_id": "%REQ(X-REQUEST-ID)%",
        "upstream": "%UPSTREAM_CLUSTER%",
        "user_agent": "%REQ(USER-AGENT)%",
    }
    formatter = {
        "name": "envoy.formatter.req_without_query",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery"
        },
    }
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            "path": str(path),
            "log_format": {"json_format": line, "formatters": [formatter]},
        },
    }
