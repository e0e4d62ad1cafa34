"""evolink: `gpt-image-2-beta`, always as a task, with callbacks (document 002; claims EV-…)."""

from mockserver.providers.base import Example, Provider, check_nothing_kept
from mockserver.providers.evolink import client_facts, errors, models, pricing, routes, wire

PROVIDER = Provider(
    name="evolink",
    title="evolink",
    hosts=("api.evolink.ai", *wire.PICTURE_HOSTS.values()),
    base_path="/v1",
    currency=pricing.CURRENCY,
    models=(models.MODEL,),
    prices=pricing.PRICES,
    latencies=pricing.LATENCIES,
    routes=routes.ROUTES,
    refusals=errors.REFUSALS,
    failures=errors.FAILURES,
    envelope=errors.envelope,
    accepts_key=bool,
    new_id=wire.new_id,
    callback_body=wire.callback_body,
    cost_breakdown=wire.cost_breakdown,
    public_callbacks_only=True,
    picture_hosts=wire.PICTURE_HOSTS,
    check_restored=check_nothing_kept,
    described_in="mockserver.providers.evolink.answers",
    client_facts=client_facts.CLIENT_FACTS,
    example=Example(
        path="/v1/images/generations",
        body={"model": models.MODEL, "prompt": "A beautiful colorful sunset over the ocean"},
        key="my-evolink-key",
        note="A task; GET /v1/tasks/{id} shows how it goes on, and its picture when it is completed.",
    ),
)
