"""JSON schemas of Python types, and of sample values where there is no type."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from mockserver.providers.parsing import Fields

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/"
_JSON_TYPES = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


class Schemas:
    """The schemas of the types of one description; `components` has those that have a name."""

    def __init__(self, types: Iterable[Any]) -> None:
        self._adapters: list[tuple[Any, TypeAdapter[Any]]] = []
        for kind in types:
            if all(kind is not known for known, _ in self._adapters):
                self._adapters.append((kind, TypeAdapter(kind)))
        found, shared = TypeAdapter.json_schemas(
            [(str(number), "validation", adapter) for number, (_, adapter) in enumerate(self._adapters)],
            ref_template=f"{REFERENCE}{{model}}",
        )
        self._found = found
        self.components: dict[str, Schema] = dict(shared.get("$defs", {}))
        for kind, _ in self._adapters:
            if isinstance(kind, type) and issubclass(kind, Fields):
                _allow_null(self.inner(kind))

    def of(self, kind: Any) -> Schema:
        """The schema of a type: a reference where the type has a name."""
        number = next(number for number, (known, _) in enumerate(self._adapters) if known is kind)
        return dict(self._found[str(number), "validation"])

    def inner(self, kind: Any) -> Schema:
        """The schema itself of a model."""
        schema = self.of(kind)
        name = str(schema.get("$ref", "")).removeprefix(REFERENCE)
        return self.components[name] if name else schema


def _allow_null(schema: Schema) -> None:
    """Let each optional field be null: a null counts as absent in a provider's JSON."""
    for name, field in schema["properties"].items():
        if name in schema.get("required", ()) or {"type": "null"} in field.get("anyOf", ()):
            continue
        own = {key: field.pop(key) for key in list(field) if key not in ("title", "description", "default")}
        if own:
            field["anyOf"] = [own, {"type": "null"}]


def schema_of_samples(samples: Iterable[Any]) -> Schema:
    """The schema that fits every sample: the fields of all are required, and the types are those that were seen."""
    values = list(samples)
    objects = [value for value in values if isinstance(value, Mapping)]
    types = sorted({_JSON_TYPES[type(value)] for value in values if type(value) in _JSON_TYPES})
    schema: Schema = {}
    if types:
        schema["type"] = types[0] if len(types) == 1 else types
    if objects and len(objects) == len(values):
        names = list(dict.fromkeys(name for value in objects for name in value))
        schema = {
            "type": "object",
            "properties": {
                name: schema_of_samples(value[name] for value in objects if name in value) for name in names
            },
            "required": [name for name in names if all(name in value for value in objects)],
            "additionalProperties": False,
        }
    return schema
