"""openai_images: OpenAI's images endpoints as their public API reference describes them (claims OI-…)."""

from mockserver.providers.base import Example, Provider
from mockserver_openai_images import errors, models, pricing, routes, wire

PROVIDER = Provider(
    name="openai_images",
    title="OpenAI images",
    hosts=("api.openai.com",),
    base_path="/v1",
    currency=pricing.CURRENCY,
    models=tuple(models.MODELS),
    prices=pricing.PRICES,
    latencies=pricing.LATENCIES,
    routes=routes.ROUTES,
    refusals=errors.REFUSALS,
    failures=errors.REFUSALS,
    envelope=errors.envelope,
    accepts_key=lambda key: key.startswith("sk-") and len(key) > len("sk-"),
    new_id=wire.new_id,
    cost_breakdown=wire.cost_breakdown,
    example=Example(
        path="/v1/images/generations",
        body={"model": "gpt-image-1", "prompt": "A cute baby sea otter", "n": 1, "size": "1024x1024"},
        key="sk-my-openai-key",
        note="Waits for the picture and answers with its bytes in base64.",
    ),
    openai_path="/v1",
)
