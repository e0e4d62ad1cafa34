"""What every run of the suite imports, imported once: each trial is a fork of a process that has done so.

Test modules and conftest files are not here: pytest imports those itself, to rewrite their assertions.
"""

import anyio.pytest_plugin  # noqa: F401
import dirty_equals  # noqa: F401
import httpx  # noqa: F401
import hypothesis.internal.conjecture.engine  # noqa: F401
import PIL.Image  # noqa: F401
import pytest  # noqa: F401
import pytest_asyncio.plugin  # noqa: F401

import contract_tests.strategies
import contract_tests.suite  # noqa: F401
