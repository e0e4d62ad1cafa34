"""The callbacks of one test: the URL to give to a provider, and the callbacks received there."""

from dataclasses import dataclass
from typing import Any

from .client import Client
from .exchange import Call


@dataclass(frozen=True, slots=True)
class Hook:
    """A callback URL of one test: providers get `url`; the suite reads the callbacks at `read_url`."""

    client: Client
    url: str
    read_url: str

    def named(self, name: str) -> "Hook":
        """Another hook of the same test."""
        return Hook(self.client, f"{self.url}-{name}", f"{self.read_url}-{name}")

    def received(self) -> list[dict[str, Any]]:
        """The callbacks received so far, each with time, method, headers and body (text)."""
        answer = self.client.send(Call("GET", self.read_url), authorize=False)
        assert answer.status == 200, f"the receiver does not answer: {answer}"
        found: list[dict[str, Any]] = answer.json()["received"]
        return found

    def script(self, *responses: Any) -> None:
        """Set the answers to the next callbacks: statuses, or {"status", "delay", "headers"}."""
        answer = self.client.send(Call("PUT", self.read_url, body={"responses": list(responses)}), authorize=False)
        assert answer.status == 200, f"the receiver does not answer: {answer}"

    def wait(self, count: int = 1) -> list[dict[str, Any]]:
        """The callbacks received, once there are `count` of them."""
        body = self.client.poll(
            lambda: self.client.send(Call("GET", self.read_url), authorize=False),
            lambda body: len(body["received"]) >= count,
        )
        found: list[dict[str, Any]] = body["received"]
        return found
