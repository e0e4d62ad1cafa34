"""Deliberately wrong providers: what the contract suite must be able to tell from the right ones.

`tables/` holds the mutants as data, `patching.py` puts one into a mock's process, `trial.py` runs the suite's tests of
a claim on it, and `python -m mutants` (scripts/mutants) runs them all.
"""
