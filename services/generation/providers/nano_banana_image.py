"""Fetches a picture from the address that the Nano Banana API gave.

That address is somebody else's word. Only http, https and data URLs are followed, at most three redirects and none to
another scheme, and at most 25 MiB are read. A host inside our own network is refused once it is connected to and
before anything is sent, so that no name can be looked up twice with different answers; unless the API itself is
inside, as a stand-in on one's own machine is.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import logging
import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

import httpx

from services.generation.domain import Picture
from services.generation.providers.ladder import RUNGS, retry_after
from services.generation.providers.nano_banana_errors import GenerationError, InvalidImageError
from services.generation.providers.timing import Timing

LONGEST_IMAGE = 25 * 2**20
"""Bytes."""
LONGEST_WAIT = 8.0
"""Seconds between two tries to fetch a picture, whatever its host asks for: it is paid for."""
REDIRECTS_AT_MOST = 3

_DATA = re.compile(r"data:(image/[a-z0-9.+-]{1,64});base64,", re.IGNORECASE)
_NAT64 = IPv6Network("64:ff9b::/96")
# What may be there in a moment; to ask once more costs nothing, and the picture has been paid for.
_PASSING = (404, 408, 425, 429)

log = logging.getLogger(__name__)


class _NotYet(Exception):
    """The picture may be there in a moment."""

    def __init__(self, why: str, hint: float = 0.0) -> None:
        super().__init__(why)
        self.hint = hint


class ImageFetcher:
    """Fetches pictures with a client that others use as well."""

    def __init__(self, http: httpx.AsyncClient, api_url: str, timeout: float, timing: Timing) -> None:
        """`timeout` is in seconds and for one try as a whole."""
        self._http = http
        self._api_host = httpx.URL(api_url).host
        self._timeout = timeout
        self._timing = timing

    async def fetch(self, image_url: str) -> Picture:
        """The picture, not looked at; as many tries as a paid call has.

        Raises:
            InvalidImageError: the address or what is found there is nothing we take.
            GenerationError: it is not to be had.
        """
        if image_url[:5].lower() == "data:":
            # In a thread: it is megabytes of base64.
            return await asyncio.to_thread(_decode, image_url)
        retries = 0
        while True:
            try:
                return await self._try(image_url)
            except _NotYet as error:
                if retries == len(RUNGS):
                    raise GenerationError(f"the picture is not to be had: {error}") from None
                log.info("the picture is not there yet", extra={"why": str(error), "retries": retries})
                # It cannot be put off: to be asked for again it would have to be paid for again.
                await self._timing.pause(RUNGS[retries], min(error.hint, LONGEST_WAIT))
            retries += 1

    async def _try(self, image_url: str) -> Picture:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._follow(httpx.URL(image_url))
        except (httpx.HTTPError, TimeoutError) as error:
            raise _NotYet(type(error).__name__) from None
        except httpx.InvalidURL:
            raise InvalidImageError("an address that is none") from None

    async def _follow(self, url: httpx.URL) -> Picture:
        for _ in range(1 + REDIRECTS_AT_MOST):
            _check(url)
            async with self._http.stream("GET", url, extensions={"trace": self._watch}) as response:
                if not response.has_redirect_location:
                    return await self._take(response)
            target = url.join(response.headers["Location"])
            if target.scheme != url.scheme:
                raise InvalidImageError("a redirect to another scheme")
            url = target
        raise InvalidImageError("too many redirects")

    async def _take(self, response: httpx.Response) -> Picture:
        status, why = response.status_code, f"HTTP {response.status_code}"
        if status in _PASSING or status >= 500:
            raise _NotYet(why, retry_after(response.headers.get("Retry-After"), self._timing.now()))
        if not response.is_success:
            raise GenerationError(f"the picture is not to be had: {why}")
        data = await read_at_most(response, LONGEST_IMAGE + 1)
        if len(data) > LONGEST_IMAGE:
            raise InvalidImageError("a picture of more than 25 MiB")
        return Picture(data, response.headers.get("Content-Type", "application/octet-stream"))

    async def _watch(self, event: str, info: Mapping[str, Any]) -> None:
        """Hears of every step of a request, and stops it when it has connected to where it must not."""
        if event != "connection.connect_tcp.complete":
            return
        stream = info["return_value"]
        if is_inside(stream.get_extra_info("server_addr")[0]) and not await self._api_is_inside():
            await stream.aclose()
            raise InvalidImageError("an address inside our own network")

    async def _api_is_inside(self) -> bool:
        try:
            found = await asyncio.get_running_loop().getaddrinfo(self._api_host, None)
        except OSError:
            return False
        return any(is_inside(str(address[0])) for *_, address in found)


async def read_at_most(response: httpx.Response, limit: int) -> bytes:
    """The body of a response, cut off at so many bytes; not unpacked, since we ask for nothing packed."""
    data = bytearray()
    async for part in response.aiter_raw():
        data += part
        if len(data) >= limit:
            break
    del data[limit:]
    return bytes(data)


def _check(url: httpx.URL) -> None:
    if url.scheme not in ("http", "https") or not url.host or (url.port or 0) > 65_535:
        raise InvalidImageError("an address that is none of http or https")


def _decode(data_url: str) -> Picture:
    head = _DATA.match(data_url)
    if head is None:
        raise InvalidImageError("a data URL without a picture")
    if len(data_url) - head.end() > LONGEST_IMAGE * 4 // 3 + 4:
        raise InvalidImageError("a picture of more than 25 MiB")
    try:
        return Picture(base64.b64decode(data_url[head.end() :], validate=True), head[1].lower())
    except binascii.Error:
        raise InvalidImageError("a data URL that is not base64") from None


def is_inside(host: str) -> bool:
    """Whether an IP address is not one of the open internet."""
    address = ip_address(host)
    if isinstance(address, IPv6Address):
        # Two ways to write an IPv4 address that lead to the same machine.
        written = IPv4Address(int(address) & 0xFFFF_FFFF) if address in _NAT64 else address.ipv4_mapped
        address = written or address
    return not address.is_global
