"""The scripts as they are sent."""

import re

import pytest

from mockserver.engine.store.redis.scripts import all_scripts, script
from support.valkey import Valkey

NAMES = [one.name for one in all_scripts()]


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_complete(name: str) -> None:
    source = script(name).source.decode()
    assert "-- part:" not in source
    assert source.count("local root, me") == 1


@pytest.mark.parametrize("name", NAMES)
def test_a_script_is_one_that_the_server_reads(valkey: Valkey, name: str) -> None:
    import redis

    with redis.Redis(port=valkey.port) as client:
        assert client.script_load(script(name).source) == script(name).sha.decode()


def test_every_part_is_used() -> None:
    used = "".join(one.source.decode() for one in all_scripts())
    for function in re.findall(r"local function (\w+)", used):
        assert len(re.findall(rf"\b{function}\(", used)) > used.count(f"local function {function}("), function
