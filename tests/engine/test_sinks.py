"""Built-in receivers: scripts, what they record, and which URLs denote them."""

import pytest

from mockserver.engine.sinks import RECEIVED_KEPT, Received, Reply, Sink, sink_named_by


def test_a_sink_answers_by_its_script_and_then_200() -> None:
    sink, replies = Sink((Reply(500), Reply(200, 3.0))), list[Reply]()
    for _ in range(4):
        replies.append(sink.next_reply)
        sink = sink.with_received(Received(0, {}, ""))
    assert replies == [Reply(500), Reply(200, 3.0), Reply(), Reply()]


def test_what_it_records_is_bounded_and_counted() -> None:
    sink = Sink()
    for number in range(RECEIVED_KEPT + 5):
        sink = sink.with_received(Received(number, {}, ""))
    assert (len(sink.received), sink.received[0].time, sink.dropped) == (RECEIVED_KEPT, 5, 5)


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
def test_which_urls_address_a_sink(url: str, name: str | None) -> None:
    assert sink_named_by(url) == name
