"""Tests of icodeeasy, by module."""
