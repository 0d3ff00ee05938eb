"""What only services and those who run the system may call: gRPC, on the port that REST uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from clients.cli.failures import ApiError, NotUsable, Unreachable
from clients.cli.shapes import DeadLetterDetails, DeadLetterList, Job, StorageNews

if TYPE_CHECKING:
    import grpc
    from google.protobuf.message import Message

TIMEOUT = 20.0


class OperatorApi:
    """Speaks to one system with a service's token."""

    def __init__(self, url: str, token: str) -> None:
        # gRPC is imported only here: it costs every other command a tenth of a second.
        from streamerstudio.generation.v1 import generation_service_pb2, generation_service_pb2_grpc
        from streamerstudio.storage.v1 import storage_service_pb2, storage_service_pb2_grpc

        self.url = url
        self._channel = _open_channel(url)
        self._requests = generation_service_pb2
        self._stub = generation_service_pb2_grpc.GenerationServiceStub(self._channel)
        self._storage_requests = storage_service_pb2
        self._storage = storage_service_pb2_grpc.StorageServiceStub(self._channel)
        self._metadata = (("authorization", f"Bearer {token}"),)

    def dead_letters(self, *, limit: int | None = None, before: int | None = None) -> DeadLetterList:
        request = self._requests.ListDeadLettersRequest(limit=limit, before=before)
        return cast(DeadLetterList, self._call(self._stub.ListDeadLetters, request))

    def dead_letter(self, sequence: int) -> DeadLetterDetails:
        request = self._requests.GetDeadLetterRequest(sequence=sequence)
        return cast(DeadLetterDetails, self._call(self._stub.GetDeadLetter, request))

    def requeue(self, sequence: int) -> Job:
        request = self._requests.RequeueDeadLetterRequest(sequence=sequence)
        return cast(Job, self._call(self._stub.RequeueDeadLetter, request))

    def check_storage(self, *, repair: bool, quick: bool) -> Iterator[StorageNews]:
        """Problems as they are found, and how far the check has got; takes as long as it takes."""
        request = self._storage_requests.CheckStorageRequest(repair=repair, quick=quick)
        with self._reaching():
            for news in self._storage.CheckStorage(request, metadata=self._metadata):
                yield cast(StorageNews, _plain(news))

    def close(self) -> None:
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, method: Callable[..., Message], request: Message) -> dict[str, Any]:
        with self._reaching():
            return _plain(method(request, metadata=self._metadata, timeout=TIMEOUT))

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        import grpc

        try:
            yield
        except grpc.RpcError as error:
            raise self._refusal(error) from error

    def _refusal(self, error: Any) -> ApiError | Unreachable:
        """The API's own sentence; what it did not say itself is that nobody did."""
        from google.rpc.error_details_pb2 import ErrorInfo
        from grpc_status.rpc_status import from_call

        status, info = from_call(error), ErrorInfo()
        if status is None or not any(detail.Unpack(info) for detail in status.details):
            return Unreachable(f"cannot reach {self.url} ({error.code().name}); is the system up? (studio up)")
        return ApiError(status.code, info.reason, status.message)


def _plain(answer: Message) -> dict[str, Any]:
    from google.protobuf.json_format import MessageToDict

    return MessageToDict(answer, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)


def _open_channel(url: str) -> grpc.Channel:
    import grpc

    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise NotUsable(f"{url} is not the address of a system") from error
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.path not in ("", "/"):
        raise NotUsable(f"{url} is not the address of a system")
    # As for REST: a proxy of the environment is not asked.
    options = [("grpc.enable_http_proxy", 0)]
    if parts.scheme == "http":
        return grpc.insecure_channel(parts.netloc, options)
    return grpc.secure_channel(parts.netloc, grpc.ssl_channel_credentials(), options)
