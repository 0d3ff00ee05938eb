"""Where another service answers, from a setting to what gRPC takes."""

from __future__ import annotations

import re
from ipaddress import ip_address

_LIKE = "must be like 127.0.0.1:50051, or several with commas between"
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")


def grpc_target(text: str) -> str:
    """Reads `host:port`: a name, which may stand for many replicas, or IP addresses with commas between.

    Raises:
        ValueError: it is something else; gRPC takes no list of names.
    """
    places = [_split(each.strip()) for each in text.split(",")]
    kinds = {_kind(host) for host, _ in places}
    if len(kinds) > 1 or (kinds == {"dns"} and len(places) > 1):
        raise ValueError("several replicas are one name, or all IPv4, or all IPv6 addresses")
    [kind] = kinds
    if kind == "dns":
        return f"dns:///{text.strip()}"
    return f"{kind}:" + ",".join(f"[{host}]:{port}" if kind == "ipv6" else f"{host}:{port}" for host, port in places)


def _split(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(_LIKE)
    return host.removeprefix("[").removesuffix("]"), int(port)


def _kind(host: str) -> str:
    try:
        return f"ipv{ip_address(host).version}"
    except ValueError:
        if _NAME.fullmatch(host):
            return "dns"
        raise ValueError(_LIKE) from None
