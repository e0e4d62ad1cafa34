"""xhuoapi: OpenAI's and the Nano Banana models at one endpoint, with callbacks (documents 000, 003; claims XH-…)."""

from mockserver.providers.base import Example, Provider
from mockserver.providers.xhuoapi import client_facts, errors, models, pricing, routes, wire

PROVIDER = Provider(
    name="xhuoapi",
    title="xhuoapi",
    hosts=("api.xhuoapi.ai", *sorted(set(wire.PICTURE_HOSTS.values()))),
    base_path="/v1",
    currency=pricing.CURRENCY,
    models=tuple(models.MODELS),
    prices=pricing.PRICES,
    latencies=pricing.LATENCIES,
    routes=routes.ROUTES,
    refusals=errors.REFUSALS,
    failures=errors.REFUSALS,
    envelope=errors.envelope,
    accepts_key=bool,
    new_id=wire.new_id,
    cost_breakdown=wire.cost_breakdown,
    callback_body=wire.callback_body,
    described_in="mockserver.providers.xhuoapi.answers",
    client_facts=client_facts.CLIENT_FACTS,
    example=Example(
        path="/v1/openai/images/generations",
        body={"model": "gpt-image-2", "prompt": "a small fox reading a book under a glowing mushroom"},
        key="my-xhuoapi-key",
        note="Waits for the picture and answers with its link; with a callback_url it answers a task_id at once.",
    ),
    openai_path="/v1/openai",
    picture_hosts=wire.PICTURE_HOSTS,
    check_restored=wire.check_restored,
)
