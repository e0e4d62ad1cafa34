"""A local stand-in for three paid image-generation APIs: xhuoapi, icodeeasy and evolink."""

__version__ = "0.1.0"
