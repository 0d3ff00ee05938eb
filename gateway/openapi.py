"""The REST API as an OpenAPI 3.1 document, made from the protos: their HTTP annotations, comments and field rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from gateway.reference.descriptors import Api
from gateway.reference.errors import error_components, error_responses
from gateway.reference.page import page
from gateway.reference.schemas import Schema, Schemas

VERBS = ("get", "put", "post", "delete", "patch")
VARIABLE = re.compile(r"{(\w+)(=\*\*)?}")
OPEN = "Open to everybody."
HTTP_BODY = "google.api.HttpBody"
PICTURES = ("image/png", "image/jpeg", "image/webp")
"""What is taken as bytes."""

# What a service says with `x-http-code`, or a route for it; everything else that goes well is 200.
STATUSES = {
    "CreateJob": (201,),
    "RetryJob": (201,),
    "CreateBrandKit": (201,),
    "UploadImage": (201,),
    "DeleteAsset": (204,),
    "DeleteBrandKit": (204,),
    "DeleteUpload": (204,),
    "GetActiveBrandKit": (200, 204),
}
HEADERS = {
    "CreateJob": (
        "Idempotency-Key",
        "The same key and body again: the same job. At most 255 printable ASCII characters.",
    ),
    "WatchJob": ("Last-Event-ID", "The `event_id` of the last event seen, as `after`."),
}
DESCRIPTION = (
    "Every call wants `Authorization: Bearer <access token>` unless it says that it is open to everybody. "
    "Bodies are JSON in snake_case, at most 64 KiB, but for a picture, which is uploaded as it is; fields nobody knows "
    "are ignored; times are RFC 3339 in UTC, in whole seconds; no string may contain U+0000. Every answer carries "
    "`X-Request-Id`."
)
PROBES = {
    "/healthz": ("Says that the gateway lives.", {"200": "It does."}),
    "/readyz": ("Says whether every part answers.", {"200": "All do.", "503": "At least one does not."}),
}


def write_documents(gen: Path) -> None:
    """Writes `openapi.json` and `docs.html` beside the `api.binpb` they are made from."""
    document = openapi((gen / "api.binpb").read_bytes())
    (gen / "openapi.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n")
    (gen / "docs.html").write_text(page(document))


def openapi(descriptor_set: bytes) -> dict[str, Any]:
    """The document; the same bytes make the same document."""
    api = Api.parse(descriptor_set)
    schemas = Schemas(api)
    errors = error_components(api)
    paths: dict[str, dict[str, Any]] = {}
    for path, verb, operation in _operations(api, schemas):
        paths.setdefault(path, {})[verb] = operation
    for path, (summary, answers) in PROBES.items():
        responses = {status: {"description": text} for status, text in answers.items()}
        paths[path] = {"get": {"tags": ["Probes"], "summary": summary, "security": [], "responses": responses}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Streamer Studio", "version": "1", "description": DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "tags": [*({"name": each.name, "description": _about(api, each)} for each in api.services), {"name": "Probes"}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
            "responses": errors["responses"],
            "schemas": {**schemas.found, **errors["schemas"]},
        },
    }


def _about(api: Api, service: ServiceDescriptor) -> str:
    return api.comment(service).split("\n\n")[0].replace("\n", " ")


def _operations(api: Api, schemas: Schemas) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for service in api.services:
        for method in service.methods:
            rule = api.http_rule(method)
            if rule is None:
                continue
            for number, binding in enumerate((rule, *rule.additional_bindings)):
                verb = binding.WhichOneof("pattern")
                path = getattr(binding, verb)
                name = method.name + (str(number + 1) if number else "")
                yield (
                    VARIABLE.sub(r"{\1}", path),
                    verb,
                    _operation(api, schemas, method, name, path, bool(binding.body)),
                )


def _operation(api: Api, schemas: Schemas, method: MethodDescriptor, name: str, path: str, has_body: bool) -> Schema:
    comment = api.comment(method)
    first, _, rest = comment.replace("\n", " ").partition(". ")
    in_path = frozenset(match[1] for match in VARIABLE.finditer(path))
    operation: Schema = {
        "operationId": name,
        "tags": [method.containing_service.name],
        "summary": first.removesuffix("."),
        "description": rest,
        "parameters": [*_parameters(schemas, method, in_path, has_body), *_headers(method)],
        "responses": {
            **_successes(schemas, method),
            **error_responses(comment, is_open=OPEN in comment, has_body=has_body),
        },
    }
    if has_body and method.input_type.full_name == HTTP_BODY:
        operation["requestBody"] = {"required": True, "content": {each: {} for each in PICTURES}}
    elif has_body:
        body = schemas.message(method.input_type, True, without=in_path)
        operation["requestBody"] = {
            "required": bool(body.get("required")),
            "content": {"application/json": {"schema": body}},
        }
    return operation | ({"security": []} if OPEN in comment else {})


def _parameters(
    schemas: Schemas, method: MethodDescriptor, in_path: frozenset[str], has_body: bool
) -> Iterator[Schema]:
    for field in method.input_type.fields:
        if field.name not in in_path and has_body:
            continue
        schema = schemas.field(field, request=True)
        description = schema.pop("description", "")
        place = "path" if field.name in in_path else "query"
        required = place == "path" or schemas.is_required_parameter(field)
        yield {"name": field.name, "in": place, "required": required, "description": description, "schema": schema}


def _headers(method: MethodDescriptor) -> Iterator[Schema]:
    if method.name in HEADERS:
        name, description = HEADERS[method.name]
        yield {
            "name": name,
            "in": "header",
            "required": False,
            "description": description,
            "schema": {"type": "string"},
        }


def _successes(schemas: Schemas, method: MethodDescriptor) -> Schema:
    return {
        str(status): {"description": "Nothing." if status == 204 else _what(method)}
        | ({} if status == 204 else {"content": _content(schemas, method)})
        for status in STATUSES.get(method.name, (200,))
    }


def _what(method: MethodDescriptor) -> str:
    if method.output_type.full_name == HTTP_BODY:
        return "The bytes."
    return (
        f"{method.output_type.name}, one after the other." if method.server_streaming else f"{method.output_type.name}."
    )


def _content(schemas: Schemas, method: MethodDescriptor) -> Schema:
    if method.output_type.full_name == HTTP_BODY:
        return {"image/*": {}}
    schema = schemas.reference(method.output_type)
    if not method.server_streaming:
        return {"application/json": {"schema": schema}}
    if method.name.startswith("Watch"):
        # OpenAPI 3.1 has no word for a stream of events: this is what stands behind each `data: `.
        return {"text/event-stream": {"schema": schema}}
    return {"application/json": {"schema": {"type": "array", "items": schema}}}
