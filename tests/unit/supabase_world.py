"""A stand-in for Supabase Storage with two buckets, and a client that may do everything in it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import jwt

from tests.fakes.supabase import BASE, FakeSupabase
from tests.fakes.supabase_tokens import JWT_SECRET, SERVICE_KEY

PNG = b"\x89PNG, so to say"
PRIVATE, PUBLIC = "priv", "pub"


@asynccontextmanager
async def full_access(storage: FakeSupabase) -> AsyncIterator[httpx.AsyncClient]:
    """To a private and a public bucket, each for PNGs of at most a kilobyte."""
    async with a_client(storage, SERVICE_KEY) as http:
        for name, public in ((PRIVATE, False), (PUBLIC, True)):
            rules = {"file_size_limit": 1024, "allowed_mime_types": ["image/png"]}
            await http.post("/bucket", json={"id": name, "name": name, "public": public, **rules})
        yield http


def a_client(storage: FakeSupabase, token: str | None, **headers: str) -> httpx.AsyncClient:
    given = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.AsyncClient(base_url=storage.url + BASE, headers={**given, **headers}, trust_env=False, verify=False)


def a_token(**claims: Any) -> str:
    return jwt.encode(claims, JWT_SECRET, "HS256")


def said(answer: httpx.Response) -> tuple[int, str, str]:
    """HTTP's status, the one that is meant, and the kind of error."""
    body = answer.json()
    return answer.status_code, body["statusCode"], body["error"]


async def upload(http: httpx.AsyncClient, path: str, data: bytes = PNG, **headers: str) -> httpx.Response:
    sent = {"content-type": "image/png", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return await http.post(f"/object/{path}", content=data, headers=sent)


async def signed(http: httpx.AsyncClient, path: str, expires_in: int = 60) -> str:
    answer = await http.post(f"/object/sign/{path}", json={"expiresIn": expires_in})
    return str(answer.json()["signedURL"])


async def move(http: httpx.AsyncClient, source: tuple[str, str], target: tuple[str, str]) -> httpx.Response:
    wanted = {
        "bucketId": source[0],
        "sourceKey": source[1],
        "destinationBucket": target[0],
        "destinationKey": target[1],
    }
    return await http.post("/object/move", json=wanted)
