"""A client that does much of what the rules of advice are about, to show it on the page."""

from contextlib import suppress

import httpx

from control.steer import add
from support.calls import Caller
from support.receiver import receiver
from support.scene import Scene

PROMPT = "책을 읽는 작은 여우, 눈 덮인 숲속의 따뜻한 등불 아래에서 아주 오래된 동화책을 한 장씩 넘기며 미소 짓는 모습"
HOOK = "https://app.example.com"

RULES = frozenset(
    {
        "expired-link",
        "fast-polling",
        "ignored-parameter",
        "ignores-retry-after",
        "off-list-size",
        "pays-twice",
        "polls-ended-task",
        "redirected-callback",
        "retries-4xx",
        "unacknowledged-callback",
        "unfetched-picture",
    }
)
"""What `live_carelessly` gets advice on."""


def live_carelessly(scene: Scene) -> None:
    """Break these rules over HTTP, each by itself, on a server with a virtual clock."""
    evolink, icodeeasy, xhuoapi = (Caller(scene, name, "sk_careless") for name in ("evolink", "icodeeasy", "xhuoapi"))
    polled = evolink.generate(prompt=PROMPT).json()["id"]
    for _ in range(8):
        evolink.get(f"/v1/tasks/{polled}")
    add(scene, "disconnect", times=1)
    with suppress(httpx.TransportError):
        icodeeasy.generate(prompt=PROMPT)
    icodeeasy.generate(prompt=PROMPT)
    for _ in range(3):
        icodeeasy.generate(prompt=PROMPT, size="7:5")
    xhuoapi.generate(prompt=PROMPT, n=3)
    for size in ("1040x1024", "1056x1024"):
        xhuoapi.generate(prompt=PROMPT, size=size)
    for _ in range(2):
        evolink.keyed("sk_careless-mock-429").generate(prompt=PROMPT)
    with receiver(302, 302, 302, 302) as seen:
        scene.http.post("/_mock/routes", json={"from": HOOK, "to": seen.url.removesuffix("/hook")}).raise_for_status()
        evolink.generate(prompt="calls back", callback_url=f"{HOOK}/done")
        scene.advance(60)
    for _ in range(5):
        link = evolink.get(f"/v1/tasks/{polled}").json()["results"][0]
        scene.advance(5)
    scene.advance(25 * 3600)
    httpx.get(link)
