"""The HTTP client of the contract tests: sends calls, counts money, records, replays and compares."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

import httpx

from .budget import Allowance, BudgetExhausted, Hold
from .exchange import Answer, Call, Exchange, File
from .pictures import Picture
from .pricing import worst_case
from .recording import Recorder, Redactor, Replay
from .target import Kind, Target

FIRST_POLL, SLOWEST_POLL, MOCK_POLL = 0.25, 5.0, 0.02
"""Seconds between polls: the first and the longest on a remote target, and those on a mock."""

RETRIES = 2
"""How often a call is repeated that a paid target refuses with 429 or 503; each attempt may cost."""

LONGEST_WAIT = 60.0
RUN = "run"
"""The name of a run on a new mock, and of any run in a recording."""

Listener = Callable[[Exchange], None]


@dataclass(slots=True)
class Client:
    """A client of one provider for one test. `key` is sent with each call that does not set its own."""

    target: Target
    test: str
    key: str
    transport: httpx.Client
    allowance: Allowance | None = None
    recorder: Recorder | None = None
    replay: Replay | None = None
    listeners: list[Listener] = field(default_factory=list)
    placeholders: Mapping[str, str] = field(default_factory=dict)
    run: str = RUN
    patience: float = 15.0
    """The longest wait for an answer or a task, in seconds."""
    say: Callable[[str], None] = lambda text: None
    exhausted: Callable[[BudgetExhausted], None] = lambda error: None
    _holds: dict[str, tuple[Hold, Decimal]] = field(default_factory=dict)

    @property
    def provider(self) -> str:
        return self.target.provider

    @property
    def is_mock(self) -> bool:
        return self.target.is_mock

    def with_key(self, key: str | None) -> "Client":
        """The same client with another key, or with none (None)."""
        return replace(self, key=key or "", listeners=self.listeners)

    def unique(self, name: str = "") -> str:
        """A name that no other test, and no other run on a target that lives on, has used."""
        return f"{self.run}-{sha256(f'{self.test} {name}'.encode()).hexdigest()[:16]}"

    def get(self, path: str, **query: str) -> Answer:
        return self.send(Call("GET", path, query))

    def post(self, path: str, body: Any, **query: str) -> Answer:
        return self.send(Call("POST", path, query, body=body))

    def post_form(self, path: str, form: Mapping[str, Any], files: list[File], **query: str) -> Answer:
        return self.send(Call("POST", path, query, form=form, files=tuple(files)))

    def post_raw(self, path: str, content: bytes, content_type: str = "application/json") -> Answer:
        return self.send(Call("POST", path, content=content, headers={"Content-Type": content_type}))

    def fetch(self, url: str, **query: str) -> Answer:
        """GET a URL from an answer, without a key; redirects are not followed."""
        return self.send(Call("GET", url, query), authorize=False)

    def picture(self, url: str) -> Picture:
        """The picture behind a URL, redirects followed."""
        answer = self.fetch(url)
        for _ in range(3):
            if answer.status not in (301, 302, 303, 307, 308):
                break
            answer = self.fetch(str(httpx.URL(url).join(answer.headers["location"])))
        assert answer.status == 200, f"GET {url}: {answer}"
        return answer.picture()

    def poll(self, ask: Callable[[], Answer], done: Callable[[Any], bool]) -> Any:
        """Repeat a call until `done` accepts its JSON body; returns that. Raises AssertionError after `patience`."""
        began = time.monotonic()
        while True:
            body = ask().json()
            if done(body):
                return body
            waited = time.monotonic() - began
            assert waited < self.patience, f"not done after {waited:.0f} s: {body}"
            pace = min(max(FIRST_POLL, waited / 2), SLOWEST_POLL)
            self.pause(MOCK_POLL if self.is_mock else pace, f"waiting, {waited:.0f} s so far")

    def pause(self, seconds: float, why: str = "") -> None:
        """Wait in real time; not at all in a replay."""
        if self.target.kind is Kind.REPLAY:
            return
        if seconds >= 1:
            self.say(f"{self.provider}: {why or f'waiting {seconds:.0f} s'}")
        time.sleep(seconds)

    def send(self, call: Call, *, authorize: bool = True, timeout: float | None = None) -> Answer:
        """Send a call, and repeat it if a paid target answers that it is busy (429 or 503 with Retry-After)."""
        call = self._addressed(call, authorize)
        for attempt in range(RETRIES + 1):
            answer = self._attempt(call, timeout or self.patience)
            if not self._busy(answer) or attempt == RETRIES:
                break
            wait = _seconds(answer.headers.get("retry-after", ""))
            self.pause(wait, f"busy ({answer.status}), trying again in {wait:.0f} s")
        self._conclude(Exchange(call, answer))
        return answer

    def _busy(self, answer: Answer) -> bool:
        return self.target.is_paid and answer.status in (429, 503) and "retry-after" in answer.headers

    def _addressed(self, call: Call, authorize: bool) -> Call:
        url = call.url if call.url.startswith(("http://", "https://")) else self.target.base_url + call.url
        headers = dict(call.headers)
        if authorize and self.key and "Authorization" not in headers:
            headers["Authorization"] = f"Bearer {self.key}"
        return replace(call, url=url, headers=headers)

    def _attempt(self, call: Call, timeout: float) -> Answer:
        if self.replay is not None:
            return self.replay.answer(self.test, call, self._redactor())
        hold = self._reserve(call)
        answer = self._exchange(call, timeout)
        if hold is not None:
            self._settle(hold, answer)
        self._watch_cost(answer)
        return answer

    def _exchange(self, call: Call, timeout: float) -> Answer:
        response = self.transport.send(call.built(self.transport, timeout))
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, headers, response.content, response.elapsed.total_seconds())

    def _reserve(self, call: Call) -> Hold | None:
        """Reserve money for a call that could be billed: any generation with this target's own key."""
        billable = call.method == "POST" and urlsplit(call.url).path.endswith(("/generations", "/edits"))
        if self.allowance is None or not billable or call.headers.get("Authorization") != f"Bearer {self.target.key}":
            return None
        try:
            return self.allowance.reserve(worst_case(self.provider, call.fields))
        except BudgetExhausted as error:
            self.exhausted(error)
            raise

    def _settle(self, hold: Hold, answer: Answer) -> None:
        """A 4xx is documented to be free; a price in the answer is charged; else what was reserved stays spent."""
        if 400 <= answer.status < 500:
            hold.release()
            return
        body = answer.value if isinstance(answer.value, dict) else {}
        reserved = (body.get("usage") or {}).get("credits_reserved") if isinstance(body.get("usage"), dict) else None
        if isinstance(reserved, int | float) and not isinstance(reserved, bool):
            hold.charge(Decimal(str(reserved)))
        for name in ("task_id", "id"):
            if isinstance(body.get(name), str):
                self._holds[body[name]] = (hold, hold.amount)

    def _watch_cost(self, answer: Answer) -> None:
        """A task query that shows a higher cost than was counted corrects the count (IC-TASK-1)."""
        body = answer.value if isinstance(answer.value, dict) else {}
        hold, counted = self._holds.get(str(body.get("task_id")), (None, Decimal(0)))
        cost = body.get("cost")
        if hold is not None and isinstance(cost, int | float) and Decimal(str(cost)) > counted:
            hold.charge(Decimal(str(cost)))

    def _conclude(self, exchange: Exchange) -> None:
        if self.recorder is not None:
            self.recorder.add(self.test, exchange, self._redactor())
        for listener in self.listeners:
            listener(exchange)

    def _redactor(self) -> Redactor:
        return Redactor(tuple({self.key, self.target.key} - {""}), self.placeholders)


def _seconds(retry_after: str) -> float:
    return min(float(retry_after), LONGEST_WAIT) if retry_after.isascii() and retry_after.isdigit() else 1.0
