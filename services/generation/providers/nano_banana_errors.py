"""Why the Nano Banana API made no picture; every error knows the reason that its job fails with.

    GenerationError               PROVIDER_ERROR        any other way
    ├── RateLimitError            PROVIDER_RATE_LIMIT   not now; nothing more is asked before `retry_after`
    ├── ContentPolicyError        CONTENT_POLICY        the request was refused for what it asks
    ├── ProviderAuthError         PROVIDER_AUTH         our key was refused
    ├── GenerationTimeoutError    PROVIDER_TIMEOUT      it took too long
    │   └── UnknownOutcomeError   OUTCOME_UNKNOWN       a call was sent, never answered, and may have been billed
    └── InvalidImageError         INVALID_IMAGE         a picture was made and cannot be taken

Messages are in our words: what the API writes may repeat the prompt, and addresses of pictures carry signatures.
"""

from __future__ import annotations

from typing import ClassVar

from services.generation.providers.ladder import Miss, tired


class GenerationError(Exception):
    """No picture."""

    reason: ClassVar[str] = "PROVIDER_ERROR"

    def __init__(self, why: str, *, retryable: bool | None = None) -> None:
        super().__init__(why)
        self.retryable = retryable
        """Whether the same job may succeed later, where that differs from what is usual for the reason."""


class RateLimitError(GenerationError):
    """The API is too busy for us."""

    reason = "PROVIDER_RATE_LIMIT"

    def __init__(self, retry_after: float, *, for_everybody: bool = True) -> None:
        super().__init__("rate limited")
        self.retry_after = retry_after
        """Seconds before which asking again is of no use."""
        self.for_everybody = for_everybody
        """Whether that is so for any request. An API that is full says it to each one too many, and takes the next."""


class ContentPolicyError(GenerationError):
    """The API does not draw this."""

    reason = "CONTENT_POLICY"


class ProviderAuthError(GenerationError):
    """The API does not accept our key."""

    reason = "PROVIDER_AUTH"


class GenerationTimeoutError(GenerationError):
    """The API did not answer in time."""

    reason = "PROVIDER_TIMEOUT"


class UnknownOutcomeError(GenerationTimeoutError):
    """Nobody knows whether a picture was made and billed."""

    reason = "OUTCOME_UNKNOWN"


class InvalidImageError(GenerationError):
    """The address of the picture, or what is found there, is nothing we take."""

    reason = "INVALID_IMAGE"


_BY_REASON: dict[str, type[GenerationError]] = {
    error.reason: error
    for error in (GenerationError, ContentPolicyError, ProviderAuthError, GenerationTimeoutError, UnknownOutcomeError)
}


def error_of(miss: Miss) -> GenerationError:
    """What a miss is called when no call follows."""
    if miss.reason == RateLimitError.reason:
        return RateLimitError(tired(miss), for_everybody=not miss.hint)
    return _BY_REASON[miss.reason](miss.why, retryable=miss.retryable)
