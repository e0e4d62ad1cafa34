"""xhuoapi: answers, callbacks and task records as JSON (XH-RESP-…, XH-CB-2, XH-TASK-1)."""

from base64 import b64encode
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from pydantic_core import from_json, to_json

from mockserver.engine.clock import Draw
from mockserver.engine.tasks import Task
from mockserver.http.refusals import failure_refusal
from mockserver.providers.pictures import EXTENSIONS, picture, picture_url
from mockserver.providers.xhuoapi.errors import REFUSALS, error_object
from mockserver.providers.xhuoapi.models import MODELS

PICTURE_HOSTS = {
    "/gpt-image/": "platform.cdn.xhuoapi.ai",
    "/nanobanana/": "platform.cdn.xhuoapi.ai",
    "/private/images/": "dalleprodsec.blob.core.windows.net",
}
"""The documents' hosts of pictures (000, the models' examples; XH-RESP-1, -2, -5)."""

LONGEST_SEED = 200
"""Characters of a seed that are kept."""

SIGNED_SECONDS = 24 * 3600
"""How long a dall-e link lives after `created` (XH-RESP-5)."""

KEY_SECONDS = 7 * 24 * 3600
"""How long the key that signs a dall-e link is valid: `skt` to `ske` in the document's examples."""

STORAGE_OWNER, STORAGE_TENANT = "7f1c2a54-1d0e-4b7a-9c55-0a4f3e6b8d21", "c0a8e3d2-5b64-4f19-8e07-2d9b1f6a7c30"
"""`skoid` and `sktid` of a dall-e link: one owner and one tenant sign them all. Invented."""

STORAGE_VERSION = "2020-10-02"
"""`sv` and `skv` of a dall-e link, as in the document's examples."""

_FAMILIES = {model: model.partition("-")[0] for model in MODELS}
"""gpt, dall or nano, by model."""

_REWRITINGS = (
    "A detailed and richly lit depiction: {}. The composition is balanced, with attention to texture and light.",
    "{} — rendered with fine detail, a clear focal point, and a calm, harmonious background.",
    "A vivid scene showing the following: {}. Every element is placed with care, in natural colours.",
)


def new_id(draw: Draw, now: float) -> str:
    return draw.uuid()


def created(task: Task) -> int:
    """Unix seconds at completion; always 0 for nano-banana* (XH-RESP-2, XH-RESP-4)."""
    return 0 if _family(task) == "nano" else int(task.due)


def _family(task: Task) -> str:
    return _FAMILIES[task.job.model]


def result(task: Task) -> dict[str, Any]:
    """What the synchronous call answers for a completed task, by the model's family."""
    body: dict[str, Any] = {"success": True, "task_id": task.id} if _family(task) == "gpt" else {}
    body["created"], body["data"] = created(task), _data(task)
    if task.job.model == "gpt-image-2" and task.job.wire["operation"] == "edits":
        body.update(trace_id=task.job.trace_id, elapsed=_elapsed(task))
    return body


def _elapsed(task: Task) -> float:
    return round(task.due - task.created, 3)


def _data(task: Task) -> list[dict[str, str]]:
    return [_image(task, index) for index in range(task.job.count)]


def _image(task: Task, index: int) -> dict[str, str]:
    revised = revised_prompt(task)
    if task.job.wire["base64"]:
        return {"b64_json": b64encode(picture(task, index)).decode(), "revised_prompt": revised}
    if _family(task) == "nano":
        return {"url": _url(task, index), "revised_prompt": revised}
    return {"revised_prompt": revised, "url": _url(task, index)}


def revised_prompt(task: Task) -> str:
    """The prompt unchanged, or for dall-e-* a longer rewriting that contains it (XH-RESP-6)."""
    if _family(task) != "dall":
        return task.job.prompt
    template = _REWRITINGS[sha256(task.id.encode()).digest()[0] % len(_REWRITINGS)]
    return template.replace("{}", task.job.prompt)


def _url(task: Task, index: int) -> str:
    return picture_url(task.job.origin, _path(task, index), PICTURE_HOSTS)


def _path(task: Task, index: int) -> str:
    family = _family(task)
    if family == "nano":
        return f"/nanobanana/{task.id}.png"
    if family == "gpt":
        return f"/gpt-image/{task.id}_{index}.{EXTENSIONS[task.job.format]}"
    expiry = _iso(created(task) + SIGNED_SECONDS)
    return f"/private/images/{task.id}/generated_{index:02d}.png?{urlencode(signed(task.id, expiry))}"


def signed(task_id: str, expiry: str) -> dict[str, str]:
    """The query of a dall-e link, with the names and in the order of the document's examples (XH-RESP-5).

    `se` is when the link expires, `sig` the signature of all the rest. The values come from the task's id, and so from
    the seed. There is no secret: a client that drops or alters the query sees what it would see at the service.
    """
    offset = sha256(task_id.encode()).digest()[0] * 60
    key_expiry = int(expiry_of(expiry)) + offset
    named = {
        "se": expiry,
        "ske": _iso(key_expiry),
        "skoid": STORAGE_OWNER,
        "sks": "b",
        "skt": _iso(key_expiry - KEY_SECONDS),
        "sktid": STORAGE_TENANT,
        "skv": STORAGE_VERSION,
        "sp": "r",
        "spr": "https",
        "sr": "b",
        "sv": STORAGE_VERSION,
    }
    digest = sha256(f"{task_id} {named}".encode()).digest()
    return {"se": expiry, "sig": b64encode(digest).decode(), **named}


def _iso(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def expiry_of(text: str) -> float:
    """Unix seconds of a link's `se`; 0 for one that is malformed."""
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return 0.0


def _failed(task: Task) -> dict[str, Any]:
    assert task.failure is not None
    return {"success": False, "error": error_object(failure_refusal(REFUSALS, task.failure), task.failure.detail)}


def callback_body(task: Task) -> bytes:
    """XH-CB-2."""
    ids = {"task_id": task.id, "trace_id": task.job.trace_id}
    if task.failure:
        failed = _failed(task)
        return to_json({"success": False, **ids, "error": failed["error"]})
    return to_json({"success": True, **ids, "data": {"created": created(task), "data": _data(task)}})


def type_of(task: Task) -> str:
    """`images`, `images_generations` or `images_edits` (XH-TASK-2)."""
    operation = task.job.wire["operation"]
    return "images" if (operation, task.job.model) == ("generations", "gpt-image-2") else f"images_{operation}"


@lru_cache(maxsize=1024)
def owner(account: str) -> Mapping[str, str]:
    """The ids that a key's tasks show (XH-TASK-1): made from the account, so that they are the same in every run."""
    names = ("application_id", "user_id", "credential_id")
    return {name: Draw(sha256(f"{name} {account}".encode()).digest()).uuid() for name in names}


def record(task: Task, now: float) -> dict[str, Any]:
    """XH-TASK-1, -2: the task as the tasks endpoint shows it at `now`; times are float seconds."""
    ended = task.ended_at(now)
    response = (_failed(task) if task.failure else result(task)) if ended else None
    return {
        "_id": sha256(task.id.encode()).hexdigest()[:24],
        "id": task.id,
        "trace_id": task.job.trace_id,
        "type": type_of(task),
        **owner(task.job.account),
        "created_at": task.created,
        "finished_at": task.due if ended else None,
        "duration": _elapsed(task) if ended else None,
        "elapsed": _elapsed(task) if ended else None,
        "request": from_json(task.job.request),
        "response": response,
    }


def check_restored(task: Task) -> None:
    """Check the parts of a task from a snapshot that answers are written from. Raises ValueError naming the field."""
    kept = task.job.wire
    types = {name: type(value) for name, value in kept.items()}
    if types != {"operation": str, "base64": bool, "seed": str, "stored": bool}:
        raise ValueError("job.wire has not operation, base64, seed and stored")
    if kept["operation"] not in ("generations", "edits") or len(kept["seed"]) > LONGEST_SEED:
        raise ValueError("job.wire.operation or job.wire.seed is none that a call can have had")
    if not isinstance(from_json(task.job.request), dict):
        raise ValueError("job.request is no JSON object")
    if not task.job.trace_id:
        raise ValueError("job.trace_id is missing")


def cost_breakdown(task: Task) -> dict[str, Any]:
    urls = [_url(task, index) for index in range(task.job.count)]
    return {"image_count": task.job.count, "image_urls": urls}
