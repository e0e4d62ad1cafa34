"""The OpenAPI description of the control surface. Needs `openapi_pydantic`, so it is imported when it is asked for."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from openapi_pydantic import (
    Components,
    Example,
    Info,
    MediaType,
    OpenAPI,
    PathItem,
    RequestBody,
    Response,
    SecurityScheme,
)
from openapi_pydantic import Operation as OpenApiOperation
from openapi_pydantic import Schema as OpenApiSchema

from mockserver import __version__
from mockserver.control.operations import CALLS, Call
from mockserver.openapi.schemas import REFERENCE, Schemas
from mockserver.openapi.structure import dumped, json_content, operation_id, parameter, path_parameters

_ERROR = "ErrorBody"
_ERRORS_OF_ALL = {400: "bad_request", 401: "unauthorized", 403: "forbidden", 421: "wrong_host"}
_ERRORS_OF_BODIES = {408: "timeout", 413: "too_large"}
_ERRORS_OF_RECORDS = {404: "not_found"}
_TOKEN = SecurityScheme(type="http", scheme="bearer", description="The value of --control-token, where one is set.")


@lru_cache(maxsize=4)
def describe(routes: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """The description of control calls, given as (method, path); one that `CALLS` lacks takes and answers anything."""
    schemas = Schemas(_types())
    paths: dict[str, PathItem] = {}
    for method, path in routes:
        call = CALLS.get(f"{method} {path}") or Call(f"{method} {path}", {200: Any})
        setattr(paths.setdefault(path, PathItem()), method.lower(), _operation(method, path, call, schemas))
    error = {
        "type": "object",
        "properties": {
            "error": {
                "type": "object",
                "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
                "required": ["code", "message"],
            }
        },
        "required": ["error"],
    }
    components = {**schemas.components, _ERROR: error}
    return dumped(
        OpenAPI(
            info=Info(
                title="The control surface",
                version=__version__,
                description="Steers a mock server: time, faults, callbacks, money, state.",
            ),
            paths=paths,
            components=Components(
                schemas={name: OpenApiSchema.model_validate(schema) for name, schema in components.items()},
                securitySchemes={"token": _TOKEN},
            ),
            security=[{}, {"token": []}],
        )
    )


def _types() -> Iterator[Any]:
    yield Any
    for call in CALLS.values():
        yield from call.requests
        yield from (kind for kind in call.answers.values() if kind not in (None, bytes))
        yield from (query.type for query in call.parameters)


def _operation(method: str, path: str, call: Call, schemas: Schemas) -> OpenApiOperation:
    parameters = path_parameters(path)
    for query in call.parameters:
        found = parameter(query.name, query.place, schemas.of(query.type), query.meaning, query.required)
        parameters.append(found)
    errors = {**_ERRORS_OF_ALL, **(_ERRORS_OF_RECORDS if "{" in path else {}), **call.errors}
    if method in ("POST", "PUT"):
        errors |= _ERRORS_OF_BODIES
    return OpenApiOperation(
        operationId=operation_id(method, path),
        summary=call.summary,
        parameters=parameters or None,
        requestBody=_body(call, schemas),
        responses={
            **{str(status): _answer(call, kind, schemas) for status, kind in call.answers.items()},
            **{str(status): _refusal(code) for status, code in sorted(errors.items())},
        },
    )


def _body(call: Call, schemas: Schemas) -> RequestBody | None:
    if not call.requests:
        return None
    (kind,) = call.requests
    examples = {"documented": Example(value=dict(call.example))} if call.example else None
    required = bool(schemas.inner(kind).get("required"))
    return RequestBody(required=required, content=json_content(schemas.of(kind), examples))


def _answer(call: Call, kind: Any, schemas: Schemas) -> Response:
    if kind is None:
        return Response(description="The answer.")
    content = {call.content_type: MediaType()} if kind is bytes else json_content(schemas.of(kind))
    return Response(description="The answer.", content=content)


def _refusal(code: str) -> Response:
    example = Example(value={"error": {"code": code, "message": "Why, and what exists instead."}})
    return Response(description=code, content=json_content({"$ref": REFERENCE + _ERROR}, {code: example}))
