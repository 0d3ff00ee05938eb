"""What a broken rule becomes, and that breaking many costs little."""

from __future__ import annotations

import time

import pytest

from chassis.errors import FieldViolation, Invalid
from chassis.validation import LARGE, validate
from streamerstudio.prompt.v1.brand_kit_pb2 import Fonts
from streamerstudio.prompt.v1.brand_kit_service_pb2 import CreateBrandKitRequest
from streamerstudio.storage.v1.storage_service_pb2 import UploadAssetRequest


def a_request(**given: object) -> CreateBrandKitRequest:
    values = {"name": "Mine", "primary_colors": ["#FF0055"], "fonts": Fonts(headline="Inter", body="Inter")}
    return CreateBrandKitRequest(**{**values, **given})  # type: ignore[arg-type]


def test_a_good_request_passes() -> None:
    validate(a_request())


def test_a_field_is_named_as_its_caller_wrote_it() -> None:
    with pytest.raises(Invalid) as refusal:
        validate(a_request(name="", primary_colors=["#FF0055", "red"], fonts=Fonts(headline="Inter")))

    fields = {violation.field for violation in refusal.value.violations}
    assert fields == {"name", "primary_colors[1]", "fonts.body"}
    assert FieldViolation("primary_colors[1]", "must be a colour like #FF0055") in refusal.value.violations


def test_the_message_is_the_first_violation() -> None:
    with pytest.raises(Invalid) as refusal:
        validate(a_request(primary_colors=["red"]))

    assert refusal.value.message == "primary_colors[0]: must be a colour like #FF0055"


def test_a_rule_of_a_oneof_names_it() -> None:
    with pytest.raises(Invalid) as refusal:
        validate(UploadAssetRequest())

    assert [violation.field for violation in refusal.value.violations] == ["part"]


@pytest.mark.parametrize("colors", [20, LARGE // 4, 20_000, 1_000_000])
def test_a_request_full_of_mistakes_is_refused_in_no_time(colors: int) -> None:
    request = a_request(primary_colors=[""] * colors)
    began = time.process_time()

    with pytest.raises(Invalid) as refusal:
        validate(request)

    assert time.process_time() - began < 0.25  # a million took 40 seconds before there was a bound
    assert 1 <= len(refusal.value.violations) <= 16
