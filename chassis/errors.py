"""The errors a service may answer with, by kind; `chassis.status` puts each kind on the wire.

    ServiceError
    ├── Invalid              bad input; carries field violations
    ├── Unauthenticated      no identity, or a bad one
    ├── Forbidden            an identity, but not this one
    ├── NotFound
    ├── Conflict             the same name for something else
    ├── FailedPrecondition   right input, wrong moment
    ├── Exhausted            too much; may say when to come back
    ├── Unavailable          a dependency is down; nothing was accepted
    └── Internal             anything unforeseen; says nothing else

A service subclasses these in its domain (`class JobNotFound(NotFound)`), setting `reason` to a value of
`streamerstudio.error.v1.ErrorReason`. The message is written for the caller: it never holds exception text,
a path, SQL or a key. What went wrong inside travels as `__cause__` and ends in the log.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar


class Kind(Enum):
    """What went wrong, before anybody thinks of gRPC or HTTP."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    FAILED_PRECONDITION = "failed_precondition"
    EXHAUSTED = "exhausted"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class FieldViolation:
    """One thing wrong with one field of a request."""

    field: str
    """Path of the field as the caller wrote it, for example `fonts.headline`."""
    description: str
    """A sentence that says what would be right."""


@dataclass(frozen=True, slots=True)
class Quota:
    """How much is left of a limit on how often something may be called."""

    limit: int
    remaining: int
    reset: int
    """Seconds until more is left."""


class ServiceError(Exception):
    """An error with a public face."""

    kind: ClassVar[Kind]
    reason: ClassVar[str]

    def __init__(self, message: str, *, metadata: Mapping[str, str] | None = None) -> None:
        if not hasattr(self, "reason"):
            raise TypeError(f"{type(self).__name__} has no reason: raise a subclass that gives one")
        super().__init__(message)
        self.message = message
        self.metadata: Mapping[str, str] = dict(metadata or {})


class Invalid(ServiceError):
    """The request can never succeed as it stands."""

    kind = Kind.INVALID
    reason = "INVALID_REQUEST"

    def __init__(
        self,
        message: str,
        *,
        violations: Sequence[FieldViolation] = (),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.violations = tuple(violations)

    @classmethod
    def field(cls, field: str, description: str) -> Invalid:
        """One bad field, named in the message and in the violations."""
        return cls(f"{field}: {description}", violations=[FieldViolation(field, description)])


class Unauthenticated(ServiceError):
    """Nobody we know is calling."""

    kind = Kind.UNAUTHENTICATED
    reason = "UNAUTHENTICATED"


class TokenExpired(Unauthenticated):
    """The token was good once; the app should fetch a new one."""

    reason = "TOKEN_EXPIRED"


class Forbidden(ServiceError):
    """The caller is known and may not do this."""

    kind = Kind.FORBIDDEN


class NotOwner(Forbidden):
    """The thing exists and belongs to somebody else."""

    reason = "NOT_OWNER"


class ServiceOnly(Forbidden):
    """A user called a method that only other services may call."""

    reason = "SERVICE_ONLY"


class NotFound(ServiceError):
    """There is no such thing."""

    kind = Kind.NOT_FOUND


class Conflict(ServiceError):
    """The name is taken by something else."""

    kind = Kind.CONFLICT


class FailedPrecondition(ServiceError):
    """The request is right and the state of the thing is not."""

    kind = Kind.FAILED_PRECONDITION


class Exhausted(ServiceError):
    """A limit is reached."""

    kind = Kind.EXHAUSTED

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        quota: Quota | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, metadata=metadata)
        self.retry_after = retry_after
        """Seconds after which a new try may succeed; None when waiting does not help."""
        self.quota = quota
        """What is left of the limit on calls like this one, if there is any."""


class Unavailable(ServiceError):
    """Something we need is down; nothing was accepted, and the same call may work in a moment."""

    kind = Kind.UNAVAILABLE
    reason = "UNAVAILABLE"


class Internal(ServiceError):
    """Unforeseen; the log has the rest under the request id."""

    kind = Kind.INTERNAL
    reason = "INTERNAL"
