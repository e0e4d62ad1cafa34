"""The OpenAPI descriptions of providers: valid, complete, and what the server really answers."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from aiohttp.web import StreamResponse
from openapi_spec_validator import validate

from mockserver.engine.problems import Kind
from mockserver.http.context import Handler, RequestContext, Route
from mockserver.openapi import serving
from mockserver.openapi.provider import describe
from mockserver.openapi.requests import _formats_read
from mockserver.providers.base import Provider
from mockserver.providers.operations import Operation
from support.calls import PROVIDERS
from support.openapi import Description
from support.scene import Scene


@pytest.fixture(params=list(PROVIDERS.values()), ids=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.param
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield f"{method.upper()} {path}", operation


def test_it_is_valid(provider: Provider) -> None:
    document = describe(provider)
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_every_route_is_there_under_an_id_of_its_own(provider: Provider) -> None:
    found = dict(operations(describe(provider)))
    assert set(found) == {f"{route.method} {route.path}" for route in provider.routes}
    assert len({operation["operationId"] for operation in found.values()}) == len(found)


def test_every_documented_error_is_there_with_an_example_that_fits(provider: Provider) -> None:
    description = Description(describe(provider))
    examples: list[tuple[int, Any]] = []
    for _, operation in operations(description.document):
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                for example in media.get("examples", {}).values():
                    description.fits(media["schema"], example["value"])
                    examples.append((int(status), example["value"]))
    of_methods = {provider.refusals[Kind.WRONG_METHOD]}  # of no operation: OpenAPI describes the methods that there are
    for route in provider.routes:
        for refusal in {**provider.refusals, **(route.refusals or {})}.values():
            said = [
                body for status, body in examples if status == refusal.status and refusal.message in json.dumps(body)
            ]
            assert said or refusal in of_methods, refusal


def test_a_key_is_needed_where_the_route_says_so(provider: Provider) -> None:
    found = dict(operations(describe(provider)))
    for route in provider.routes:
        operation = found[f"{route.method} {route.path}"]
        assert operation["security"] == ([{"key": []}] if route.keyed else [])
        assert ("401" in operation["responses"]) is route.keyed


def test_the_documented_example_fits_its_request(provider: Provider) -> None:
    description = Description(describe(provider))
    seen = []
    for name, operation in operations(description.document):
        media = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        for example in media.get("examples", {}).values():
            description.fits(media["schema"], example["value"])
            seen.append(name)
    assert f"POST {provider.example.path}" in seen


def test_a_request_that_does_not_fit_is_none(provider: Provider) -> None:
    description = Description(describe(provider))
    body = description.operation("POST", provider.example.path)["requestBody"]
    for wrong in ({"prompt": 1}, {"model": "no-such-model"}, {"prompt": None}):
        schema = body["content"]["application/json"]["schema"]
        assert not description.accepts(schema, {**provider.example.body, **wrong}), wrong


def test_without_operations_models_and_refusals_describe_it(provider: Provider) -> None:
    """What a provider's author has for nothing."""
    document = describe(replace(provider, described_in=None))
    validate(document)
    operation = document["paths"][provider.example.path]["post"]
    assert "application/json" in operation["requestBody"]["content"]
    assert {"200", "400", "401", "429", "500"} <= set(operation["responses"])


def test_every_operation_belongs_to_a_route(provider: Provider) -> None:
    if provider.described_in is None:
        pytest.skip("it describes no operations")
    module = __import__(provider.described_in, fromlist=["OPERATIONS"])
    assert set(module.OPERATIONS) <= {f"{route.method} {route.path}" for route in provider.routes}
    assert all(isinstance(operation, Operation) for operation in module.OPERATIONS.values())


def test_forms_are_described_where_they_are_taken() -> None:
    for name, path in (("icodeeasy", "/v1/images/generations"), ("xhuoapi", "/v1/openai/images/edits")):
        form = describe(PROVIDERS[name])["paths"][path]["post"]["requestBody"]["content"]["multipart/form-data"]
        assert form["schema"]["properties"]["image"] == {"type": "string", "format": "binary"}
        assert form["schema"]["properties"]["image[]"]["type"] == "array"
        assert "prompt" in form["schema"]["required"]
    assert list(
        describe(PROVIDERS["evolink"])["paths"]["/v1/images/generations"]["post"]["requestBody"]["content"]
    ) == ["application/json"]


class Handlers:
    """Handlers in other forms than functions."""

    async def method(self, context: RequestContext) -> StreamResponse:
        await context.body.form()
        return await helper(context)

    async def __call__(self, context: RequestContext) -> StreamResponse:
        raise NotImplementedError


async def helper(context: RequestContext) -> StreamResponse:
    body = context.body
    await body.json()
    raise NotImplementedError


async def named(name: str, context: RequestContext) -> StreamResponse:
    await context.body.form()
    raise NotImplementedError(json.dumps(name))


@pytest.mark.parametrize(
    ("handler", "formats"),
    [
        (Handlers().method, {"form", "json"}),
        (helper, {"json"}),
        (partial(named, "x"), {"form"}),
        (Handlers(), {"json"}),
    ],
    ids=["a method and what it calls", "a function", "a partial", "an object"],
)
def test_the_formats_of_a_body_are_those_that_the_handler_reads(handler: Handler, formats: set[str]) -> None:
    assert _formats_read(Route("POST", "/v1/images", handler)) == formats


def test_the_async_variant_is_described() -> None:
    operation = describe(PROVIDERS["icodeeasy"])["paths"]["/v1/images/generations"]["post"]
    assert [parameter["name"] for parameter in operation["parameters"]] == ["async"]
    assert operation["responses"]["202"]["content"]["application/json"]["schema"] == {
        "$ref": "#/components/schemas/Submitted"
    }


def test_the_description_is_served_for_nothing(scene: Scene, provider: Provider) -> None:
    """Without a key, without an entry in the journal."""
    answer = scene.http.get(f"/{provider.name}/openapi.json")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["servers"] == [{"url": f"{scene.root}/{provider.name}"}]
    assert scene.http.head(f"/{provider.name}/openapi.json").status_code == 200
    assert scene.mock("requests")["requests"] == []


def test_a_documented_host_has_no_such_path(scene: Scene, provider: Provider) -> None:
    answer = scene.http.get("/openapi.json", headers={"Host": provider.hosts[0]})
    assert answer.status_code == 404
    Description(describe(provider)).fits({"$ref": "#/components/schemas/ErrorBody"}, answer.json())


def test_without_the_extra_the_answer_names_it(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    serving._described.cache_clear()
    for module in [
        name for name in sys.modules if name.startswith(("openapi_pydantic", "mockserver.openapi.provider"))
    ]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.delitem(sys.modules, "mockserver.control.description", raising=False)
    monkeypatch.setitem(sys.modules, "openapi_pydantic", None)
    for mount in ("evolink", "_mock"):
        answer = scene.http.get(f"/{mount}/openapi.json")
        assert (answer.status_code, answer.json()["error"]["code"]) == (501, "not_installed")
        assert "image-api-mockserver[openapi]" in answer.json()["error"]["message"]


def test_it_costs_nothing_until_it_is_asked_for() -> None:
    """A server that has answered a provider's call and a control call has imported nothing of it."""
    code = """
import sys, urllib.request
from mockserver.server import MockServer
from mockserver.settings import Settings
with MockServer(Settings(latency="instant")) as mock:
    urllib.request.urlopen(f"{mock.root_url}/_mock/health").read()
    loaded = [name for name in sys.modules if name.startswith(HEAVY)]
    assert not loaded, loaded
    urllib.request.urlopen(f"{mock.root_url}/evolink/openapi.json").read()
    assert all(any(name.startswith(heavy) for name in sys.modules) for heavy in HEAVY)
"""
    heavy = ("openapi_pydantic", "mockserver.openapi.provider", "mockserver.providers.evolink.answers")
    subprocess.run([sys.executable, "-c", f"HEAVY = {heavy}\n{code}"], check=True, timeout=60)
