"""icodeeasy: `gpt-image-2` in the OpenAI Images protocol, waiting or with `?async=1` (document 001; claims IC-…)."""

from mockserver.providers.base import Example, Provider, check_nothing_kept
from mockserver.providers.icodeeasy import client_facts, errors, models, pricing, routes, wire

PROVIDER = Provider(
    name="icodeeasy",
    title="icodeeasy",
    hosts=("jp.icodeeasy.cc", "api.icodeeasy.cc"),
    base_path="/v1",
    currency=pricing.CURRENCY,
    models=(models.MODEL,),
    prices=pricing.PRICES,
    latencies=pricing.LATENCIES,
    routes=routes.ROUTES,
    refusals=errors.REFUSALS,
    failures=errors.REFUSALS,
    envelope=errors.envelope,
    accepts_key=lambda key: key.startswith("sk_") and len(key) > len("sk_"),
    new_id=wire.new_id,
    cost_breakdown=wire.cost_breakdown,
    described_in="mockserver.providers.icodeeasy.answers",
    client_facts=client_facts.CLIENT_FACTS,
    example=Example(
        path="/v1/images/generations",
        body={"model": models.MODEL, "prompt": "an orange cat on a windowsill, watercolor style"},
        key="sk_my-icodeeasy-key",
        note="Waits for the picture and answers with its link; with ?async=1 it answers 202 and a task_id to poll.",
    ),
    openai_path="/v1",
    picture_hosts=wire.PICTURE_HOSTS,
    check_restored=check_nothing_kept,
)
