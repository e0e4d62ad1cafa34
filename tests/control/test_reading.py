"""Looking in: lists, filters, pages, and what is never shown."""

import json
from decimal import Decimal
from hashlib import sha256
from typing import Any

import pytest

from support.calls import Caller
from support.scene import Scene

KEY = "sk_very-secret-key-0123456789"
LISTS = ("tasks", "callbacks", "requests", "accounts")


def account(key: str) -> str:
    return "acct_" + sha256(key.encode()).hexdigest()[:12]


@pytest.mark.parametrize("noun", LISTS)
def test_an_empty_list(scene: Scene, noun: str) -> None:
    assert scene.mock(noun) == {noun: [], "next": None}


@pytest.fixture
def busy(scene: Scene) -> Scene:
    """Two keys at three providers, two generations each."""
    for provider in ("xhuoapi", "icodeeasy", "evolink"):
        for key in ("sk_a", "sk_b"):
            for number in (1, 2):
                Caller(scene, provider, key).generate(prompt=f"{provider} {key} {number}")
    return scene


def prompts(scene: Scene, **params: Any) -> list[str]:
    return [task["prompt"] for task in scene.mock("tasks", **params)["tasks"]]


@pytest.mark.parametrize("key", ["sk_a", account("sk_a")])
def test_filters(busy: Scene, key: str) -> None:
    assert prompts(busy, provider="evolink", api_key=key) == ["evolink sk_a 2", "evolink sk_a 1"]
    assert len(prompts(busy, api_key=key)) == 6
    assert len(prompts(busy, provider="evolink")) == 4
    assert prompts(busy, api_key="sk_c") == []


@pytest.mark.parametrize("noun", ["requests", "accounts"])
def test_the_other_lists_filter_too(busy: Scene, noun: str) -> None:
    rows = busy.mock(noun, provider="icodeeasy", api_key="sk_b")[noun]
    assert {(row["provider"], row["account"]) for row in rows} == {("icodeeasy", account("sk_b"))}


def test_newest_first(busy: Scene) -> None:
    assert prompts(busy)[0] == "evolink sk_b 2"
    assert prompts(busy)[-1] == "xhuoapi sk_a 1"


def test_pages_lose_and_repeat_nothing_while_more_comes_in(busy: Scene) -> None:
    before, seen, cursor = prompts(busy), [], None
    while True:
        page = busy.mock("tasks", limit=5, **({"cursor": cursor} if cursor else {}))
        seen += [task["prompt"] for task in page["tasks"]]
        cursor = page["next"]
        if cursor is None:
            break
        Caller(busy, "evolink", "sk_new").generate(prompt="new")
    assert seen == before


NO_LIMITS = ["0", "-1", "1001", "x", "1.5", "٣", "9" * 5000, "1e2", " 5", "+5", "1_0", "nan"]


@pytest.mark.parametrize("limit", [*NO_LIMITS, "0" * 5000 + "1", "00000000199999", "0000000001"])
def test_limits(scene: Scene, limit: str) -> None:
    answer = scene.http.get("/_mock/tasks", params={"limit": limit})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "1e1", "0" * 5000 + "1", "1_0", "x", "٣", "00000000059.0"])
def test_waits(scene: Scene, wait: str) -> None:
    answer = scene.http.get("/_mock/callbacks", params={"wait": wait})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")


@pytest.mark.parametrize("noun", LISTS)
def test_an_unknown_provider(scene: Scene, noun: str) -> None:
    answer = scene.http.get(f"/_mock/{noun}", params={"provider": "nobody"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "unknown_provider")


def everything(scene: Scene) -> str:
    """All that the control surface shows, lists and single records."""
    shown = [scene.http.get(f"/_mock/{noun}", params={"limit": 1000}).text for noun in (*LISTS, "health", "snapshot")]
    for noun in ("tasks", "callbacks", "requests"):
        shown += [scene.http.get(f"/_mock/{noun}/{row['id']}").text for row in scene.mock(noun)[noun]]
    shown += [scene.http.get(f"/_mock/accounts/{account(KEY)}?provider={name}").text for name in ("xhuoapi", "evolink")]
    return "\n".join(shown)


@pytest.mark.parametrize("provider", ["xhuoapi", "icodeeasy", "evolink"])
def test_no_key_in_clear(scene: Scene, provider: str) -> None:
    caller = Caller(scene, provider, KEY)
    caller.generate(prompt="a fox", user=KEY, metadata={"key": [KEY]})
    caller.generate(query=f"?key={KEY}&a=b", headers={"X-Api-Key": KEY, "Cookie": f"k={KEY}", "X-Other": KEY})
    caller.get(f"/v1/tasks/{KEY}")
    caller.generate(model=KEY)
    assert KEY not in everything(scene)


def test_nor_a_key_in_the_prompt_or_the_callback(scene: Scene) -> None:
    caller = Caller(scene, "xhuoapi", KEY)
    caller.generate(prompt=f"a fox {KEY}", callback_url=f"https://app.example/hook?key={KEY}")
    scene.advance(10)
    assert KEY not in everything(scene)


@pytest.mark.parametrize("header", [f"bearer {KEY}", f"Bearer  {KEY}", f"Basic {KEY}", KEY, f"Token {KEY}"])
def test_nor_a_key_that_was_refused(scene: Scene, header: str) -> None:
    caller = Caller(scene, "icodeeasy", KEY)
    caller.generate(query=f"?key={KEY}", headers={"Authorization": header}, user=KEY, model="wrong")
    assert KEY not in everything(scene)


def test_nor_a_key_of_a_query(scene: Scene) -> None:
    scene.http.get("/evolink/v1/credits", params={"key": KEY}, headers={"Authorization": f"Bearer {KEY}"})
    scene.http.get("/_mock/accounts", params={"api_key": KEY})
    assert KEY not in everything(scene)


def test_base64_is_shown_by_its_length(scene: Scene) -> None:
    caller = Caller(scene, "icodeeasy", "sk_k")
    caller.generate(image_urls=[f"data:image/png;base64,{'A' * 100_000}"])
    body = caller.requests()[0]["body"]
    assert len(json.dumps(body)) < 1_000
    assert "100" in json.dumps(body["image_urls"])


def test_a_picture_in_an_answer_is_too(scene: Scene) -> None:
    caller = Caller(scene, "xhuoapi", "k")
    answer = caller.generate(model="dall-e-3", response_format="b64_json")
    shown = caller.requests()[0]["response"]["data"][0]["b64_json"]
    assert len(answer.json()["data"][0]["b64_json"]) > 5_000 > 200 > len(shown)


def test_looking_opens_no_account(scene: Scene) -> None:
    assert scene.mock("accounts/k", provider="evolink")["balance"] == "1000"
    assert scene.mock("accounts")["accounts"] == []


@pytest.mark.parametrize("body", [b"", b"{}"])
def test_a_reset_says_what_it_forgot(busy: Scene, body: bytes) -> None:
    listed = {noun: busy.mock(noun)[noun] for noun in LISTS}
    answer = busy.http.post("/_mock/reset", content=body).json()
    assert (answer["status"], answer["defects"]) == ("reset", 0)
    assert answer["forgotten"]["callbacks"] == len(listed["callbacks"])
    for charge in answer["forgotten"]["charges"]:
        accounts = [row for row in listed["accounts"] if row["provider"] == charge["provider"]]
        for amount in ("captured", "held"):
            assert Decimal(charge[amount]) == sum(Decimal(row[amount]) for row in accounts)
        assert (charge["generations"], {row["currency"] for row in accounts}) == (4, {charge["currency"]})
    assert [row["provider"] for row in answer["forgotten"]["charges"]] == ["evolink", "icodeeasy", "xhuoapi"]
    assert [busy.mock(noun)[noun] for noun in LISTS] == [[], [], [], []]
    assert busy.http.post("/_mock/reset").json()["forgotten"] == {"callbacks": 0, "charges": []}


def test_a_reset_of_one_key_says_what_that_key_had(busy: Scene) -> None:
    answer = busy.http.post("/_mock/reset", json={"api_key": "sk_a"}).json()
    assert [charge["generations"] for charge in answer["forgotten"]["charges"]] == [2, 2, 2]


def test_lists_and_faults_of_several_keys(busy: Scene) -> None:
    Caller(busy, "evolink", "sk_c").generate(prompt="evolink sk_c")
    keys = {"api_key": ["sk_a", account("sk_b")]}
    assert len(prompts(busy, **keys)) == 12
    for key in ("sk_a", "sk_b", "sk_c"):
        rule = {"match": {"api_key": key}, "fault": {"type": "task_fail"}}
        assert busy.http.post("/_mock/faults", json=rule).status_code == 200
    listed = [rule["match"]["api_key"] for rule in busy.mock("faults", **keys)["faults"]]
    assert listed == [account("sk_b"), account("sk_a")]
    assert busy.http.delete("/_mock/faults", params=keys).json() == {"removed": 2}
    assert len(busy.mock("faults")["faults"]) == 1


@pytest.mark.parametrize("body", [b"{", b"[]", b"NaN", b'{"a":NaN}', b"\xff", b"[" * 10**5])
def test_reset_with_a_bad_body(busy: Scene, body: bytes) -> None:
    answer = busy.http.post("/_mock/reset", content=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "bad_request")
    assert prompts(busy) != []


@pytest.mark.parametrize("path", ["tasks/x", "callbacks/x", "requests/x", "nope", "tasks/", "tasks/a/b"])
def test_what_is_not_there(scene: Scene, path: str) -> None:
    answer = scene.http.get(f"/_mock/{path}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "not_found")


def test_wrong_methods(scene: Scene) -> None:
    for method in ("POST", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        answer = scene.http.request(method, "/_mock/tasks")
        assert (answer.status_code, answer.json()["error"]["code"]) == (405, "wrong_method")
