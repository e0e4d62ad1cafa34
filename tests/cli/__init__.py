"""Tests of the command line: they mirror its modules."""
