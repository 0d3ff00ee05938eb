"""The one table from kinds of error to codes, and the reasons that errors give."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import grpc
import pytest
from google.rpc import code_pb2, error_details_pb2

import chassis
import services
from chassis.errors import Exhausted, Forbidden, Invalid, Kind, NotFound, NotOwner, Quota, ServiceError
from chassis.status import CODES, headers, quota_headers, to_status
from streamerstudio.error.v1.error_reason_pb2 import ErrorReason


def errors() -> Iterator[type[ServiceError]]:
    """Every error that anything here may raise; the test's own are not among them."""
    for package in (chassis, services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    unseen = [ServiceError]
    while unseen:
        error = unseen.pop()
        unseen.extend(error.__subclasses__())
        if not error.__module__.startswith("tests."):
            yield error


def test_every_kind_has_a_code_of_its_own() -> None:
    assert set(CODES) == set(Kind)
    assert len(set(CODES.values())) == len(CODES)
    assert grpc.StatusCode.OK not in CODES.values()


def test_every_reason_is_one_that_the_api_documents() -> None:
    documented = set(ErrorReason.keys()) - {"ERROR_REASON_UNSPECIFIED"}

    found = {error: error.reason for error in errors() if hasattr(error, "reason")}

    assert len(found) > 10
    assert {error: reason for error, reason in found.items() if reason not in documented} == {}


def test_every_error_has_a_kind_and_only_the_abstract_ones_no_reason() -> None:
    assert [error for error in errors() if error is not ServiceError and not hasattr(error, "kind")] == []
    without = {error for error in errors() if not hasattr(error, "reason")}
    assert all(error.__module__ == "chassis.errors" for error in without)


@pytest.mark.parametrize("abstract", [NotFound, Forbidden, ServiceError])
def test_an_error_without_a_reason_cannot_be_made(abstract: type[ServiceError]) -> None:
    with pytest.raises(TypeError, match="has no reason"):
        abstract("nothing to say")


def test_a_status_says_the_same_twice() -> None:
    error = NotOwner("somebody else's", metadata={"job_id": "4f0c"})

    status = to_status(error)

    assert (status.code, status.message) == (code_pb2.PERMISSION_DENIED, "somebody else's")
    info = error_details_pb2.ErrorInfo()
    (detail,) = status.details
    assert detail.Unpack(info)
    assert (info.reason, info.domain, dict(info.metadata)) == ("NOT_OWNER", "streamerstudio", {"job_id": "4f0c"})


def test_only_a_limit_has_headers() -> None:
    assert headers(Invalid("no")) == ()


@pytest.mark.parametrize(("seconds", "header"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (60.0, "60")])
def test_a_caller_is_never_told_to_come_back_too_early(seconds: float, header: str) -> None:
    class TooMany(Exhausted):
        reason = "RATE_LIMIT"

    assert headers(TooMany("slow down", retry_after=seconds)) == (("retry-after", header),)


def test_a_limit_on_calls_says_what_is_left_of_it() -> None:
    class TooMany(Exhausted):
        reason = "RATE_LIMIT"

    left = (("ratelimit-limit", "3"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "41"))

    assert headers(TooMany("slow down", retry_after=41, quota=Quota(3, 0, 41))) == (("retry-after", "41"), *left)
    assert quota_headers(Quota(3, 0, 41)) == left
    assert quota_headers(None) == ()
