"""xhuoapi: what a refusal says of a value that another model of the endpoint takes (XH-ERR-6)."""

from collections.abc import Callable, Mapping
from typing import Any

from mockserver.engine.problems import Problem
from mockserver.providers.xhuoapi import models

Reader = Callable[[type[models.Request], Mapping[str, Any]], models.Request]
"""Reads fields into a model's request class: `parsing.read` for JSON, `parsing.read_text` for a form."""


def naming_other_models(problem: Problem, fields: Mapping[str, Any], reader: Reader) -> Problem:
    """The same problem, whose detail also names the models that take the value sent, if there are any."""
    model, field = fields.get("model"), problem.field
    if not isinstance(model, str) or field is None or field == "model" or field not in fields:
        return problem
    detail = with_other_models(problem.detail, model, field, fields[field], reader)
    return Problem(problem.kind, detail, field=field)


def with_other_models(detail: str, model: str, field: str, value: Any, reader: Reader) -> str:
    """A sentence on why a model refuses a value, and which other models take it, if there are any."""
    others = [
        name for name, kind in models.MODELS.items() if name != model and _takes(name, kind, field, value, reader)
    ]
    if not others:
        return detail
    reason = detail.rstrip(".")
    refused_by = "" if model in reason else f" with {model}"
    return f"{reason}{refused_by}; the value sent is right for {', '.join(others)}."


def _takes(model: str, kind: type[models.Request], field: str, value: Any, reader: Reader) -> bool:
    """Whether a model checks this field, and takes the value."""
    known = kind.model_fields.get(field)
    if known is None or known.annotation is Any:
        return False
    try:
        asked = reader(kind, {"model": model, "prompt": "x", field: value})
        asked.check()
    except Problem:
        return False
    return asked.limit_broken(asked.asked()) is None
