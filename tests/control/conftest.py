"""Scenes of the control surface's tests."""

from collections.abc import Callable

import pytest

from control.steer import route_app
from support.scene import Scene


@pytest.fixture
def slow(serve: Callable[..., Scene]) -> Scene:
    """A server where a generation takes 20 s, and whose sinks are routed to."""
    scene = serve(latency="20")
    route_app(scene)
    return scene
