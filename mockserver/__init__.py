"""A local stand-in for three paid image-generation APIs: xhuoapi, icodeeasy and evolink."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("image-api-mockserver")
except PackageNotFoundError:  # run from a source tree that was never installed
    __version__ = "0+unknown"
