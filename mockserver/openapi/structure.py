"""Parts that the descriptions of providers and of the control surface share."""

import re
from typing import Any

from openapi_pydantic import Example, MediaType, OpenAPI, Parameter
from openapi_pydantic import Schema as OpenApiSchema

from mockserver.openapi.schemas import Schema


def operation_id(method: str, path: str) -> str:
    """`get_v1_tasks_task_id` for GET /v1/tasks/{task_id}."""
    return "_".join([method.lower(), *re.findall(r"[A-Za-z0-9]+", path)])


def path_parameters(path: str) -> list[Parameter]:
    """The variable parts of a path."""
    return [parameter(name, "path", {"type": "string", "minLength": 1}) for name in re.findall(r"{(\w+)}", path)]


def parameter(name: str, place: str, schema: Schema, meaning: str | None = None, required: bool = False) -> Parameter:
    """A parameter; those of the path are required."""
    required = required or place == "path"
    given = {"name": name, "in": place, "schema": schema, "description": meaning, "required": required}
    return Parameter.model_validate(given)


def json_content(schema: Schema, examples: dict[str, Example] | None = None) -> dict[str, MediaType]:
    """A JSON body of a schema."""
    media = MediaType(media_type_schema=OpenApiSchema.model_validate(schema), examples=examples)
    return {"application/json": media}


def dumped(document: OpenAPI) -> dict[str, Any]:
    """A description as JSON values."""
    written = document.model_dump(mode="json", by_alias=True, exclude_none=True, exclude_defaults=True)
    return {"openapi": document.openapi, **written}
