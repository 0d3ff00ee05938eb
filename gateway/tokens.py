"""What the gateway checks of a token: its signature and its time.

The services verify each token again and check the rest (issuer, audience, `type`, `role`), so that calling one of them
directly is no way around anything. The rest is not checked here as well: Envoy would answer a wrong audience with 403.
"""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, urlsplit

import certifi

from gateway.settings import GatewaySettings

SKEW_SECONDS = 30
JWKS_CLUSTER = "jwks"


def token_providers(settings: GatewaySettings) -> dict[str, Any]:
    """Envoy's JWT providers by name, in the order they are asked.

    The remote keys come last: Envoy reports the last refusal, and "the keys could not be fetched" must not be hidden
    behind "this is not a service's token".
    """
    providers: dict[str, Mapping[str, Any]] = {}
    if settings.jwt_secret:
        providers["user"] = {"local_jwks": {"inline_string": _secret_jwks(settings.jwt_secret)}}
    providers["service"] = {"local_jwks": {"inline_string": _secret_jwks(settings.service_jwt_secret)}}
    if settings.jwt_jwks_url:
        providers["jwks"] = {"remote_jwks": _remote_jwks(settings.jwt_jwks_url)}
    return {name: {**_common(), **keys} for name, keys in providers.items()}


def jwks_cluster(url: str) -> dict[str, Any]:
    """Where Envoy fetches the remote keys."""
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    endpoint = {"address": {"socket_address": {"address": parts.hostname, "port_value": port}}}
    return {
        "name": JWKS_CLUSTER,
        "type": "STRICT_DNS",
        "dns_lookup_family": "V4_PREFERRED",
        "connect_timeout": "5s",
        "load_assignment": {
            "cluster_name": JWKS_CLUSTER,
            "endpoints": [{"lb_endpoints": [{"endpoint": endpoint}]}],
        },
        "transport_socket": _tls(parts) if parts.scheme == "https" else None,
    }


def _common() -> dict[str, Any]:
    return {
        "require_expiration": True,
        "clock_skew_seconds": SKEW_SECONDS,
        # The services read it again.
        "forward": True,
        # Else Envoy would also take a token from the query, where logs and histories keep it.
        "from_headers": [{"name": "Authorization", "value_prefix": scheme} for scheme in ("Bearer ", "bearer ")],
    }


def _secret_jwks(secret: str) -> str:
    key = base64.urlsafe_b64encode(secret.encode()).rstrip(b"=").decode()
    return json.dumps({"keys": [{"kty": "oct", "alg": "HS256", "k": key}]})


def _remote_jwks(url: str) -> dict[str, Any]:
    return {
        "http_uri": {"uri": url, "cluster": JWKS_CLUSTER, "timeout": "5s"},
        "cache_duration": "300s",
        # The gateway opens without waiting for the keys, and has them before somebody asks.
        "async_fetch": {"fast_listener": True},
    }


def _tls(parts: SplitResult) -> dict[str, Any]:
    trusted = ssl.get_default_verify_paths().cafile or certifi.where()
    name_check = {"san_type": "DNS", "matcher": {"exact": parts.hostname}}
    return {
        "name": "envoy.transport_sockets.tls",
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
            "sni": parts.hostname,
            "common_tls_context": {
                "validation_context": {
                    "trusted_ca": {"filename": trusted},
                    "match_typed_subject_alt_names": [name_check],
                }
            },
        },
    }
