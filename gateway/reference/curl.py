"""A call as one would type it."""

from __future__ import annotations

import json
import re
from typing import Any

Schema = dict[str, Any]

ID = "550e8400-e29b-41d4-a716-446655440000"
SAMPLES: dict[str, Any] = {
    "name": "Gaming Stream Kit",
    "headline": "Montserrat",
    "body": "Inter",
    "custom_prompt": "Epic gaming moment with explosions",
    "logo_url": "https://example.com/logo.png",
    "template_version": "v1.0",
    "version": "v1.0",
    "asset_type": "thumbnail",
    "style_reference": "neon, night",
    "path": "public/3f8a.png",
}


def curl(document: dict[str, Any], path: str, verb: str, operation: Schema) -> str:
    """The command; it expects the token in $TOKEN."""
    url = re.sub(r"{(\w+)}", lambda match: str(SAMPLES.get(match[1], ID)), path)
    lines = ["curl" + ("" if verb == "get" else f" -X {verb.upper()}") + f' "$STUDIO{url}"']
    if operation.get("security") != []:
        lines.append('-H "Authorization: Bearer $TOKEN"')
    content = operation.get("requestBody", {}).get("content", {})
    if "image/png" in content:
        lines += ["-H 'Content-Type: image/png'", "--data-binary @picture.png"]
    body = content.get("application/json", {}).get("schema")
    if body and body["properties"]:
        lines += [
            "-H 'Content-Type: application/json'",
            f"-d '{json.dumps(sample(document, body), ensure_ascii=False)}'",
        ]
    return " \\\n  ".join(lines)


def sample(document: dict[str, Any], schema: Schema, name: str = "") -> Any:
    """A value that the schema takes."""
    if "$ref" in schema:
        return sample(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]], name)
    if schema["type"] == "object":
        return {key: sample(document, field, key) for key, field in schema["properties"].items()}
    if schema["type"] == "array":
        return ["#FF0055"] if name.endswith("colors") else [sample(document, schema["items"], name)]
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "integer":
        return schema.get("minimum", 0)
    if schema["type"] == "boolean":
        return True
    return ID if schema.get("format") == "uuid" else SAMPLES.get(name, "text")
