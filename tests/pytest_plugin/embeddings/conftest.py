"""The projects here are run by `tests/test_pytest_plugin.py`, each in a pytest process of its own."""

collect_ignore_glob = ["*"]
