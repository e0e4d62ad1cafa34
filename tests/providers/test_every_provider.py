"""Tests of every provider, whatever its API: those of the package, and those of installed packages.

Calls are the providers' own examples. `tests/test_new_providers.py` runs this file with another provider installed.
"""

from collections.abc import Iterator
from decimal import Decimal
from hashlib import sha256
from typing import Any

import httpx
import pytest

from mockserver.providers.base import Provider
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web
from support.calls import PROVIDERS


@pytest.fixture(scope="module")
def mock() -> Iterator[MockServer]:
    with MockServer(Settings(latency="instant", seed="test")) as mock:
        yield mock


@pytest.fixture(params=list(PROVIDERS.values()), ids=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> Provider:
    found: Provider = request.param
    return found


@pytest.fixture
def key(provider: Provider, request: pytest.FixtureRequest) -> str:
    """A key of the test's own, made from the provider's example."""
    return f"{provider.example.key}-{sha256(request.node.nodeid.encode()).hexdigest()[:8]}"


@pytest.fixture
def http(mock: MockServer, provider: Provider, key: str) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {key}"}
    with web.Client(base_url=f"{mock.root_url}/{provider.name}", headers=headers, timeout=10.0) as http:
        yield http


def call(http: httpx.Client, provider: Provider, **changes: Any) -> httpx.Response:
    """The provider's example call; `key` and `prompt` may differ."""
    headers = {"Authorization": f"Bearer {changes['key']}"} if "key" in changes else {}
    body = {**provider.example.body, **({"prompt": changes["prompt"]} if "prompt" in changes else {})}
    return http.post(provider.example.path, json=body, headers=headers)


def spent(http: httpx.Client, provider: Provider, key: str) -> Decimal:
    url = httpx.URL(http.base_url).copy_with(path=f"/_mock/accounts/{key}")
    account = http.get(url, params={"provider": provider.name}).json()
    return Decimal(account["held"]) + Decimal(account["captured"])


def shape(answer: httpx.Response) -> Any:
    """The names in an error's body: the provider's envelope."""
    body = answer.json()
    return {name: sorted(value) if isinstance(value, dict) else None for name, value in body.items()}


def without_field(names: Any) -> Any:
    """The envelope without `param`, which some have only if a field is to blame."""
    return {name: [one for one in parts if one != "param"] if parts else parts for name, parts in names.items()}


def test_its_example_works_and_is_charged(http: httpx.Client, provider: Provider, key: str) -> None:
    answer = call(http, provider)
    assert answer.status_code in (200, 202), answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"]
    assert spent(http, provider, key) > 0


@pytest.mark.parametrize(
    ("ending", "statuses"), [("401", {401}), ("402", {402, 403, 429}), ("429", {429}), ("500", {500})]
)
def test_keys_that_end_in_a_status(
    http: httpx.Client, provider: Provider, key: str, ending: str, statuses: set[int]
) -> None:
    refused = call(http, provider, key=f"{key}-mock-{ending}")
    assert refused.status_code in statuses
    assert ("retry-after" in refused.headers) is (ending == "429")
    assert spent(http, provider, f"{key}-mock-{ending}") == 0


def test_every_refusal_has_its_envelope(http: httpx.Client, provider: Provider, key: str) -> None:
    expected = without_field(shape(http.post(provider.example.path, headers={"Authorization": "none"})))
    path = provider.example.path
    refusals = {
        "a prompt's directive": (call(http, provider, prompt="[mock:status=503]"), 503),
        "an unknown path": (http.get("/no/such/path"), 404),
        "a wrong method": (http.delete(path), 405),
        "no JSON": (http.post(path, content=b"{", headers={"Content-Type": "application/json"}), 400),
        "an empty body": (http.post(path, headers={"Content-Type": "application/json"}), 400),
        "an unknown model": (http.post(path, json={**provider.example.body, "model": "no-such-model"}), 400),
        "no prompt": (http.post(path, json={**provider.example.body, "prompt": None}), 400),
        "no text": (http.post(path, json={**provider.example.body, "prompt": 1}), 400),
    }
    for why, (answer, status) in refusals.items():
        assert answer.status_code == status, f"{why}: {answer.text}"
        assert without_field(shape(answer)) == expected, why
    assert spent(http, provider, key) == 0


def test_it_is_reached_by_its_documented_host(mock: MockServer, provider: Provider, key: str) -> None:
    with web.Client(base_url=mock.root_url) as http:
        for host in provider.hosts:
            headers = {"Host": host, "Authorization": f"Bearer {key}"}
            answer = http.post(provider.example.path, json=provider.example.body, headers=headers)
            assert answer.status_code in (200, 202), answer.text


def test_it_is_listed(mock: MockServer, provider: Provider) -> None:
    page = web.get(f"{mock.root_url}/").text
    assert provider.base_url(mock.root_url) in page
    assert provider.curl_line(mock.root_url) in page


def test_the_control_surface_knows_it(mock: MockServer, http: httpx.Client, provider: Provider, key: str) -> None:
    call(http, provider)
    with web.Client(base_url=f"{mock.root_url}/_mock/") as control:
        for noun in ("requests", "tasks"):
            rows = control.get(noun, params={"provider": provider.name, "api_key": key}).json()[noun]
            assert [row["provider"] for row in rows] == [provider.name]
        rule = {"fault": {"type": "status", "status": 503}, "match": {"provider": provider.name, "api_key": key}}
        assert control.post("faults", json=rule).status_code in (200, 201)
    assert call(http, provider).status_code == 503
    others = [other for other in PROVIDERS.values() if other is not provider]
    assert others, "a fault that acts everywhere could not be told from one that acts here"


def test_faults_act_on_its_answers(mock: MockServer, http: httpx.Client, provider: Provider, key: str) -> None:
    match = {"provider": provider.name, "api_key": key}
    web.post(f"{mock.root_url}/_mock/faults", json={"fault": {"type": "disconnect"}, "match": match, "times": 1})
    with pytest.raises(httpx.TransportError):
        call(http, provider)
    assert call(http, provider).status_code in (200, 202)


def test_the_client_has_it_as_an_attribute(mock: MockServer, http: httpx.Client, provider: Provider, key: str) -> None:
    call(http, provider)
    named: Any = getattr(mock, provider.name)
    assert named.base_url == f"{mock.root_url}/{provider.name}"
    assert mock.provider(provider.name).base_url == named.base_url
    assert [request.provider for request in mock.requests(provider.name)][:1] == [provider.name]


def test_settings_change_its_prices(provider: Provider, key: str) -> None:
    free = Settings(latency="instant", prices={provider.name: dict.fromkeys(provider.prices, "0")})
    with MockServer(free) as mock, web.Client(base_url=f"{mock.root_url}/{provider.name}") as http:
        assert call(http, provider, key=key).status_code in (200, 202)
        assert spent(http, provider, key) == 0
