"""Field rules are `buf.validate` annotations in the protos; this applies them."""

from __future__ import annotations

import protovalidate
from google.protobuf.message import Message

from chassis.errors import FieldViolation, Invalid


def validate(message: Message) -> None:
    """Checks a request against the rules of its proto.

    Raises:
        Invalid: naming each field that breaks one, in the message (the first) and in the violations (all).
    """
    try:
        protovalidate.validate(message)
    except protovalidate.ValidationError as error:
        violations = [_violation(each) for each in error.violations]
        first = violations[0]
        raise Invalid(f"{first.field}: {first.description}", violations=violations) from None


def _violation(violation: protovalidate.Violation) -> FieldViolation:
    path = ""
    for element in violation.proto.field.elements if violation.proto.field else ():
        path += f".{element.field_name}" if path else element.field_name
        if element.subscript is not None:
            path += f"[{element.subscript.value}]"
    return FieldViolation(path, violation.proto.message)
