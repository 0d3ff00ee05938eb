"""An issuer of tokens with public keys, and the address where it publishes them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class IssuerKey:
    """One key pair, under an id."""

    def __init__(self, key_id: str, algorithm: str = "ES256") -> None:
        self.key_id = key_id
        self.algorithm = algorithm
        self._private: PrivateKey = (
            ec.generate_private_key(ec.SECP256R1())
            if algorithm == "ES256"
            else rsa.generate_private_key(public_exponent=65537, key_size=2048)
        )

    def token(self, **claims: Any) -> str:
        """A token as Supabase makes them; `kid` may be given to lie, or to be left out."""
        key_id = claims.pop("kid", self.key_id)
        headers = {"kid": key_id} if key_id else {}
        now = datetime.now(UTC)
        base = {"sub": "ada", "aud": "authenticated", "iss": "https://x.supabase.co/auth/v1", "role": "authenticated"}
        times = {"iat": now, "exp": now + timedelta(hours=1)}
        return jwt.encode({**base, **times, **claims}, self._private, self.algorithm, headers=headers)

    def jwk(self, **changes: Any) -> dict[str, Any]:
        """Its public half, as it is published."""
        public = self._private.public_key()
        plain = (
            ECAlgorithm.to_jwk(public, as_dict=True)
            if isinstance(public, ec.EllipticCurvePublicKey)
            else RSAAlgorithm.to_jwk(public, as_dict=True)
        )
        return {**plain, "kid": self.key_id, "use": "sig", "alg": self.algorithm, **changes}

    def pem(self) -> bytes:
        """Its public half, as an attacker may find it."""
        return self._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


class JwksEndpoint:
    """What the address answers, and how often it was asked."""

    def __init__(self, *keys: IssuerKey) -> None:
        self.body = b""
        self.status = "200 OK"
        self.asked = 0
        self.silent = False
        """Whether it takes calls and never answers."""
        self.url = ""
        self.publish(*keys)

    def publish(self, *keys: IssuerKey) -> None:
        """Replaces the keys."""
        self.body = json.dumps({"keys": [key.jwk() for key in keys]}).encode()

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            self.asked += 1
            if self.silent:
                await reader.read()
            else:
                writer.write(f"HTTP/1.1 {self.status}\r\ncontent-length: {len(self.body)}\r\n\r\n".encode() + self.body)
                await writer.drain()
        finally:
            writer.close()


@asynccontextmanager
async def serving_keys(*keys: IssuerKey) -> AsyncIterator[JwksEndpoint]:
    """An issuer's address on a free port."""
    endpoint = JwksEndpoint(*keys)
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    endpoint.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"
    async with server:
        yield endpoint
