"""The request bodies of a provider's routes: what its models take, as JSON and as a form."""

import sys
from collections.abc import Mapping
from dis import get_instructions
from functools import partial
from inspect import unwrap
from itertools import pairwise
from types import CodeType, FunctionType
from typing import Any

from openapi_pydantic import Example, MediaType, RequestBody
from openapi_pydantic import Schema as OpenApiSchema

from mockserver.http.context import Route
from mockserver.openapi.schemas import Schema, Schemas
from mockserver.providers.operations import Operation
from mockserver.providers.parsing import Fields

FORM = "multipart/form-data"


def models_of(route: Route) -> dict[type[Fields], tuple[str, ...]]:
    """The request classes of the module `models` beside a route's handler, each with the models' names that it is for.

    They are the values of its `MODELS`; or else the classes that it defines and no other one is derived from.
    """
    function = _function(route)
    beside = f"{function.__module__.rpartition('.')[0]}.models" if function else ""
    defined = vars(sys.modules[beside]) if beside in sys.modules else {}
    classes = [
        value
        for value in defined.values()
        if isinstance(value, type) and issubclass(value, Fields) and value.__module__ == beside
    ]
    table = defined.get("MODELS")
    if isinstance(table, Mapping) and all(value in classes for value in table.values()):
        return {kind: tuple(name for name, own in table.items() if own is kind) for kind in table.values()}
    return {kind: () for kind in classes if not any(issubclass(other, kind) for other in classes if other is not kind)}


def _function(route: Route) -> FunctionType | None:
    """The function behind a handler: a method's, a partial's, a decorated one; None for another callable."""
    handler: Any = route.handler
    while isinstance(handler, partial):
        handler = handler.func
    found = unwrap(getattr(handler, "__func__", handler))
    return found if isinstance(found, FunctionType) else None


def body_of(
    route: Route, operation: Operation | None, schemas: Schemas, example: Mapping[str, Any] | None
) -> RequestBody | None:
    """The request body of a route; None for one that takes none."""
    own = operation.requests if operation else ()
    reads = _formats_read(route) | ({"form"} if operation and operation.files else set())
    models: dict[Any, tuple[str, ...]] = dict.fromkeys(own, ()) or dict(models_of(route))
    if route.method != "POST" or not reads or not models:
        return None
    choices = [_choice(kind, names, route, schemas) for kind, names in models.items()]
    fields = choices[0] if len(choices) == 1 else {"anyOf": choices}
    content = {}
    if "json" in reads:
        also = [schemas.of(operation.also)] if operation and operation.also else []
        content["application/json"] = _media({"allOf": [*also, fields]} if also else fields, example)
    if "form" in reads:
        content[FORM] = _media(
            _form(list(models), operation.files if operation else (), schemas, bool(route.default_model))
        )
    return RequestBody(required=True, content=content)


def _media(schema: Schema, example: Mapping[str, Any] | None = None) -> MediaType:
    media = MediaType(media_type_schema=OpenApiSchema.model_validate(schema))
    if example:
        media.examples = {"documented": Example(value=dict(example))}
    return media


def _choice(kind: Any, names: tuple[str, ...], route: Route, schemas: Schemas) -> Schema:
    """The schema of a request class for its models' names; without `model` where the class is that of the default."""
    if not names:
        return schemas.of(kind)
    inner = schemas.inner(kind)
    inner["properties"]["model"] = {"enum": list(names)}
    if route.default_model not in names:
        return schemas.of(kind)
    return {**inner, "required": [name for name in inner.get("required", ()) if name != "model"]}


def _form(kinds: list[Any], files: tuple[str, ...], schemas: Schemas, optional: bool) -> Schema:
    """A form: the fields of every model as text, and files; `optional` is whether `model` may be left out."""
    properties: Schema = {}
    for kind in kinds:
        for name, field in schemas.inner(kind)["properties"].items():
            text: Schema = {"type": "string"}
            several = any(part.get("type") == "array" for part in (field, *field.get("anyOf", ())))
            properties[name] = {"type": "array", "items": text} if several else text
    for name in files:
        file: Schema = {"type": "string", "format": "binary"}
        properties[name] = {"type": "array", "items": file} if name.endswith("[]") else file
    required = set.intersection(*(set(schemas.inner(kind).get("required", ())) for kind in kinds))
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(required - ({"model"} if optional else set())),
    }


def _formats_read(route: Route) -> set[str]:
    """The formats, "json" and "form", in which a handler reads its body: `context.body.json()` or `.form()`."""
    function = _function(route)
    return _formats_of(function, set()) if function else {"json"}


def _formats_of(function: FunctionType, seen: set[CodeType]) -> set[str]:
    """The formats that a function reads, and those of the functions of its own module that it calls."""
    seen.add(function.__code__)
    names = [instruction.argval for instruction in get_instructions(function)]
    found = {name for before, name in pairwise(names) if before == "body" and name in ("json", "form")}
    for name in function.__code__.co_names:
        called = function.__globals__.get(name)
        if (
            isinstance(called, FunctionType)
            and called.__module__ == function.__module__
            and called.__code__ not in seen
        ):
            found |= _formats_of(called, seen)
    return found
