"""Recordings: what they keep, what they leave out, and how they are replayed."""

import json
from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import pytest

from contract_tests.exchange import Answer, Call, Exchange
from contract_tests.library import data_url, picture
from contract_tests.recording import Recorder, Redactor, Replay

KEY = "sk_very_secret_0123456789"
ID = "3e0c77bb-9cbd-4c44-9549-bff1b4060623"
REDACTOR = Redactor((KEY,), {"https://api.example.com": "https://evolink.invalid"})

CALL = Call(
    "POST",
    f"https://api.example.com/v1/tasks/{ID}?token={KEY}",
    {"async": "1", "signature": "s3cr3t"},
    {"Authorization": f"Bearer {KEY}", "Cookie": "session=s3cr3t"},
    {
        "prompt": "a cat",
        "image_urls": [data_url("reference.png"), "https://u:s3cr3t@x.example/a?X-Amz-Signature=s3cr3t"],
    },
)
BODY = {
    "account_id": "acct-s3cr3t",
    "data": [
        {
            "url": f"https://cdn.example.com/gpt-image/{ID}_0.png?se=1&sig=s3cr3t",
            "b64_json": b64encode(picture("reference.png")).decode(),
        }
    ],
    "message": f"the key {KEY} is unknown",
    "id": "task-unified-1757156493-imcg5zqt",
}
ANSWER = Answer(200, {"content-type": "application/json", "set-cookie": "s3cr3t"}, json.dumps(BODY).encode())


def _recorded(folder: Path) -> str:
    recorder = Recorder(folder)
    recorder.add("contract_tests/x.py::test", Exchange(CALL, ANSWER), REDACTOR)
    recorder.write("contract_tests/x.py::test")
    return next(folder.iterdir()).read_text("utf-8")


def test_no_secret_is_kept(tmp_path: Path) -> None:
    text = _recorded(tmp_path)
    for secret in (KEY, "s3cr3t", ID, "imcg5zqt", "iVBOR", "api.example.com"):
        assert secret not in text, secret
    assert "picture:PNG;24x16;bytes=147" in text


def test_equal_ids_get_equal_pseudonyms(tmp_path: Path) -> None:
    kept = json.loads(_recorded(tmp_path))["exchanges"][0]
    name = kept["call"]["url"].split("?")[0].rsplit("/", 1)[1]
    assert name.startswith("00000000-")
    assert (
        kept["answer"]["json"]["data"][0]["url"]
        == f"https://cdn.example.com/gpt-image/{name}_0.png?se=REDACTED&sig=REDACTED"
    )


def test_redacting_twice_changes_nothing() -> None:
    once = REDACTOR.value(BODY)
    assert REDACTOR.value(once) == once


def test_a_replay_answers_in_order_and_skips_unrecorded_calls(tmp_path: Path) -> None:
    _recorded(tmp_path)
    replay = Replay(tmp_path)
    answer = replay.answer("contract_tests/x.py::test", CALL, REDACTOR)
    assert (answer.status, answer.json()) == (200, REDACTOR.value(BODY))
    with pytest.raises(pytest.skip.Exception):
        replay.answer("contract_tests/x.py::test", CALL, REDACTOR)
    with pytest.raises(pytest.skip.Exception):
        Replay(tmp_path).answer("contract_tests/x.py::test", replace(CALL, method="GET"), REDACTOR)
