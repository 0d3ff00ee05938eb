"""Who is calling, and how they are told that something is wrong."""

from __future__ import annotations

from typing import Annotated

import jwt
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from benchmarks.contenders.conventional.settings import settings


class ApiError(Exception):
    """What a caller is told."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


async def current_user(request: Request) -> str:
    """The `sub` of the access token."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise ApiError(401, "UNAUTHENTICATED", "an access token is needed")
    try:
        claims = jwt.decode(token, settings().jwt_secret, ["HS256"], leeway=30, options={"require": ["exp", "sub"]})
    except jwt.ExpiredSignatureError as error:
        raise ApiError(401, "TOKEN_EXPIRED", "the access token has expired") from error
    except jwt.InvalidTokenError as error:
        raise ApiError(401, "UNAUTHENTICATED", "the access token is not valid") from error
    if claims.get("type", "access") != "access":
        raise ApiError(401, "UNAUTHENTICATED", "the token is no access token")
    return str(claims["sub"])


User = Annotated[str, Depends(current_user)]


def tell_errors(app: FastAPI) -> None:
    """In one shape."""

    @app.exception_handler(ApiError)
    async def _known(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse({"error": {"code": error.code, "message": error.message}}, error.status)

    @app.exception_handler(RequestValidationError)
    async def _invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        fields = [{"field": ".".join(map(str, one["loc"])), "description": one["msg"]} for one in error.errors()]
        return JSONResponse({"error": {"code": "INVALID_REQUEST", "message": "bad request", "fields": fields}}, 400)
