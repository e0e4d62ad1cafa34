"""Python loads this at its start: leads the process's connections, then runs the sitecustomize that would have run."""

import importlib
import importlib.util
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def _lead() -> None:
    path = os.path.join(os.path.dirname(os.path.dirname(HERE)), "redirect.py")
    spec = importlib.util.spec_from_file_location("_mockserver_redirect", path)
    if spec is None or spec.loader is None:
        raise ImportError(path)
    redirect = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = redirect
    spec.loader.exec_module(redirect)
    redirect.lead_by_environment()


def _run_the_users_own() -> None:
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != HERE]
    ours = sys.modules.pop("sitecustomize", None)
    try:
        importlib.import_module("sitecustomize")  # another one, further on in the path
    except ImportError as error:
        if error.name != "sitecustomize":
            raise
        if ours is not None:
            sys.modules["sitecustomize"] = ours


try:
    _lead()
except Exception as error:  # to go on without it would be to call the paid services
    raise SystemExit(f"mockserver: the hook for Python does not work here, so nothing is run: {error!r}") from error
_run_the_users_own()
