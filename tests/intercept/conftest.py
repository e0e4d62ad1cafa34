from collections.abc import Iterator

import pytest

from support.intercepted import Intercepted, interception_of
from support.scene import Scene


@pytest.fixture
def led(scene: Scene) -> Iterator[Intercepted]:
    """A server whose documented hosts are led to it."""
    with interception_of(scene) as intercepted:
        yield intercepted
