"""Makes the start of the server quick: no garbage collection, no CA certificates, no search for pydantic's plugins."""

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager

_CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR")


@contextmanager
def quick_import() -> Iterator[None]:
    """Import the server in this block.

    aiohttp reads no CA certificates at its import, which takes a tenth of the start; its default contexts trust nobody
    then, and `engine/outbound.py` reads the certificates for the first callback that leaves. pydantic looks for no
    plugins, for which it would read the metadata of every installed package.
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
    """Collect no garbage in this block: imports make none, and looking for it takes a tenth of the start."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()
