"""The REST API, as a small class."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, BinaryIO, Self, cast

import httpx

from clients.cli.failures import ApiError, NotUsable, Unreachable
from clients.cli.shapes import Asset, AssetList, BrandKit, BrandKitList, Job, JobEvent, JobList, Upload, UploadList

Fields = Mapping[str, Any]
"""A request's fields; those that are None are left out."""


class StudioApi:
    """Speaks to one system as one user; may be used by several threads."""

    def __init__(self, url: str, token: str) -> None:
        self.url = url.rstrip("/")
        # A heartbeat comes every 15 s; the slowest answer, of /readyz, within 25.
        timeout = httpx.Timeout(30, connect=5)
        try:
            self._http = httpx.Client(base_url=self.url, timeout=timeout, trust_env=False, follow_redirects=True)
        except httpx.InvalidURL as error:
            raise NotUsable(f"{url} is not the address of a system") from error
        self._headers = {"Authorization": f"Bearer {token}"}

    def create_brand_kit(self, fields: Fields) -> BrandKit:
        return cast(BrandKit, self._call("POST", "/api/v1/brand-kits", body=fields))

    def brand_kits(self) -> BrandKitList:
        return cast(BrandKitList, self._call("GET", "/api/v1/brand-kits"))

    def brand_kit(self, kit_id: str) -> BrandKit:
        return cast(BrandKit, self._call("GET", f"/api/v1/brand-kits/{kit_id}"))

    def update_brand_kit(self, kit_id: str, fields: Fields) -> BrandKit:
        return cast(BrandKit, self._call("PUT", f"/api/v1/brand-kits/{kit_id}", body=fields))

    def activate_brand_kit(self, kit_id: str) -> BrandKit:
        return cast(BrandKit, self._call("POST", f"/api/v1/brand-kits/{kit_id}/activate", body={}))

    def delete_brand_kit(self, kit_id: str) -> None:
        self._call("DELETE", f"/api/v1/brand-kits/{kit_id}")

    def generate(self, fields: Fields) -> Job:
        return cast(Job, self._call("POST", "/api/v1/generate", body=fields))

    def jobs(self, *, status: str | None = None, limit: int | None = None) -> JobList:
        return cast(JobList, self._call("GET", "/api/v1/jobs", query={"status": status, "limit": limit}))

    def job(self, job_id: str) -> Job:
        return cast(Job, self._call("GET", f"/api/v1/jobs/{job_id}"))

    def events(self, job_id: str) -> Iterator[JobEvent]:
        """The job's events, until its last one or until the stream breaks off.

        Raises:
            Unreachable: it broke off.
        """
        address = f"/api/v1/jobs/{job_id}/stream"
        with self._reaching(), self._http.stream("GET", address, headers=self._headers) as answer:
            if answer.is_error:
                answer.read()
                raise _refusal(answer)
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield cast(JobEvent, json.loads(line.removeprefix("data: ")))

    def assets(
        self, *, asset_type: str | None = None, job_id: str | None = None, limit: int | None = None
    ) -> AssetList:
        query = {"asset_type": asset_type, "job_id": job_id, "limit": limit}
        return cast(AssetList, self._call("GET", "/api/v1/assets", query=query))

    def asset(self, asset_id: str) -> Asset:
        return cast(Asset, self._call("GET", f"/api/v1/assets/{asset_id}"))

    def set_visibility(self, asset_id: str, is_public: bool) -> Asset:
        path = f"/api/v1/assets/{asset_id}/visibility"
        return cast(Asset, self._call("PUT", path, body={"is_public": is_public}))

    def delete_asset(self, asset_id: str) -> None:
        self._call("DELETE", f"/api/v1/assets/{asset_id}")

    def upload(self, picture: BinaryIO, content_type: str) -> Upload:
        """Sends a picture as it is, piece by piece."""
        headers = {**self._headers, "Content-Type": content_type}
        with self._reaching():
            answer = self._http.post("/api/v1/uploads", content=picture, headers=headers)
        if answer.is_error:
            raise _refusal(answer)
        return cast(Upload, answer.json())

    def uploads(self, *, limit: int | None = None) -> UploadList:
        return cast(UploadList, self._call("GET", "/api/v1/uploads", query={"limit": limit}))

    def delete_upload(self, upload_id: str) -> None:
        self._call("DELETE", f"/api/v1/uploads/{upload_id}")

    def download(self, url: str) -> httpx.Response:
        """The bytes behind an asset's `url`, which needs no token and must not be shown ours."""
        with self._reaching():
            answer = self._http.get(url)
        if answer.is_error:
            raise _refusal(answer)
        return answer

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: str, path: str, *, body: Fields | None = None, query: Fields | None = None) -> Any:
        with self._reaching():
            answer = self._http.request(method, path, json=_given(body), params=_given(query), headers=self._headers)
        if answer.is_error:
            raise _refusal(answer)
        return answer.json() if answer.content else None

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        try:
            yield
        except (httpx.InvalidURL, httpx.LocalProtocolError, UnicodeError) as error:
            raise NotUsable("something that was given, or STUDIO_TOKEN, holds what cannot be sent") from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"{self.url} did not answer in time") from error
        except httpx.TransportError as error:
            raise Unreachable(f"cannot reach {self.url}; is the system up? (studio up, studio doctor)") from error


def _given(fields: Fields | None) -> dict[str, Any] | None:
    return None if fields is None else {name: value for name, value in fields.items() if value is not None}


def _refusal(answer: httpx.Response) -> ApiError:
    """The API's own sentence; whatever stands between us and it may answer otherwise."""
    try:
        error = answer.json()["error"]
        return ApiError(answer.status_code, error["code"], error["message"])
    except (ValueError, KeyError, TypeError):
        return ApiError(answer.status_code, "UNKNOWN", f"{answer.url.path} answered HTTP {answer.status_code}")
