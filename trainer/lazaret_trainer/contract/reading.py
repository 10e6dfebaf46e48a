"""JSON values to the generated dataclasses and back. Values are checked once, here; the rest of the trainer trusts the types."""

import dataclasses
import re
import types
import typing
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, TypeVar

from . import schema


class Model(Protocol):
    """A generated dataclass: it knows the definition it was made from."""

    __dataclass_fields__: ClassVar[dict[str, Any]]
    SCHEMA: ClassVar[Mapping[str, Any]]


M = TypeVar("M", bound=Model)


class ContractError(ValueError):
    """A value that breaks the contract, with every problem found."""

    def __init__(self, what: str, found: list[str]):
        super().__init__(f"{what} breaks the contract: {'; '.join(found[:20])}")
        self.problems = found


def read(model: type[M], value: object) -> M:
    """Checks a JSON value against the model's schema. Fields that the schema does not know are ignored. Raises ContractError."""
    found = list(schema.problems(value, model.SCHEMA, model.__name__))
    if found:
        raise ContractError(model.__name__, found)
    return _build(model, value)


def write(model: Model) -> dict[str, Any]:
    """The JSON form, with the contract's field names. What may be absent and is None is left out."""
    said = {json_name(field.name): _plain(getattr(model, field.name)) for field in dataclasses.fields(model)}
    required = model.SCHEMA.get("required", [])
    return {name: value for name, value in said.items() if value is not None or name in required}


def json_name(field: str) -> str:
    """`resumed_at_steps` → `resumedAtSteps`."""
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), field)


def field_name(name: str) -> str:
    """`resumedAtSteps` → `resumed_at_steps`."""
    return re.sub(r"[A-Z]", lambda match: f"_{match[0].lower()}", name)


def _plain(value: object) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return write(typing.cast(Model, value))
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    return value


def _build(kind: Any, value: Any) -> Any:
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        names = {field.name: json_name(field.name) for field in dataclasses.fields(kind)}
        return kind(**{field: _build(hints[field], value[name]) for field, name in names.items() if name in value})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is tuple:
        return tuple(_build(arguments[0], item) for item in value)
    if origin is types.UnionType:
        return None if value is None else _build(arguments[0], value)
    if kind is int:
        return int(value)
    if kind is float:
        return float(value)
    return value
