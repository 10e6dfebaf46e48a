"""The part of JSON Schema 2020-12 that the exported contract uses, checked with all problems reported at once."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

Schema = Mapping[str, Any]

DOCUMENT: Schema = json.loads(Path(__file__).with_name("schema.json").read_text("utf-8"))

FORMS = ("type", "properties", "required", "enum", "const", "anyOf", "$ref", "additionalProperties", "propertyNames")
BOUNDS = ("minItems", "maxItems", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
KNOWN_KEYWORDS = frozenset((*FORMS, *BOUNDS, "items", "pattern", "format"))
"""Keywords that `problems` checks (`format` is covered by the pattern beside it). A test asserts that the contract uses no other."""


def resolve(schema: Schema) -> Schema:
    """The definition a `$ref` names, or the schema itself."""
    reference = schema.get("$ref")
    return DOCUMENT["$defs"][reference.removeprefix("#/$defs/")] if reference else schema


def problems(value: object, schema: Schema, place: str) -> Iterator[str]:
    """Sentences about what is wrong with a JSON value, each with its place; nothing when it is valid."""
    schema = resolve(schema)
    if "anyOf" in schema:
        yield from _alternatives(value, schema["anyOf"], place)
        return
    if "const" in schema and value != schema["const"]:
        yield f"{place}: expected {json.dumps(schema['const'])}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{place}: expected one of {json.dumps(schema['enum'])}"
        return
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    if types and not any(_is(value, name) for name in types):
        yield f"{place}: expected {' or '.join(types)}"
    elif isinstance(value, str):
        yield from _text(value, schema, place)
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _number(value, schema, place)
    elif isinstance(value, list):
        yield from _list(value, schema, place)
    elif isinstance(value, dict):
        yield from _object(value, schema, place)


def _is(value: object, name: str) -> bool:
    match name:
        case "null":
            return value is None
        case "boolean":
            return isinstance(value, bool)
        case "string":
            return isinstance(value, str)
        case "integer":
            # JSON knows one kind of number: 2.0 is the integer 2.
            return not isinstance(value, bool) and (isinstance(value, int) or (isinstance(value, float) and value.is_integer()))
        case "number":
            return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        case "array":
            return isinstance(value, list)
        case "object":
            return isinstance(value, dict)
        case _:
            raise ValueError(f"the contract uses a type this reader does not know: {name}")


def _alternatives(value: object, alternatives: list[Schema], place: str) -> Iterator[str]:
    found = [list(problems(value, alternative, place)) for alternative in alternatives]
    if all(found):
        # The alternative that came furthest explains best; null alternatives say nothing.
        yield from max(found, key=lambda each: max(len(problem.split(":")[0]) for problem in each))


def _text(value: str, schema: Schema, place: str) -> Iterator[str]:
    if len(value) < schema.get("minLength", 0):
        yield f"{place}: expected at least {schema['minLength']} characters"
    if len(value) > schema.get("maxLength", math.inf):
        yield f"{place}: expected at most {schema['maxLength']} characters"
    # fullmatch, because `$` of Python also matches before a trailing newline; ASCII, because JSON Schema's \d is.
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value, re.ASCII):
        what = f"a {schema['format']}" if "format" in schema else schema["pattern"]
        yield f"{place}: expected {what}"


def _number(value: float, schema: Schema, place: str) -> Iterator[str]:
    if value < schema.get("minimum", -math.inf):
        yield f"{place}: expected at least {schema['minimum']}"
    if value <= schema.get("exclusiveMinimum", -math.inf):
        yield f"{place}: expected more than {schema['exclusiveMinimum']}"
    if value > schema.get("maximum", math.inf):
        yield f"{place}: expected at most {schema['maximum']}"
    if value >= schema.get("exclusiveMaximum", math.inf):
        yield f"{place}: expected less than {schema['exclusiveMaximum']}"


def _list(value: list[object], schema: Schema, place: str) -> Iterator[str]:
    if len(value) < schema.get("minItems", 0):
        yield f"{place}: expected at least {schema['minItems']} items"
    if len(value) > schema.get("maxItems", math.inf):
        yield f"{place}: expected at most {schema['maxItems']} items"
    for index, item in enumerate(value):
        yield from problems(item, schema.get("items", {}), f"{place}[{index}]")


def _object(value: dict[str, object], schema: Schema, place: str) -> Iterator[str]:
    properties: Schema = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{place}.{name}: missing"
    for name, item in value.items():
        if name in properties:
            yield from problems(item, properties[name], f"{place}.{name}")
        elif isinstance(schema.get("additionalProperties"), dict):
            yield from problems(item, schema["additionalProperties"], f"{place}.{name}")
