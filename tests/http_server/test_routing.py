"""From a method and a path to a route."""

import pytest
from aiohttp.web import Response, StreamResponse
from test_bad_wire import PATHS, assert_refused

from mockserver.http.context import RequestContext, Route
from mockserver.http.routing import EXTRA_SLASHES, UNKNOWN_PATH, Router
from support.scene import Scene


async def handle(context: RequestContext) -> StreamResponse:
    return Response()


GET, POST = Route("GET", "/a", handle), Route("POST", "/a", handle)
PART, NAMED = Route("GET", "/b/{x}.png", handle), Route("GET", "/b/{x}_{y}", handle)
ROUTER = Router((GET, POST, PART, NAMED))


def test_fixed_paths_by_method() -> None:
    assert ROUTER.find("GET", "/a")[0].route is GET
    assert ROUTER.find("POST", "/a")[0].route is POST
    assert ROUTER.find("HEAD", "/a")[0].route is GET


def test_patterns_and_their_parts() -> None:
    found, params = ROUTER.find("GET", "/b/1.2.png")
    assert (found.route, params) == (PART, {"x": "1.2"})
    found, params = ROUTER.find("HEAD", "/b/1_2")
    assert (found.route, params) == (NAMED, {"x": "1", "y": "2"})


def test_no_part_spans_two_segments_or_none() -> None:
    for path in ("/b/1/2.png", "/b/.png", "/B/1.png", "/b/1xpng", "/a\n", "a", ""):
        assert ROUTER.find("GET", path)[0] is UNKNOWN_PATH, path


def test_spare_slashes_are_told() -> None:
    for path in ("/b/1.png/", "/a/", "/a//", "//a"):
        assert ROUTER.find("GET", path)[0] is EXTRA_SLASHES, path
    assert ROUTER.find("GET", "/c/")[0] is UNKNOWN_PATH


@pytest.mark.parametrize("path", ["{}/", "/{}", "//{}//"])
@pytest.mark.parametrize("provider", PATHS)
def test_a_path_with_spare_slashes_says_which_was_meant(scene: Scene, provider: str, path: str) -> None:
    documented = PATHS[provider].removeprefix(f"/{provider}").removeprefix("/")
    answer = scene.http.post(f"{scene.root}/{provider}/{path.format(documented)}")
    assert_refused(answer, provider, 404)
    assert f"did you mean {PATHS[provider]}," in answer.text


def test_so_do_the_control_surface_and_the_index(scene: Scene) -> None:
    assert "Did you mean /_mock/health," in scene.http.get("/_mock/health/").text
    assert "Did you mean /_mock/health," in scene.http.get("/_mock//health").text
    assert "Did you mean /evolink/v1/credits," in scene.http.get(f"{scene.root}//evolink/v1/credits").text


def test_other_methods_are_refused_without_a_route() -> None:
    for method in ("PUT", "post", "OPTIONS", ""):
        found, _ = ROUTER.find(method, "/a")
        assert found.route is None
        assert found is not UNKNOWN_PATH
