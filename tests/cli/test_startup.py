"""What the quick import of the server leaves behind: an environment as it was, and libraries that work."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

SAID = """
import json, os, sys
before = dict(os.environ)
from mockserver.cli.startup import quick_import
with quick_import():
    import mockserver.app
mockserver.app.create_app()
from mockserver.providers.evolink.models import Generation
Generation.model_rebuild()
loader = sys.modules["pydantic.plugin._loader"]
import zoneinfo
added = {name: value for name, value in os.environ.items() if before.get(name) != value}
print(json.dumps({
    "added": added,
    "gone": [name for name in before if name not in os.environ],
    "zones": zoneinfo.TZPATH,
    "metadata": "importlib.metadata" in sys.modules,
    "searches": hasattr(loader, "__file__"),
    "built": Generation.__pydantic_complete__,
    "plugins": list(loader.get_plugins()),
    "compiled": "frozenlist._frozenlist" in sys.modules,
}))
"""


def _said(code: str = SAID, **environ: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**{name: value for name, value in os.environ.items() if name != "PYDANTIC_DISABLE_PLUGINS"}, **environ},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return json.loads(done.stdout)


def test_the_environment_stays_as_it_was() -> None:
    said = _said(SSL_CERT_FILE="/nowhere/certs.pem")
    assert (said["added"], said["gone"]) == ({"PYDANTIC_DISABLE_PLUGINS": "1"}, [])


def test_pydantic_searches_for_no_plugins() -> None:
    said = _said()
    assert (said["metadata"], said["searches"], said["built"], said["plugins"]) == (False, False, True, [])


def test_a_user_can_have_plugins() -> None:
    said = _said(PYDANTIC_DISABLE_PLUGINS="another")
    assert (said["metadata"], said["searches"], said["built"]) == (True, True, True)


def test_the_cpp_library_is_not_loaded() -> None:
    assert not _said()["compiled"]


def test_time_zones_are_looked_for_where_python_does_by_default() -> None:
    plain = _said("import json, zoneinfo; print(json.dumps(zoneinfo.TZPATH))")
    if "/usr/share/zoneinfo" not in plain:
        pytest.skip("this Python was built to look elsewhere")
    assert _said()["zones"] == plain
    assert _said(PYTHONTZPATH="/nowhere/zones")["zones"] == ["/nowhere/zones"]
