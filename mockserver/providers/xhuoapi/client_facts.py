"""xhuoapi: what its documents ask of clients (000/003)."""

from collections.abc import Iterator

from mockserver.engine.sizes import parse_pixels
from mockserver.engine.tasks import Task
from mockserver.providers.client_facts import ClientFacts, Fields, Ignored, Link, Surcharge, Wait, asks_for_several
from mockserver.providers.xhuoapi.pricing import LARGER, ONE_K
from mockserver.providers.xhuoapi.wire import SIGNED_SECONDS

_ONE_PICTURE = "one picture comes, and one is charged, whatever n is"
_NANO_IGNORES = ("quality", "style", "background", "output_format")


def _wait(task: Task) -> Wait | None:
    """XH-LAT-1 has figures for gpt-image-2 alone: 60 to 90 s, and 4 to 8 minutes at 4K."""
    return Wait(task.job.documented[1], "XH-LAT-1") if task.job.model == "gpt-image-2" else None


def _link(task: Task) -> Link | None:
    if task.job.wire["base64"]:
        return None
    if task.job.model.startswith("dall-e-"):
        return Link(SIGNED_SECONDS, "XH-RESP-5")
    return Link(None, "XH-RESP-1" if task.job.model.startswith("gpt-") else "XH-RESP-2")


def _ignored(fields: Fields) -> Iterator[Ignored]:
    model = str(fields.get("model") or "")
    if model.startswith(("gpt-image-", "nano-")) and asks_for_several(fields):
        yield Ignored("n", _ONE_PICTURE, "XH-N-1")
    if not model.startswith("nano-"):
        if fields.get("style") and model.startswith("gpt-image-"):
            yield Ignored("style", "only dall-e-3 has styles", "XH-STYLE-1")
        return
    if fields.get("response_format") == "b64_json":
        yield Ignored("response_format", "nano-banana answers with links, never with b64_json", "XH-NANO-1")
    for name in _NANO_IGNORES:
        if fields.get(name):
            yield Ignored(name, "nano-banana knows model, prompt and size alone", "XH-NANO-1")


def _surcharge(task: Task) -> Surcharge | None:
    """A size of gpt-image-2 that is on no list costs 1.5 times the price of the 1K sizes (XH-PRICE-1)."""
    size = parse_pixels(task.job.size) if task.job.model == "gpt-image-2" else None
    if size is None or size in ONE_K or size in LARGER:
        return None
    ratio = size[0] / size[1]
    near = min(sorted(ONE_K), key=lambda pair: abs(pair[0] / pair[1] - ratio) / ratio)
    reason = f"{task.job.size} is none of the listed sizes and cost 1.5 times the price of {near[0]}x{near[1]}"
    return Surcharge(reason, "XH-PRICE-1")


CLIENT_FACTS = ClientFacts(
    wait=_wait,
    link=_link,
    ignored=_ignored,
    surcharge=_surcharge,
    free_5xx="XH-PRICE-4",
    claims={
        "fast-polling": "XH-LAT-1",
        "polls-ended-task": "XH-TASK-1",
        "ignores-retry-after": "XH-ERR-2",
        "retries-4xx": "XH-ERR-2",
        "pays-twice": "XH-PRICE-3",
        "slow-callback": "XH-CB-3",
        "redirected-callback": "XH-CB-3",
        "unacknowledged-callback": "XH-CB-3",
        "inconsistent-callback": "XH-CB-3",
        "acts-on-duplicate": "XH-CB-3",
    },
)
