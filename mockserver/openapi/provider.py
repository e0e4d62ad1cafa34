"""The OpenAPI description of a provider: of its routes, as it documents them."""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from openapi_pydantic import (
    Components,
    Example,
    Header,
    Info,
    MediaType,
    OpenAPI,
    PathItem,
    Reference,
    RequestBody,
    Response,
    SecurityScheme,
)
from openapi_pydantic import Operation as OpenApiOperation
from openapi_pydantic import Schema as OpenApiSchema

from mockserver import __version__
from mockserver.http.context import Route
from mockserver.openapi.errors import envelope_schema, errors_of
from mockserver.openapi.requests import body_of, models_of
from mockserver.openapi.schemas import REFERENCE, Schema, Schemas
from mockserver.openapi.structure import dumped, json_content, operation_id, parameter, path_parameters
from mockserver.providers.base import Provider
from mockserver.providers.operations import Operation

_ERROR = "ErrorBody"
_RETRY_AFTER = Header(description="Seconds after which to try again.", schema=OpenApiSchema(type="string"))
_REQUEST_ID = Reference.model_validate({"$ref": "#/components/headers/RequestId"})


def describe(provider: Provider) -> dict[str, Any]:
    """The description of a provider, without `servers`."""
    operations: Mapping[str, Operation] = (
        import_module(provider.described_in).OPERATIONS if provider.described_in else {}
    )
    schemas = Schemas(_types(provider, operations))
    paths: dict[str, PathItem] = {}
    for route in provider.routes:
        operation = operations.get(f"{route.method} {route.path}")
        described = _operation(provider, route, operation, schemas)
        item = paths.setdefault(route.path, PathItem())
        setattr(item, route.method.lower(), described)
    components = {**schemas.components, _ERROR: envelope_schema(provider)}
    return dumped(
        OpenAPI(
            info=Info(
                title=provider.title,
                version=__version__,
                description=f"A mock of https://{provider.hosts[0]}{provider.base_path}, as it is documented.",
            ),
            paths=paths,
            components=Components(
                schemas={name: OpenApiSchema.model_validate(schema) for name, schema in components.items()},
                headers={"RequestId": Header(description="The call's id.", schema=OpenApiSchema(type="string"))},
                securitySchemes={
                    "key": SecurityScheme(
                        type="http", scheme="bearer", description=f"An API key, such as {provider.example.key}."
                    )
                },
            ),
        )
    )


def _types(provider: Provider, operations: Mapping[str, Operation]) -> Iterator[Any]:
    for route in provider.routes:
        yield from models_of(route)
    for operation in operations.values():
        yield from filter(None, (*operation.answers.values(), *operation.requests, operation.also, operation.callback))
        yield from (parameter.type for parameter in operation.parameters)


def _operation(provider: Provider, route: Route, operation: Operation | None, schemas: Schemas) -> OpenApiOperation:
    example = operation.example if operation else None
    if example is None and route.path == provider.example.path:
        example = provider.example.body
    body = body_of(route, operation, schemas, example)
    summary = operation.summary if operation else f"{route.method} {route.path}"
    parameters = path_parameters(route.path)
    for query in operation.parameters if operation else ():
        parameters.append(parameter(query.name, query.place, schemas.of(query.type), query.meaning, query.required))
    callback = _callback(operation, body, schemas)
    return OpenApiOperation(
        operationId=operation_id(route.method, route.path),
        summary=summary,
        parameters=parameters or None,
        requestBody=body,
        responses={**_answers(route, operation, schemas), **_refusals(provider, route)},
        callbacks={"taskEnded": {"{$request.body#/callback_url}": callback}} if callback else None,
        security=[{"key": []}] if route.keyed else [],
    )


def _answers(route: Route, operation: Operation | None, schemas: Schemas) -> dict[str, Response]:
    headers: dict[str, Header | Reference] = {"x-request-id": _REQUEST_ID}
    for name, meaning in (operation.headers if operation else {}).items():
        headers[name] = Header(description=meaning, schema=OpenApiSchema(type="string"))
    if route.picture:
        extensions = ("png", "jpeg", "webp") if "{extension}" in route.path else ("png",)
        picture = {f"image/{extension}": MediaType() for extension in extensions}
        return {
            "200": Response(description="The picture.", headers=headers, content=picture),
            "206": Response(description="The part that a Range asked for.", headers=headers, content=picture),
            "304": Response(description="The client has this picture already.", headers=headers),
        }
    answers: Mapping[int, Any] = operation.answers if operation and operation.answers else {200: dict}
    said = {202: "Accepted; poll the task.", 302: "Elsewhere."}
    return {
        str(status): Response(
            description=said.get(status, "The answer."),
            headers=headers,
            content=None if kind is None else json_content({"type": "object"} if kind is dict else schemas.of(kind)),
        )
        for status, kind in answers.items()
    }


def _refusals(provider: Provider, route: Route) -> dict[str, Response]:
    """The errors of a route by status, each status with an example of every error that it may be."""
    by_status: dict[int, dict[str, Example]] = {}
    for name, refusal, body in errors_of(provider, route):
        by_status.setdefault(refusal.status, {}).setdefault(name, Example(summary=refusal.message, value=body))
    headers: dict[str, Header | Reference] = {"x-request-id": _REQUEST_ID}
    answers = {}
    for status, examples in sorted(by_status.items()):
        said = " · ".join(dict.fromkeys(str(example.summary) for example in examples.values()))
        content = json_content({"$ref": REFERENCE + _ERROR}, examples)
        more = {"Retry-After": _RETRY_AFTER} if status == 429 else {}
        answers[str(status)] = Response(description=said, headers={**headers, **more}, content=content)
    return answers


def _callback(operation: Operation | None, body: RequestBody | None, schemas: Schemas) -> PathItem | None:
    if operation is None or operation.callback is None or body is None:
        return None
    posted: Schema = schemas.of(operation.callback)
    return PathItem(
        post=OpenApiOperation(
            summary="The task has ended",
            requestBody=RequestBody(required=True, content=json_content(posted)),
            responses={
                "2XX": Response(description="Received. Any other answer, or none within 10 s, is a failed attempt."),
                "default": Response(description="The attempt is repeated 1, 2 and 4 s after a failed one."),
            },
            security=[],
        )
    )
