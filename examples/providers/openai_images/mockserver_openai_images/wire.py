"""openai_images: answers as JSON, from the task alone (OI-OUT-1, OI-USAGE-1)."""

from base64 import b64encode
from typing import Any

from mockserver.engine.clock import Draw
from mockserver.engine.tasks import Task
from mockserver.providers.pictures import picture
from mockserver_openai_images.pricing import CURRENCY, OUTPUT_TOKENS

LINK_SECONDS = 3600
"""How long a link lives (OI-OUT-2)."""

INPUT_IMAGE_TOKENS = 323
"""Of each input image; a ruling of ours (OI-USAGE-1)."""


def new_id(draw: Draw, now: float) -> str:
    """A task id: it is seen in links alone."""
    return draw.uuid()


def picture_urls(task: Task) -> list[str]:
    """The links of a dall-e task's pictures; the service's own are on a storage host."""
    return [f"{task.job.origin}/images/{task.id}/{index}.png" for index in range(task.job.count)]


def result(task: Task) -> dict[str, Any]:
    """The answer to a generation or an edit that has succeeded."""
    if task.job.wire["base64"]:
        images = [{"b64_json": b64encode(picture(task, index)).decode()} for index in range(task.job.count)]
    else:
        images = [{"url": url} for url in picture_urls(task)]
    body: dict[str, Any] = {"created": int(task.due), "data": images}
    if task.job.model == "dall-e-3":
        images[0]["revised_prompt"] = f"A detailed depiction: {task.job.prompt}"
    if task.job.model == "gpt-image-1":
        body.update(background=task.job.wire["background"], output_format=task.job.format)
        body.update(quality=task.job.wire["tier"], size=task.job.size, usage=usage(task))
    return body


def usage(task: Task) -> dict[str, Any]:
    """The tokens of a gpt-image-1 call; how many a prompt has is a ruling of ours: a quarter of its characters."""
    job = task.job
    text, images = len(job.prompt) // 4 + 1, job.wire["images"] * INPUT_IMAGE_TOKENS
    output = OUTPUT_TOKENS[job.wire["tier"]][job.width, job.height] * job.count
    return {
        "input_tokens": text + images,
        "input_tokens_details": {"image_tokens": images, "text_tokens": text},
        "output_tokens": output,
        "total_tokens": text + images + output,
    }


def cost_breakdown(task: Task) -> dict[str, Any]:
    """The details of a usage record."""
    return {"image_count": task.job.count, "quality": task.job.wire["tier"], "usd": CURRENCY.number(task.job.cost)}
