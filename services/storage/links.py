"""Signed links: what opens one private path until a moment, and nothing else."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode

from services.storage.domain import LinkRefused


class Signer:
    """Makes and checks the tokens of links: `<expiry in seconds since 1970>.<HMAC-SHA256 of path and expiry>`."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def sign(self, key: str, expires_at: int) -> str:
        """The token that opens this key until then."""
        return f"{expires_at}.{self._signature(key, str(expires_at))}"

    def seconds_left(self, key: str, token: str, now: float) -> int:
        """How long a token still opens a key.

        Raises:
            LinkRefused: it does not, or no longer.
        """
        expiry, _, signature = token.partition(".")
        # As bytes: compare_digest takes text only if it is ASCII, and anybody may have typed this.
        if not hmac.compare_digest(self._signature(key, expiry).encode(), signature.encode()):
            raise LinkRefused
        left = int(expiry) - now
        if left <= 0:
            raise LinkRefused
        return int(left)

    def _signature(self, key: str, expiry: str) -> str:
        # No key and no number holds a line break, so no two pairs are signed alike.
        digest = hmac.digest(self._secret, f"{key}\n{expiry}".encode(), "sha256")
        return urlsafe_b64encode(digest).rstrip(b"=").decode()
