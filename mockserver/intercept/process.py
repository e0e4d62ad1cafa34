"""Leads this process, and the programs that it starts, to a server in it: what `mock_providers.intercept()` does."""

import functools
import os
import subprocess
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mockserver.intercept.environment import hook_variables, program_variables, target_of
from mockserver.intercept.forward import ANY
from mockserver.intercept.interception import BlockingInterception, Interception
from mockserver.intercept.redirect import REDIRECT, VARIABLE

if TYPE_CHECKING:
    from mockserver.server import MockServer


class ProcessInterception:
    """Interception of this process. Programs that it starts are led too, whatever environment they are given.

    Hosts that are not documented are reached as ever. The proxy is for the started programs alone: a client of this
    process that is made while there is interception must not keep it.
    """

    def __init__(self, server: "MockServer") -> None:
        self._server = BlockingInterception(server.app, server.run)
        self._facts: Interception | None = None
        self._before: dict[str, str | None] = {}
        self._real_popen: Any = None

    def start(self) -> None:
        """Begin. Raises ValueError if a package is missing."""
        self._facts = self._server.open((ANY,))
        REDIRECT.add(target_of(self._facts))
        variables = hook_variables(self._facts, os.environ)
        self._before = {name: os.environ.get(name) for name in variables}
        os.environ.update(variables)
        self._patch_popen(self._facts)

    def stop(self) -> None:
        """End it: everything is as it was, and connections that were led here are closed."""
        if self._facts is None:
            return
        subprocess.Popen.__init__ = self._real_popen  # type: ignore[method-assign]
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        REDIRECT.remove(target_of(self._facts))
        self._server.close()
        self._facts = None

    def _patch_popen(self, facts: Interception) -> None:
        real = self._real_popen = subprocess.Popen.__init__

        @functools.wraps(real)
        def init(program: Any, *args: Any, **more: Any) -> None:
            if len(args) <= _ENV_POSITION:
                more["env"] = _led_environment(facts, more.get("env"))
            real(program, *args, **more)

        setattr(subprocess.Popen, "__init__", init)  # noqa: B010  # its type is an overloaded function


_ENV_POSITION = 10
"""Where `env` stands among Popen's positional arguments."""


def _led_environment(facts: Interception, given: Any) -> Mapping[Any, Any]:
    """The environment of a started program: the one that it was to have, with what leads it to the mock."""
    environment: dict[Any, Any] = dict(os.environ if given is None else given)
    if any(isinstance(name, bytes) for name in environment):
        environment = {os.fsdecode(name): os.fsdecode(value) for name, value in environment.items()}
    hooked = environment.get(VARIABLE) == target_of(facts).to_json()
    variables = program_variables(facts, environment)
    if hooked:  # copied from this process's environment, which has the hooks
        variables = {name: value for name, value in variables.items() if name not in ("PYTHONPATH", "NODE_OPTIONS")}
    return {**environment, **variables}
