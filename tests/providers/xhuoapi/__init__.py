"""Tests of xhuoapi, by module."""
