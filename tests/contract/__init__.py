"""The contract suite's own tests."""
