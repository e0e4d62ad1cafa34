"""Imports the server quickly: without garbage collection, CA certificates and the search for pydantic's plugins."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@contextmanager
def quick_import() -> Iterator[None]:
    """Make imports of the server in this block quick.

    aiohttp does not read the CA certificates at its import, which would take a tenth of the start; its default contexts
    then trust no certificate, and `engine/outbound.py` reads the CA certificates for the first callback to another
    machine. pydantic does not search for plugins, for which it would read the metadata of every installed package.
    """
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    before = {name: os.environ.get(name) for name in _CERTIFICATES}
    os.environ.update(dict.fromkeys(_CERTIFICATES, os.devnull))
    try:
        with no_collection():
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


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
