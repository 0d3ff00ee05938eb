"""An OpenAPI document as one page to read: no script, nothing fetched from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from gateway.reference.curl import curl

Schema = dict[str, Any]

TEMPLATE = Template((Path(__file__).parent / "page.html").read_text())
REFERENCE = re.compile(r".*/")


def page(document: dict[str, Any]) -> str:
    """The whole page."""
    tags = [tag["name"] for tag in document["tags"]]
    schemas: dict[str, Schema] = document["components"]["schemas"]
    return TEMPLATE.substitute(
        title=escape(document["info"]["title"]),
        description=_prose(document["info"]["description"]),
        contents="".join(_contents(document, tag) for tag in tags) + _type_links(schemas),
        calls="".join(_section(document, tag) for tag in document["tags"]),
        types="".join(_type(name, schema) for name, schema in schemas.items()),
    )


def _operations(document: dict[str, Any], tag: str) -> Iterator[tuple[str, str, Schema]]:
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            if tag in operation["tags"]:
                yield path, verb, operation


def _contents(document: dict[str, Any], tag: str) -> str:
    links = (
        f'<li><a href="#{_anchor(verb, path)}"><b>{verb.upper()}</b> {escape(path.removeprefix("/api/v1"))}</a></li>'
        for path, verb, _ in _operations(document, tag)
    )
    return f"<p>{escape(tag)}</p><ul>{''.join(links)}</ul>"


def _type_links(schemas: Iterable[str]) -> str:
    return f"<p>Types</p><ul>{''.join(f'<li>{_link(name)}</li>' for name in schemas)}</ul>"


def _section(document: dict[str, Any], tag: Schema) -> str:
    calls = "".join(_call(document, *each) for each in _operations(document, tag["name"]))
    return f"<h2>{escape(tag['name'])}</h2><p>{_prose(tag.get('description', ''))}</p>{calls}"


def _call(document: dict[str, Any], path: str, verb: str, operation: Schema) -> str:
    mark = '<span class="mark">open to everybody</span>' if operation.get("security") == [] else ""
    body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    parts = [
        f'<article id="{_anchor(verb, path)}">',
        f'<h3><span class="verb">{verb.upper()}</span><code>{escape(path)}</code>{mark}</h3>',
        f"<p>{_prose(operation['summary'].rstrip('.') + '. ' + operation.get('description', ''))}</p>",
        _table("Parameters", [_parameter(each) for each in operation.get("parameters", [])]),
        _table("Body", _fields(body, "required")) if body else "",
        _table("Answers", [_answer(document, status, each) for status, each in operation["responses"].items()]),
        f"<h4>For example</h4><pre>{escape(curl(document, path, verb, operation))}</pre>",
        "</article>",
    ]
    return "".join(parts)


def _parameter(parameter: Schema) -> tuple[str, str, str]:
    place = parameter["in"] + (", required" if parameter["required"] else "")
    kind = f"{_kind(parameter['schema'])}<br><small>{place}</small>"
    return f"<code>{escape(parameter['name'])}</code>", kind, _prose(parameter.get("description", ""))


def _fields(schema: Schema, said: str) -> list[tuple[str, str, str]]:
    required = schema.get("required", [])
    return [
        (
            f"<code>{escape(name)}</code>",
            _kind(field) + (f"<br><small>{said}</small>" if name in required else ""),
            _prose(field.get("description", "")),
        )
        for name, field in schema["properties"].items()
    ]


def _answer(document: dict[str, Any], status: str, response: Schema) -> tuple[str, str, str]:
    if "$ref" in response:
        response = document["components"]["responses"][REFERENCE.sub("", response["$ref"])]
    kinds = [
        f"{escape(media)} {_kind(each['schema']) if 'schema' in each else ''}"
        for media, each in response.get("content", {}).items()
    ]
    return f"<b>{status}</b>", "<br>".join(kinds), _prose(response["description"])


def _type(name: str, schema: Schema) -> str:
    body = _table("", _fields(schema, "always there")) if "properties" in schema else ""
    return f'<article id="{name}"><h3>{name}</h3><p>{_prose(schema.get("description", ""))}</p>{body}</article>'


def _kind(schema: Schema) -> str:
    """The type in a few words, with its limits."""
    if "$ref" in schema:
        return _link(REFERENCE.sub("", schema["$ref"]))
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}{_limits(schema)}" if "items" in schema else "list"
    if schema.get("type") == "object":
        return "object"
    return escape(str(schema.get("format") or schema.get("type", "any"))) + _limits(schema)


def _limits(schema: Schema) -> str:
    low = next((schema[key] for key in ("minimum", "minLength", "minItems") if key in schema), None)
    high = next((schema[key] for key in ("maximum", "maxLength", "maxItems") if key in schema), None)
    if low is None and high is None:
        return ""
    return (
        f", {low}–{high}"
        if low is not None and high is not None
        else f", at least {low}"
        if high is None
        else f", at most {high}"
    )


def _table(title: str, rows: list[tuple[str, str, str]]) -> str:
    if not rows:
        return ""
    body = "".join(f"<tr><td>{first}</td><td>{second}</td><td>{third}</td></tr>" for first, second, third in rows)
    return (f"<h4>{title}</h4>" if title else "") + f"<table>{body}</table>"


def _prose(text: str) -> str:
    """Text with `code`, and lists of lines that begin with a dash."""
    marked = re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
    return marked.replace("\n- ", "<br>• ").replace("\n", " ")


def _anchor(verb: str, path: str) -> str:
    return f"{verb}{re.sub(r'[^a-z0-9]+', '-', path)}"


def _link(name: str) -> str:
    return f'<a href="#{name}">{name}</a>'
