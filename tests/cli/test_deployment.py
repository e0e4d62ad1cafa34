"""The files of docs/deployment.md are what their programs read, and their commands are this one's."""

import shlex
from configparser import ConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from mockserver.cli.commands import COMMANDS
from mockserver.cli.sources import load
from mockserver.settings import Settings
from support.blocks import blocks_of

ROOT = Path(__file__).parents[2]
BLOCKS = {block.language: block.code for block in blocks_of(ROOT / "docs" / "deployment.md", ROOT)}


def settings_of(command: str) -> Settings:
    """The settings of a `mockserver serve` in a command line."""
    words = shlex.split(command)
    (serve,) = [one for one in COMMANDS if one.name == "serve"]
    return load(serve.parse(words[words.index("serve") + 1 :]), None)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("STORE", "WORKERS", "HOST", "PUBLIC_URL"):
        monkeypatch.delenv(f"MOCKSERVER_{name}", raising=False)


def test_the_systemd_unit_starts_a_server_that_survives_a_restart() -> None:
    unit = ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign] # keys are as they are written
    unit.read_string(BLOCKS["ini"])
    service = unit["Service"]
    assert (service["KillMode"], service["Restart"]) == ("mixed", "on-failure")
    settings = settings_of(service["ExecStart"])
    assert (settings.workers, settings.store) == (4, "sqlite:////var/lib/mockserver/mock.db")
    assert settings.store.removeprefix("sqlite:///").startswith(f"/var/lib/{service['StateDirectory']}/")


def test_the_compose_file_starts_servers_on_one_store() -> None:
    services: dict[str, Any] = yaml.safe_load(BLOCKS["yaml"])["services"]
    (_, _, script) = shlex.split(services["mock"]["command"])
    settings = settings_of(script.partition("exec ")[2])
    assert (settings.workers, settings.public_url) == (2, "https://mock.example.com")
    assert settings.store == "valkey://store:6379/0"
    assert "noeviction" in services["store"]["command"]
    names = set(services)
    assert all(set(service.get("depends_on", [])) <= names for service in services.values())
