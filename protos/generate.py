"""Makes everything in `gen/` from the protos: `python protos/generate.py`.

Python messages, services and their types, and `api.binpb`: the descriptor set that Envoy, buf, reflection tests and
the OpenAPI document read. Proto path, package and import path are the same, so nothing is rewritten afterwards.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterable
from importlib import resources
from pathlib import Path

from grpc_tools import protoc
from protovalidate._gen.buf.validate import validate_pb

from gateway.openapi import write_documents

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GEN = ROOT / "gen"
VALIDATE = "buf/validate/validate.proto"
VALIDATE_DESCRIPTOR = "validate.binpb"
# Envoy turns a status with details into JSON only when it finds these in the descriptor set.
STATUS = ("google/rpc/status.proto", "google/rpc/error_details.proto")


def main() -> int:
    """Generates into a fresh directory and puts it in place of `gen/` only when all of it is there."""
    with tempfile.TemporaryDirectory(dir=ROOT, prefix=".gen-") as work:
        fresh = Path(work) / "gen"
        fresh.mkdir()
        _generate(fresh)
        shutil.rmtree(GEN, ignore_errors=True)
        fresh.rename(GEN)
    return 0


def write_image(protos: Path, out: Path) -> None:
    """Compiles the protos of a directory, and all they import, into `api.binpb` in another."""
    image = f"--descriptor_set_out={out / 'api.binpb'}"
    _protoc([*_inputs(protos, out), image, "--include_imports", "--include_source_info", *_ours(protos), *STATUS])


def _generate(out: Path) -> None:
    common, ours = _inputs(PROTOS, out), _ours(PROTOS)
    _protoc([*common, f"--python_out={out}", f"--mypy_out=quiet:{out}", *ours, VALIDATE])
    services = [path for path in ours if path.endswith("_service.proto")]
    _protoc([*common, f"--grpc_python_out={out}", f"--mypy_grpc_out=quiet:{out}", *services])
    write_image(PROTOS, out)
    write_documents(out)
    (out / VALIDATE_DESCRIPTOR).unlink()


def _ours(protos: Path) -> list[str]:
    return sorted(str(path.relative_to(protos)) for path in (protos / "streamerstudio").rglob("*.proto"))


def _inputs(protos: Path, scratch: Path) -> list[str]:
    """Where protoc finds everything; leaves a descriptor in the scratch directory."""
    validate = scratch / VALIDATE_DESCRIPTOR
    validate.write_bytes(_validate_descriptor())
    return [f"--proto_path={protos}", *_library_paths(), f"--descriptor_set_in={validate}"]


def _validate_descriptor() -> bytes:
    """The wheel of protovalidate carries no .proto, but the descriptor of the one it was built from."""
    from google.protobuf import descriptor_pb2

    files = descriptor_pb2.FileDescriptorSet()
    files.file.add().ParseFromString(validate_pb.FieldRules.desc().file.proto.to_binary())
    return files.SerializeToString()


def _library_paths() -> Iterable[str]:
    """Where the packages of the google protos and of protoc keep theirs."""
    import google.api

    yield f"--proto_path={Path(next(iter(google.api.__path__))).parent.parent}"
    yield f"--proto_path={resources.files('grpc_tools') / '_proto'}"


def _protoc(arguments: list[str]) -> None:
    bin_directory = Path(sys.executable).parent
    plugins = [f"--plugin={name}={bin_directory / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")]
    if protoc.main(["protoc", *plugins, *arguments]) != 0:
        raise SystemExit("protoc refused the protos; its reason stands above")


if __name__ == "__main__":
    raise SystemExit(main())
