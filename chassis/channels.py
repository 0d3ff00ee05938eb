"""Channels to other services on a private network, and what their errors say."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import grpc
from google.rpc import error_details_pb2, status_pb2

from chassis.errors import ServiceError, TokenExpired, Unauthenticated, Unavailable
from chassis.telemetry import current_request_id

RETRIES = {
    "maxAttempts": 3,
    "initialBackoff": "0.02s",
    "maxBackoff": "0.2s",
    "backoffMultiplier": 3,
    # The last two are gRPC's own words for a call that met a service which stops.
    "retryableStatusCodes": ["UNAVAILABLE", "UNKNOWN", "CANCELLED"],
}
OPTIONS = (
    # One that was away is found again before another one, which waited for it in a rolling restart, goes.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 100),
    # One that hangs takes connections and says nothing.
    ("grpc.keepalive_time_ms", 2000),
    ("grpc.keepalive_timeout_ms", 2000),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
)


def open_channel(target: str, repeatable: Mapping[str, Sequence[str]]) -> grpc.aio.Channel:
    """A channel to the replicas of another service.

    `repeatable` names, by service, methods that may be called twice: when one replica does not serve, the next one is
    asked within the same time limit.
    """
    config = json.dumps(_service_config(repeatable))
    return grpc.aio.insecure_channel(target, options=(("grpc.service_config", config), *OPTIONS))


def call_metadata(token: str) -> tuple[tuple[str, str], ...]:
    """What a call says beside its request: whose it is, and the id of the request it is made for."""
    authorization, request_id = ("authorization", f"Bearer {token}"), current_request_id()
    return (authorization, ("x-request-id", request_id)) if request_id else (authorization,)


def reason(error: grpc.aio.AioRpcError) -> str:
    """Why another service of ours refused a call; empty when it was none of them."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin" and isinstance(value, bytes):
            for detail in status_pb2.Status.FromString(value).details:
                info = error_details_pb2.ErrorInfo()
                if detail.Unpack(info):
                    return str(info.reason)
    return ""


def untold(error: grpc.aio.AioRpcError) -> ServiceError:
    """What our caller is told of an error that has no other meaning to them."""
    if error.code() is grpc.StatusCode.UNAUTHENTICATED:
        expired = reason(error) == TokenExpired.reason
        return (TokenExpired if expired else Unauthenticated)(error.details() or "sign in again")
    return Unavailable("a part of the system is not available; try again in a moment")


def _service_config(repeatable: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    names = [{"service": service, "method": method} for service, methods in repeatable.items() for method in methods]
    return {
        "loadBalancingConfig": [{"round_robin": {}}],
        # One that says it stops, or that its database is away, is left before it refuses.
        "healthCheckConfig": {"serviceName": ""},
        "methodConfig": [{"name": names, "retryPolicy": RETRIES}],
    }
