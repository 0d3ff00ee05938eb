"""Messages of the API as JSON Schema, the way they look in REST."""

from __future__ import annotations

import re
from typing import Any

from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from gateway.reference.descriptors import Api

Schema = dict[str, Any]

SCALARS: dict[int, Schema] = {
    FieldDescriptor.TYPE_STRING: {"type": "string"},
    FieldDescriptor.TYPE_BOOL: {"type": "boolean"},
    FieldDescriptor.TYPE_INT32: {"type": "integer", "format": "int32"},
    FieldDescriptor.TYPE_BYTES: {"type": "string", "contentEncoding": "base64"},
}
WELL_KNOWN: dict[str, Schema] = {
    "google.protobuf.Timestamp": {"type": "string", "format": "date-time"},
    "google.protobuf.ListValue": {"type": "array"},
}
# A pattern that JSON Schema and CEL read alike: no escapes of RE2's own.
PLAIN_PATTERN = re.compile(r"this\.matches\('([^'\\]+)'\)")


class Schemas:
    """Collects the schema of every message and enum that is asked for, and of what they hold."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.found: dict[str, Schema] = {}

    def reference(self, kind: Descriptor | EnumDescriptor, *, request: bool = False) -> Schema:
        """A reference to the schema of a message or an enum."""
        name = _name(kind)
        if name not in self.found:
            self.found[name] = {}  # its place, should it hold itself
            self.found[name] = self._enum(kind) if isinstance(kind, EnumDescriptor) else self.message(kind, request)
        return {"$ref": f"#/components/schemas/{name}"}

    def message(self, message: Descriptor, request: bool, without: frozenset[str] = frozenset()) -> Schema:
        """An object schema; `without` names fields that the path holds."""
        fields = [field for field in message.fields if field.name not in without]
        schema: Schema = {"type": "object", "description": self._api.comment(message)}
        schema["properties"] = {field.name: self.field(field, request) for field in fields}
        required = [field.name for field in fields if self._is_required(field, request)]
        return schema | ({"required": required} if required else {})

    def field(self, field: FieldDescriptor, request: bool) -> Schema:
        """The schema of a field, with its rules and its comment."""
        rules = self._api.rules(field)
        schema = self._type(field, request)
        if rules is None:
            return schema | {"description": self._api.comment(field).replace("\n", " ")}
        if field.is_repeated:
            schema["items"] |= _constraints(rules.repeated.items)
        return schema | _constraints(rules, self._api.comment(field).replace("\n", " "))

    def is_required_parameter(self, field: FieldDescriptor) -> bool:
        """Whether a call cannot do without this parameter."""
        return self._is_required(field, request=True)

    def _type(self, field: FieldDescriptor, request: bool) -> Schema:
        single = self._single(field, request)
        return {"type": "array", "items": single} if field.is_repeated else single

    def _single(self, field: FieldDescriptor, request: bool) -> Schema:
        if field.enum_type is not None:
            return self.reference(field.enum_type)
        if field.message_type is None:
            return dict(SCALARS[field.type])
        known = WELL_KNOWN.get(field.message_type.full_name)
        return dict(known) if known else self.reference(field.message_type, request=request)

    def _is_required(self, field: FieldDescriptor, request: bool) -> bool:
        """Answers hold every field without presence; requests must hold those whose rules do not allow an empty one."""
        if not request:
            return not field.has_presence
        rules = self._api.rules(field)
        return rules is not None and (rules.required or (not field.has_presence and _refuses_empty(rules)))

    def _enum(self, enum: EnumDescriptor) -> Schema:
        values = [value.name for value in enum.values if value.number != 0]
        lines = [f"- `{value}`: {self._api.value_comment(enum, value)}" for value in values]
        return {"type": "string", "enum": values, "description": "\n".join([self._api.comment(enum), "", *lines])}


def _name(kind: Descriptor | EnumDescriptor) -> str:
    outer = kind.containing_type
    return f"{_name(outer)}{kind.name}" if outer is not None else kind.name


def _refuses_empty(rules: Any) -> bool:
    text = rules.string
    return bool(
        text.uuid or text.min_len or rules.repeated.min_items or any(">= 1" in cel.expression for cel in rules.cel)
    )


def _constraints(rules: Any, comment: str = "") -> Schema:
    """What a field's rules say in JSON Schema, and in sentences after the comment where it has no word for them."""
    kind = rules.WhichOneof("type")
    typed = getattr(rules, kind or "string")
    schema = {name: _value(typed, rule) for rule, name in KEYWORDS.get(kind, {}).items() if _says(typed, rule)}
    if kind == "string" and typed.uuid:
        schema["format"] = "uuid"
    # That U+0000 is refused holds for every string, and is said once.
    told = [cel for cel in rules.cel if cel.id != "no_nul"]
    for cel in told:
        plain = PLAIN_PATTERN.fullmatch(cel.expression)
        if plain:
            schema["pattern"] = plain[1]
    sentences = [comment, *(f"{cel.message[:1].upper()}{cel.message[1:]}." for cel in told)]
    return schema | {"description": " ".join(filter(None, sentences))}


KEYWORDS: dict[str | None, dict[str, str]] = {
    "string": {"min_len": "minLength", "max_len": "maxLength", "in": "enum"},
    "int32": {"gte": "minimum", "lte": "maximum"},
    "repeated": {"min_items": "minItems", "max_items": "maxItems"},
}


def _says(rules: Any, rule: str) -> bool:
    field = rules.DESCRIPTOR.fields_by_name[rule]
    return bool(getattr(rules, rule)) if field.is_repeated else bool(rules.HasField(rule))


def _value(rules: Any, rule: str) -> Any:
    value = getattr(rules, rule)
    return list(value) if rules.DESCRIPTOR.fields_by_name[rule].is_repeated else value
