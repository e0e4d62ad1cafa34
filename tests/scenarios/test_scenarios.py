"""Scenarios: what they put in force, what a reset brings back, what is refused, and files that change."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

from mockserver.app import create_app
from mockserver.providers.base import discover
from mockserver.scenarios import in_force as scenarios_in_force
from mockserver.scenarios.reading import BadScenario, read, shipped
from mockserver.server import MockServer
from mockserver.settings import Settings
from support import web

PROVIDERS = {provider.name: provider for provider in discover()}
EVERYTHING = """
latency = "instant"

[[faults]]
match = {provider = "evolink", api_key = "my-key"}
fault = {type = "task_fail"}

[[accounts]]
provider = "evolink"
balance = "7"

[[accounts]]
provider = "evolink"
key = "rich-key"
balance = 900.5
quota = "3"

[[routes]]
from = "https://app.example.com"
to = "http://127.0.0.1:9/hook"

[sinks.hook]
responses = [500, {status = 200, delay = 2}]

[latencies.evolink]
gpt-image-2-beta = [20, 40]

[prices.evolink]
gpt-image-2-beta = "0.5"
"""


def virtual(*scenarios: str, **given: Any) -> MockServer:
    return MockServer(Settings(clock="virtual", seed="s", scenarios=scenarios, **given))


def generate(mock: MockServer, provider: str, key: str) -> int:
    model = PROVIDERS[provider].models[0]
    middle = "openai/" if PROVIDERS[provider].openai_path == "/v1/openai" else ""
    url = f"{mock.root_url}/{provider}/v1/{middle}images/generations"
    body = {"model": model, "prompt": "a fox"}
    return web.post(url, json=body, headers={"Authorization": f"Bearer {key}"}).status_code


def written(folder: Path, text: str) -> str:
    (folder / "mine.toml").write_text(text)
    return str(folder / "mine.toml")


def in_force(mock: MockServer) -> tuple[object, ...]:
    evolink = mock.evolink
    return (
        [(rule.id, rule.fault["type"]) for rule in mock.faults.list(everyone=True)],
        evolink.account("my-key").balance,
        evolink.account("rich-key").balance,
        evolink.account("rich-key").quota,
        mock.callbacks.routes(),
        mock.sink("hook").get().responses_left,
        mock.app.mounts["evolink"].prices["gpt-image-2-beta"],
        mock.app.mounts["evolink"].latencies["gpt-image-2-beta"],
    )


def test_all_parts_hold_from_the_start_and_again_after_a_reset(tmp_path: Path) -> None:
    with virtual(written(tmp_path, EVERYTHING)) as mock:
        before = in_force(mock)
        assert before[1:4] == (Decimal(7), Decimal("900.5"), Decimal(3))
        assert before[0] == [("scenario-1", "task_fail")]
        assert before[4] == {"https://app.example.com": "http://127.0.0.1:9/hook"}
        assert before[5:] == (2, 5000, (20.0, 40.0))
        mock.faults.clear(everyone=True)
        mock.evolink.account("my-key").set(balance=1)
        mock.sink("hook").script()
        mock.callbacks.set_routes({})
        mock.reset()
        assert in_force(mock) == before


def test_a_reset_of_one_key_brings_back_that_keys_part(tmp_path: Path) -> None:
    with virtual(written(tmp_path, EVERYTHING)) as mock:
        mock.evolink.account("rich-key").set(balance=1)
        mock.reset("rich-key")
        assert mock.evolink.account("rich-key").balance == Decimal("900.5")
        mock.reset("my-key")
        assert [rule.fault["type"] for rule in mock.faults.list(everyone=True)] == ["task_fail"]


def test_settings_count_more_than_a_scenario_and_a_later_one_more_than_an_earlier(tmp_path: Path) -> None:
    mine = written(tmp_path, '[[accounts]]\nbalance = "5"\n')
    with virtual(
        "out-of-credit", "rate-limited", mine, callback_routes=("https://app.example.com=http://localhost:1",)
    ) as mock:
        found = mock.evolink.account("anybody")
        assert (found.balance, found.rate_limit) == (Decimal(5), mock.evolink.account("other").rate_limit)
        assert found.rate_limit is not None
    both = virtual(written(tmp_path, EVERYTHING), prices={"evolink": {"gpt-image-2-beta": "2"}})
    assert both.app.mounts["evolink"].prices["gpt-image-2-beta"] == 20000


@pytest.mark.parametrize("name", shipped())
def test_each_shipped_scenario_is_valid_commented_and_described(name: str) -> None:
    text = shipped()[name].read_text()
    assert read(name, PROVIDERS).description
    assert text.count("#") >= 2
    assert create_app(Settings(scenarios=(name,))).scenarios is not None


def test_an_empty_account_is_refused_by_every_provider() -> None:
    with virtual("out-of-credit", latency="instant") as mock:
        statuses = [generate(mock, name, "sk_somebody-1") for name in ("evolink", "icodeeasy", "xhuoapi")]
    assert statuses == [402, 402, 403]


def test_rate_limited_lets_three_pass_and_again_after_a_reset() -> None:
    with virtual("rate-limited", latency="instant") as mock:
        for _ in range(2):
            assert [generate(mock, "evolink", "sk_somebody-1") for _ in range(4)] == [200, 200, 200, 429]
            mock.reset()


def test_flaky_breaks_some_calls_and_not_most() -> None:
    with virtual("flaky", latency="instant") as mock:
        fired = 0
        for number in range(60):
            try:
                fired += generate(mock, "evolink", f"sk_somebody-{number}") >= 500
            except httpx.TransportError:
                fired += 1
        rules = mock.faults.list(everyone=True)
    assert 0 < fired < 30
    assert {rule.fault["type"] for rule in rules} == {"status", "disconnect", "task_fail"}


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("a = \n", 1, "no valid TOML"),
        ("description = 'x'\nfalts = 3\n", 2, "There are description, latency, faults"),
        (
            "\n[[faults]]\nfault = {type = 'task_fail'}\n\n[[faults]]\nfault = {type = 'nothing'}\n",
            5,
            "fault is an object",
        ),
        ("[[faults]]\nprobability = 7\nfault = {type = 'task_fail'}\n", 1, "probability"),
        ("[[accounts]]\nbalance = '-4'\n", 2, "greater than or equal to 0"),
        ("# x\n[[accounts]]\nprovider = 'evolinc'\n", 3, "there is no provider 'evolinc'"),
        ("[[accounts]]\nprovider = 'icodeeasy'\nbalance = '0.0001'\n", 3, "finer"),
        ("[[routes]]\nfrom = 'x'\nto = 'y'\n", 1, ""),
        ("[prices.evolink]\nlow = 1\n", 2, "there are gpt-image-2-beta"),
        ("\n[latencies.evolink]\ngpt-image-2-beta = [40, 20]\n", 3, "[shortest, longest]"),
        ("latency = 'soon'\n", 1, "'soon' is not a latency"),
        ("[sinks.hook]\nresponses = [20]\n", 2, "responses"),
    ],
)
def test_a_bad_file_is_refused_with_its_line_and_the_reason(text: str, line: int, reason: str, tmp_path: Path) -> None:
    name = written(tmp_path, text)
    with pytest.raises(BadScenario) as found:
        read(name, PROVIDERS)
    assert reason in str(found.value)
    assert f"line {line}" in str(found.value)
    assert name in str(found.value)


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadScenario, match="there are flaky, lossy-callbacks"):
        read("flakey", PROVIDERS)
    with pytest.raises(BadScenario, match="No such file"):
        read(str(tmp_path / "none.toml"), PROVIDERS)
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(BadScenario, match="UTF-8"):
        read(str(tmp_path / "binary.toml"), PROVIDERS)
    with pytest.raises(ValueError, match="needs a --scenario"):
        create_app(Settings(watch=True))


def test_too_many_rules_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with virtual(name := written(tmp_path, EVERYTHING)) as mock:
        scenarios = mock.app.scenarios
        assert scenarios is not None
        before = in_force(mock)
        monkeypatch.setattr(scenarios_in_force, "RULES_KEPT", 2)
        Path(name).write_text("[[faults]]\nfault = {type = 'task_slow'}\n" * 3)
        with pytest.raises(BadScenario, match="more than 2 fault rules"):
            mock.run(scenarios.reload())
        assert in_force(mock) == before


def test_a_file_that_is_read_again_replaces_what_it_said_and_a_bad_one_nothing(tmp_path: Path) -> None:
    with virtual(name := written(tmp_path, EVERYTHING)) as mock:
        scenarios = mock.app.scenarios
        assert scenarios is not None
        before = in_force(mock)
        mock.faults.add("task_stuck", everyone=True)
        Path(name).write_text("[prices.evolink]\nlow = 1\n")
        with pytest.raises(BadScenario):
            mock.run(scenarios.reload())
        assert in_force(mock)[4:] == before[4:]
        Path(name).write_text("[[faults]]\nfault = {type = 'task_slow'}\n")
        mock.run(scenarios.reload())
        types = [rule.fault["type"] for rule in mock.faults.list(everyone=True)]
        assert types == ["task_stuck", "task_slow"]
        assert mock.callbacks.routes() == {}
        assert mock.app.mounts["evolink"].latencies["gpt-image-2-beta"] != (20.0, 40.0)
