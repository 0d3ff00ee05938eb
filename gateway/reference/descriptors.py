"""The API as protoc describes it: services, messages, their options and their comments."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor, MethodDescriptor, ServiceDescriptor

PACKAGE = "streamerstudio."
# Field numbers in descriptor.proto, by which comments name what they belong to.
MESSAGE, ENUM, SERVICE, NESTED, NESTED_ENUM, MEMBER = 4, 5, 6, 3, 4, 2


@dataclass(frozen=True, slots=True)
class Api:
    """A descriptor set, read without any generated code: the documents are made together with that code."""

    pool: descriptor_pool.DescriptorPool
    comments: dict[str, str]
    """By full name; an enum's value by the enum's name and its own."""
    services: tuple[ServiceDescriptor, ...]

    @classmethod
    def parse(cls, descriptor_set: bytes) -> Api:
        """Reads `api.binpb`."""
        files = descriptor_pb2.FileDescriptorSet.FromString(descriptor_set).file
        pool = descriptor_pool.DescriptorPool()
        for file in files:
            pool.Add(file)
        ours = [file for file in files if file.package.startswith(PACKAGE)]
        names = [f"{file.package}.{service.name}" for file in ours for service in file.service]
        return cls(
            pool,
            {name: text for file in ours for name, text in _comments(file)},
            tuple(pool.FindServiceByName(name) for name in names),
        )

    def comment(self, what: Any) -> str:
        """What stands above a thing in its proto, as one text with its paragraphs."""
        return self.comments.get(what.full_name, "")

    def value_comment(self, enum: EnumDescriptor, value: str) -> str:
        """What stands above a value of an enum."""
        return self.comments.get(f"{enum.full_name}.{value}", "")

    def http_rule(self, method: MethodDescriptor) -> Any:
        """The method's google.api.HttpRule, or None."""
        return self._extension(method, "google.protobuf.MethodOptions", "google.api.http")

    def rules(self, field: FieldDescriptor) -> Any:
        """The field's buf.validate.FieldRules, or None."""
        return self._extension(field, "google.protobuf.FieldOptions", "buf.validate.field")

    def _extension(self, what: Any, options: str, name: str) -> Any:
        # The options as this pool knows them: in the default pool nobody may have registered the extension.
        kind = message_factory.GetMessageClass(self.pool.FindMessageTypeByName(options))
        extension = self.pool.FindExtensionByName(name)
        parsed: Any = kind.FromString(what.GetOptions().SerializeToString())
        return parsed.Extensions[extension] if parsed.HasExtension(extension) else None


def _comments(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[str, str]]:
    texts = {tuple(each.path): each.leading_comments for each in file.source_code_info.location}
    for path, name in _names(file):
        if texts.get(path):
            yield name, _clean(texts[path])


def _clean(comment: str) -> str:
    return "\n".join(line.removeprefix(" ").rstrip() for line in comment.strip("\n").split("\n")).strip()


def _names(file: descriptor_pb2.FileDescriptorProto) -> Iterator[tuple[tuple[int, ...], str]]:
    for at, service in enumerate(file.service):
        name = f"{file.package}.{service.name}"
        yield (SERVICE, at), name
        yield from (
            ((SERVICE, at, MEMBER, number), f"{name}.{each.name}") for number, each in enumerate(service.method)
        )
    for at, message in enumerate(file.message_type):
        yield from _message_names((MESSAGE, at), f"{file.package}.{message.name}", message)
    for at, enum in enumerate(file.enum_type):
        yield from _enum_names((ENUM, at), f"{file.package}.{enum.name}", enum)


def _message_names(
    path: tuple[int, ...], name: str, message: descriptor_pb2.DescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, name
    yield from (((*path, MEMBER, at), f"{name}.{field.name}") for at, field in enumerate(message.field))
    for at, nested in enumerate(message.nested_type):
        yield from _message_names((*path, NESTED, at), f"{name}.{nested.name}", nested)
    for at, enum in enumerate(message.enum_type):
        yield from _enum_names((*path, NESTED_ENUM, at), f"{name}.{enum.name}", enum)


def _enum_names(
    path: tuple[int, ...], name: str, enum: descriptor_pb2.EnumDescriptorProto
) -> Iterator[tuple[tuple[int, ...], str]]:
    yield path, name
    yield from (((*path, MEMBER, at), f"{name}.{value.name}") for at, value in enumerate(enum.value))
