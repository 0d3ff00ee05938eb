"""What Supabase Storage says when it refuses: HTTP 400 for nearly everything, and what is meant in the body."""

from __future__ import annotations

import json
from typing import Any

from tests.fakes.http_server import Response

REAL_STATUSES = (416, 429, 500, 544)
"""Those that are the HTTP status too."""


class Refusal(Exception):
    """A request that is refused."""

    def __init__(self, status: int, error: str, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.code = code
        self.message = message

    def response(self) -> Response:
        """As it goes out; servers before v1.67.18 leave `code` out."""
        said = {"statusCode": str(self.status), "error": self.error, "message": self.message, "code": self.code}
        return a_json(said, self.status if self.status in REAL_STATUSES else 400)


def a_json(value: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(status, {"content-type": "application/json; charset=utf-8"}, json.dumps(value).encode())


def no_such_object() -> Refusal:
    return Refusal(404, "not_found", "NoSuchKey", "Object not found")


def no_such_bucket() -> Refusal:
    return Refusal(404, "Bucket not found", "NoSuchBucket", "Bucket not found")


def no_such_destination() -> Refusal:
    return Refusal(404, "InvalidRequest", "InvalidRequest", "The related resource does not exist")


def exists_already(code: str) -> Refusal:
    return Refusal(409, "Duplicate", code, "The resource already exists")


def too_large() -> Refusal:
    return Refusal(413, "Payload too large", "EntityTooLarge", "The object exceeded the maximum allowed size")


def wrong_type(content_type: str) -> Refusal:
    return Refusal(415, "invalid_mime_type", "InvalidMimeType", f"mime type {content_type} is not supported")


def bad_key(name: str) -> Refusal:
    return Refusal(400, "InvalidKey", "InvalidKey", f"Invalid key: {name}")


def bad_request(message: str) -> Refusal:
    return Refusal(400, "Error", "InvalidRequest", message)


def denied(message: str) -> Refusal:
    return Refusal(403, "Unauthorized", "AccessDenied", message)


def bad_link(message: str) -> Refusal:
    return Refusal(400, "InvalidJWT", "InvalidJWT", message)


def link_of_another_path() -> Refusal:
    return Refusal(400, "InvalidSignature", "InvalidSignature", "Invalid signature")


def no_such_role() -> Refusal:
    return Refusal(500, "DatabaseError", "DatabaseError", "database error, code: 22023")


def database_down() -> Refusal:
    return Refusal(500, "Internal", "InternalError", "Internal Server Error")


def database_slow() -> Refusal:
    return Refusal(544, "DatabaseTimeout", "DatabaseTimeout", "The connection to the database timed out")


def too_many_connections() -> Refusal:
    return Refusal(429, "too_many_connections", "SlowDown", "Too many connections issued to the database")


def no_such_route(method: str, path: str) -> Response:
    """Of another shape than everything else: the status is a number here."""
    return a_json({"message": f"Route {method}:{path} not found", "error": "Not Found", "statusCode": 404}, 404)
