"""Tests of what is shared by the providers, and of each one in its folder."""
