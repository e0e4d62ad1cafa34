"""Imports the server quickly: without garbage collection, and without what libraries prepare for other uses."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

_ZONES = ":".join(("/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo", "/etc/zoneinfo"))
"""Where Python looks for time zones by default. To ask how it was built takes half a megabyte."""

_SET_MEANWHILE = {
    "SSL_CERT_FILE": os.devnull,
    "SSL_CERT_DIR": os.devnull,
    "PYTHONTZPATH": os.environ.get("PYTHONTZPATH", _ZONES),
    "FROZENLIST_NO_EXTENSIONS": "1",
}

_PLUGINS = "PYDANTIC_DISABLE_PLUGINS"


@contextmanager
def quick_import() -> Iterator[None]:
    """Make imports of the server in this block quick.

    aiohttp does not read the CA certificates at its import, which would take a tenth of the start; its default contexts
    then trust no certificate, and `engine/outbound.py` reads the CA certificates for the first callback to another
    machine. pydantic does not search for plugins, for which it would read the metadata of every installed package; a
    user who wants plugins sets its variable to something else. aiohttp's signals, of which this server uses none, work
    without a compiled list: it would bring the C++ library along, a megabyte.
    """
    if os.environ.setdefault(_PLUGINS, "1") == "1":
        sys.modules.setdefault("pydantic.plugin._loader", _no_plugins())
    before = {name: os.environ.get(name) for name in _SET_MEANWHILE}
    os.environ.update(_SET_MEANWHILE)
    try:
        with no_collection():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _no_plugins() -> ModuleType:
    """Stands for pydantic's search for plugins, which is off: it would import what reads the metadata of packages."""
    loader = ModuleType("pydantic.plugin._loader")
    loader.get_plugins = tuple  # type: ignore[attr-defined]
    return loader


@contextmanager
def no_collection() -> Iterator[None]:
    """Switch garbage collection off: imports make no garbage, and collections take a tenth of the start."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
