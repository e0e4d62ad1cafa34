"""What pages of other origins may read: nothing by default, pictures always, the control surface never."""

import httpx
import pytest
from conftest import Serve
from test_bad_wire import PATHS, PROVIDERS

from support.calls import Caller
from support.scene import Scene

PAGE = "http://localhost:5173"
PREFLIGHT = {
    "Origin": PAGE,
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "authorization,content-type",
}
ALLOW = "access-control-allow-origin"


@pytest.fixture
def open_to_page(serve: Serve) -> Scene:
    return serve(cors_origins=(PAGE,))


def preflight(scene: Scene, path: str, origin: str = PAGE) -> httpx.Response:
    return scene.http.options(path, headers={**PREFLIGHT, "Origin": origin})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_off_by_default(scene: Scene, provider: str) -> None:
    assert preflight(scene, PATHS[provider]).status_code == 405
    assert ALLOW not in Caller(scene, provider, "sk_k").generate(headers={"Origin": PAGE}).headers


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_named_origin_may_call(open_to_page: Scene, provider: str) -> None:
    asked = preflight(open_to_page, PATHS[provider])
    assert (asked.status_code, asked.content) == (204, b"")
    assert asked.headers[ALLOW] == PAGE
    assert "POST" in asked.headers["access-control-allow-methods"]
    assert asked.headers["access-control-allow-headers"] == "authorization,content-type"
    caller = Caller(open_to_page, provider, "sk_k")
    for answer in (caller.generate(headers={"Origin": PAGE}), caller.generate(model="x", headers={"Origin": PAGE})):
        assert (answer.headers[ALLOW], answer.headers["vary"]) == (PAGE, "Origin")
        assert "x-request-id" in answer.headers["access-control-expose-headers"]


@pytest.mark.parametrize("path", ["/v1/nothing", ""])
def test_refusals_can_be_read_too(open_to_page: Scene, path: str) -> None:
    assert open_to_page.http.get(f"/evolink{path}", headers={"Origin": PAGE}).headers[ALLOW] == PAGE


@pytest.mark.parametrize(
    "origin", ["http://localhost:5174", "https://localhost:5173", "null", "", f"{PAGE}.evil.example"]
)
def test_other_origins_may_not(open_to_page: Scene, origin: str) -> None:
    assert ALLOW not in preflight(open_to_page, PATHS["evolink"], origin).headers
    answer = Caller(open_to_page, "evolink", "k").generate(headers={"Origin": origin})
    assert (ALLOW in answer.headers, answer.headers["vary"]) == (False, "Origin")


def test_a_star_is_every_origin(serve: Serve) -> None:
    scene = serve(cors_origins=("*",))
    assert preflight(scene, PATHS["evolink"], "null").headers[ALLOW] == "*"
    assert Caller(scene, "evolink", "k").generate().headers[ALLOW] == "*"


@pytest.mark.parametrize("origins", [(), (PAGE,), ("*",)])
def test_pictures_are_for_every_origin(serve: Serve, origins: tuple[str, ...]) -> None:
    scene = serve(cors_origins=origins)
    url = Caller(scene, "icodeeasy", "sk_k").generate().json()["data"][0]["url"]
    for answer in (scene.http.get(url, headers={"Origin": PAGE}), scene.http.get(url.replace(".png", "9.png"))):
        assert answer.headers[ALLOW] == "*"


@pytest.mark.parametrize("origins", [(PAGE,), ("*",)])
def test_the_control_surface_is_for_none(serve: Serve, origins: tuple[str, ...]) -> None:
    scene = serve(cors_origins=origins)
    for path in ("health", "tasks", "reset"):
        assert ALLOW not in preflight(scene, f"/_mock/{path}").headers
        assert ALLOW not in scene.http.get(f"/_mock/{path}", headers={"Origin": PAGE}).headers


def test_a_form_is_answered_too(open_to_page: Scene) -> None:
    files = [("image", ("a.png", b"x"))]
    answer = Caller(open_to_page, "xhuoapi", "k").send(
        "POST", "/v1/openai/images/edits", data={"model": "m"}, files=files, headers={"Origin": PAGE}
    )
    assert answer.headers[ALLOW] == PAGE
