"""Settings from flags, the environment and a TOML file, and what is said of those that make no sense."""

import os
from decimal import Decimal
from pathlib import Path

import pytest

from mockserver.cli import main
from mockserver.cli.sources import load
from mockserver.settings import Settings


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MOCKSERVER_")]:
        monkeypatch.delenv(name)


BAD = [
    (("--latency", "slow"), "'slow' is not a latency: use instant, quick, documented, or MIN-MAX in seconds"),
    (("--port", "99999"), "--port: 99999 is not a whole number from 0 to 65535"),
    (("--port", "8080.5"), "--port: 8080.5 is not a whole number from 0 to 65535"),
    (("--max-body", "9" * 30), "is not a size"),
    (("--balance", "NaN"), "--balance: NaN is not a number from 0 to"),
    (("--port", "http"), "--port: http is not a whole number from 0 to 65535"),
    (("--clock", "sundial"), "--clock: sundial is not one of real, virtual"),
    (("--balance", "-1"), "--balance: -1 is not a number from 0 to"),
    (("--balance", "0.0001"), "finer than 2 decimal places"),
    (("--balance", "1e999999999"), "--balance: 1e999999999 is not a number from 0 to"),
    (("--max-body", "big"), "write bytes, or a text such as 32MB"),
    (("--max-body", "0"), "--max-body: 0 is not a whole number, 1 or more"),
    (("--callback-route", "there"), "write https://app.example.com=http://127.0.0.1:9000"),
    (("--callback-route", "http://a=http://b:99999"), "'http://b:99999' is not a URL"),
    (("--public-url", "mock"), "--public-url: 'mock' is not a URL: write one like https://"),
    (("--allowed-host", "http://mock"), "write only its name"),
    (("--api-key", "two words"), "--api-key: an API key must not contain spaces"),
    (("--host", ""), "--host: is empty"),
    (("--tls-cert", "cert.pem"), "--tls-cert and --tls-key need each other"),
    (("--tls-cert", "nowhere.pem", "--tls-key", "nowhere.pem"), "--tls-cert nowhere.pem: No such file"),
    (("--tls-cert", __file__, "--tls-key", __file__), "no PEM certificate with its unencrypted key"),
    (("--config", "nowhere.toml"), "--config nowhere.toml: No such file"),
    (("--store", "postgres://me:secret@db/1"), "--store: 'postgres://db/1' is not a store: use memory, sqlite:///FILE"),
    (("--store", "sqlite://"), "is not a store: use memory, sqlite:///FILE, redis://HOST:PORT/DB"),
    (("--workers", "0"), "--workers: 0 is not a whole number from 1 to 64"),
    (("--prot", "1"), "No such option: --prot"),
    (("--port",), "requires an argument"),
]


@pytest.mark.parametrize(("flags", "said"), BAD)
def test_a_bad_value_is_one_line_that_says_what_is_right(
    flags: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", *flags]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n"), err.startswith("mockserver: ")) == ("", 1, True)
    assert said in err


BAD_FILES = [
    ("prot = 1", "there is no setting 'prot'; did you mean port? there are host, port, latency"),
    ("port = ", "is not valid TOML"),
    ("port = 'x'", "port in FILE: x is not a whole number"),
    ("port = true", "port in FILE: True is not a whole number"),
    ("port = [1]", "port in FILE: [1] is not a whole number"),
    ("quiet = 'maybe'", "quiet in FILE: maybe is not true or false"),
    ("host = ['a']", "host in FILE: ['a'] is not text"),
    ("api_key = 'a'\napi-keys = ['b']", "api_key is given twice"),
    ("api_key = [1]", "api_key in FILE: must be a list of texts"),
    ("[prices.nobody]\nhigh = 1", "there is no provider 'nobody'; there are evolink, icodeeasy"),
    ("[prices.icodeeasy]\nhuge = 1", "icodeeasy has no price 'huge'; there are low, medium, high"),
    ("[prices.icodeeasy]\nhigh = -1", "the price of 'high' must be a number, 0 or more"),
    ("[prices]\nhigh = 1", "must be a table of prices for each provider"),
    ("[latencies.icodeeasy]\nimage = [5, 1]", "the duration 'image' must be [shortest, longest] in seconds"),
]


@pytest.mark.parametrize(("text", "said"), BAD_FILES)
def test_a_bad_file_is_one_line_too(text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(text)
    assert main(["serve", "--config", str(file)]) == 2
    err = capsys.readouterr().err
    assert (err.count("\n"), said.replace("FILE", str(file)) in err) == (1, True)


def test_a_flag_counts_more_than_the_environment_than_the_file_than_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "mock.toml"
    file.write_text("port = 1\nlatency = 'instant'\nclock = 'virtual'\nseed = 42")
    monkeypatch.setenv("MOCKSERVER_PORT", "2")
    monkeypatch.setenv("MOCKSERVER_LATENCY", "1-2")
    monkeypatch.setenv("MOCKSERVER_HOST", "")
    found = load({"port": "3"}, str(file))
    assert found == Settings(port=3, latency="1-2", clock="virtual", seed="42")


def test_a_file_takes_every_setting_and_overrides_what_vendors_change(tmp_path: Path) -> None:
    file = tmp_path / "mock.toml"
    file.write_text(
        "api-key = ['a', 'b']\nbalance = 12.50\nmax-body = '1 MB'\nquiet = true\npublic_url = 'https://m.example/'\n"
        "callback_routes = 'http://a=http://b'\n"
        "[prices.icodeeasy]\nhigh = 0.50\nlow = '1'\n[latencies.icodeeasy]\nimage = [1, 2.5]\n"
    )
    assert load({}, str(file)) == Settings(
        api_keys=("a", "b"),
        balance=Decimal("12.50"),
        max_body=1024 * 1024,
        quiet=True,
        public_url="https://m.example",
        callback_routes=("http://a=http://b",),
        prices={"icodeeasy": {"high": "0.50", "low": "1"}},
        latencies={"icodeeasy": {"image": (1.0, 2.5)}},
    )


@pytest.mark.parametrize(("text", "keys"), [("a, b", ("a", "b")), ('["a,b", "c"]', ("a,b", "c"))])
def test_a_variable_holds_a_list_with_commas_or_as_json(
    text: str, keys: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCKSERVER_API_KEYS", text)
    assert load({}, None).api_keys == keys


@pytest.mark.parametrize(("text", "quiet"), [("true", True), ("YES", True), ("1", True), ("off", False), ("0", False)])
def test_a_variable_is_true_or_false_in_many_words(text: str, quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKSERVER_QUIET", text)
    assert load({}, None).quiet is quiet
