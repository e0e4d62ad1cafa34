"""Tests of evolink, by module."""
