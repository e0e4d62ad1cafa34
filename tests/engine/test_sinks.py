"""Built-in receivers: scripts, what they record, how many there are, and which URLs denote them."""

import pytest

from mockserver.engine import sinks
from mockserver.engine.sinks import RECEIVED_KEPT, Reply, Sink, Sinks


def test_a_sink_answers_by_its_script_and_then_200() -> None:
    sink = Sink()
    sink.script.extend([Reply(500), Reply(200, 3.0)])
    assert [sink.receive(0, {}, b"") for _ in range(4)] == [Reply(500), Reply(200, 3.0), Reply(), Reply()]


def test_it_records_time_headers_and_body() -> None:
    sink = Sink()
    sink.receive(7.5, {"A": "b"}, "狐".encode())
    sink.receive(8.5, {}, b"\xff")
    assert [(got.time, got.headers, got.body) for got in sink.received] == [
        (7.5, {"A": "b"}, "狐"),
        (8.5, {}, "\ufffd"),
    ]


def test_what_it_records_is_bounded() -> None:
    sink = Sink()
    for number in range(RECEIVED_KEPT + 5):
        sink.receive(number, {}, b"")
    assert (len(sink.received), sink.received[0].time) == (RECEIVED_KEPT, 5)


def test_a_sink_is_there_when_it_is_named() -> None:
    every = Sinks()
    assert every.get("a") is every.get("a")
    assert every.get("a") is not every.get("b")


def test_the_oldest_goes_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sinks, "SINKS_KEPT", 2)
    every = Sinks()
    for name in ("a", "b", "a", "c"):
        every.put(name, Sink())
    assert list(every.by_name) == ["a", "c"]


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://127.0.0.1:8080/_mock/sink/app", "app"),
        ("http://localhost/_mock/sink/app", "app"),
        ("https://[::1]:1/_mock/sink/app?x=1", "app"),
        ("http://127.1/_mock/sink/app/more", "app"),
        ("http://127.0.0.1/_mock/sink/my%20app", "my app"),
        ("http://127.0.0.1/_mock/sink/", None),
        ("http://127.0.0.1/_mock/sinks/app", None),
        ("http://127.0.0.1/hook", None),
        ("http://app.example.com/_mock/sink/app", None),
        ("http://10.0.0.1/_mock/sink/app", None),
    ],
)
def test_which_urls_denote_a_sink(url: str, name: str | None) -> None:
    assert Sinks().named_by(url) == name
