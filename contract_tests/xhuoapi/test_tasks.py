"""xhuoapi: callbacks, async calls and their records."""

import json
from typing import Any

import pytest
from dirty_equals import IsFloat, IsPositiveFloat

from ..client import Client
from ..hooks import Hook
from ..library import latencies
from ..marks import CORE, VARIANT, claim, mock_only, paid
from ..mock import Control
from ..shapes import is_text, is_unix, is_uuid
from . import api


@claim("XH-CB-1", "XH-CB-2")
@paid(priority=CORE, model="$model")
@pytest.mark.parametrize("model", api.MODELS)
def test_a_callback(client: Client, hook: Hook, model: str) -> None:
    answer = api.generate(client, model=model, callback_url=hook.url)
    assert (answer.status, answer.json()) == (200, {"task_id": is_uuid()})
    found = hook.wait()[0]
    assert found["headers"]["content-type"].startswith("application/json")
    plain = api.pictures(model)
    assert json.loads(found["body"]) == {
        "success": True,
        "task_id": answer.json()["task_id"],
        "trace_id": is_uuid(),
        "data": {"created": plain["created"], "data": plain["data"]},
    }


@claim("XH-CB-1")
@mock_only
@pytest.mark.parametrize("model", ["gpt-image-2", "nano-banana", "dall-e-3"])
def test_the_answer_does_not_wait_for_the_picture(client: Client, control: Control, hook: Hook, model: str) -> None:
    api.generate(client, model=model, prompt="[mock:delay=100]", callback_url=hook.url)
    control.advance(99)
    assert hook.received() == []
    control.advance(1)
    assert json.loads(hook.wait()[0]["body"])["success"] is True


@claim("XH-CB-2", "XH-PRICE-4", "XH-SIZE-9")
@mock_only
@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"prompt": "[mock:fail]"}, "api_error"),
        ({"prompt": "[mock:moderated]"}, "forbidden"),
        ({"size": "800x600"}, "bad_request"),
    ],
    ids=["fail", "moderated", "limit"],
)
def test_a_failure_calls_back(client: Client, control: Control, hook: Hook, more: dict[str, str], code: str) -> None:
    answer = api.generate(client, callback_url=hook.url, **more)
    assert json.loads(hook.wait()[0]["body"]) == {
        "success": False,
        "task_id": answer.json()["task_id"],
        "trace_id": is_uuid(),
        "error": {"code": code, "message": is_text()},
    }
    assert control.spent() == 0


@claim("XH-CB-3")
@mock_only
def test_a_callback_over_plain_http(client: Client, hook: Hook) -> None:
    assert hook.read_url.startswith("http://")
    answer = api.generate(client, callback_url=hook.read_url)
    assert (answer.status, answer.json()) == (200, {"task_id": is_uuid()})
    hook.wait()


@claim("XH-ASYNC-1")
@paid(priority=CORE, model="gpt-image-2")
def test_async(client: Client) -> None:
    record = api.ended(client, api.submitted(client))
    assert record["response"]["success"] is True


@claim("XH-ASYNC-1")
@mock_only
def test_async_does_not_wait(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    assert control.task(task_id)["status"] != "completed"


@claim("XH-ASYNC-1")
@paid(model="gpt-image-2")
def test_explicitly_sync(client: Client) -> None:
    assert api.generated(client, **{"async": False}) == api.pictures("gpt-image-2")


def _record(client: Client, kind: str, **more: Any) -> dict[str, Any]:
    ruled = {"elapsed": IsFloat()} if client.is_mock else {}
    return {
        "_id": is_text(),
        "id": is_uuid(),
        "trace_id": is_uuid(),
        "application_id": is_text(),
        "user_id": is_text(),
        "credential_id": is_text(),
        "type": kind,
        "created_at": IsPositiveFloat(),
        "finished_at": IsPositiveFloat(),
        "duration": IsFloat(),
        "request": api.body(**{"async": True}),
        **ruled,
        **more,
    }


@claim("XH-TASK-1", "XH-TASK-2")
@paid(model="gpt-image-2")
def test_a_record(client: Client) -> None:
    task_id = api.submitted(client)
    found = api.ended(client, task_id)
    expected = _record(client, "images", id=task_id, response=api.pictures("gpt-image-2"))
    assert {name: found[name] for name in expected} == expected
    assert not client.is_mock or found.keys() == expected.keys()
    assert found["response"]["task_id"] == task_id


@claim("XH-TASK-1", "XH-TASK-2")
@mock_only
def test_a_record_while_pending(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    found = api.retrieve(client, id=task_id).json()
    assert (found["id"], found["finished_at"], found["response"]) == (task_id, None, None)
    assert isinstance(found["created_at"], float)
    control.advance(100)
    found = api.retrieve(client, id=task_id).json()
    assert found["finished_at"] - found["created_at"] == 100
    assert found["duration"] == 100


@claim("XH-TASK-2")
@mock_only
@pytest.mark.parametrize(
    ("path", "model", "kind"),
    [
        (api.GENERATIONS, "gpt-image-2", "images"),
        (api.GENERATIONS, "dall-e-3", "images_generations"),
        (api.EDITS, "dall-e-3", "images_edits"),
    ],
)
def test_types(client: Client, path: str, model: str, kind: str) -> None:
    more = {"image": "https://example.com/a.png"} if path == api.EDITS else {}
    task_id = api.submitted(client, path, model=model, **more)
    assert api.ended(client, task_id)["type"] == kind


@claim("XH-TASK-1")
def test_an_unknown_task(client: Client) -> None:
    answer = api.retrieve(client, id=api.UNKNOWN_TASK)
    assert (answer.status, answer.json()) == (200, {})


@claim("XH-TASK-1")
@mock_only
def test_a_failed_task(client: Client) -> None:
    found = api.ended(client, api.submitted(client, prompt="[mock:moderated]"))["response"]
    assert (found["success"], found["error"]) == (False, {"code": "forbidden", "message": is_text()})


@claim("XH-TASK-2")
@paid(calls=2, model="gpt-image-2")
def test_by_trace_id(client: Client) -> None:
    one, two = api.submitted(client), api.submitted(client)
    traces = [api.ended(client, task_id)["trace_id"] for task_id in (one, two)]
    assert api.retrieve(client, trace_id=traces[0]).json()["id"] == one
    assert api.retrieve(client, id=one, trace_id=traces[1]).json()["id"] == two


@claim("XH-TASK-2")
@mock_only
def test_a_trace_id_of_ones_own(client: Client) -> None:
    trace_id = "00000000-1111-4222-8333-444444444444"
    task_id = api.submitted(client, trace_id=trace_id)
    assert api.retrieve(client, trace_id=trace_id).json()["id"] == task_id


@claim("XH-TASK-1")
@paid(calls=2, model="gpt-image-2", priority=VARIANT)
def test_a_batch(client: Client) -> None:
    ids = [api.submitted(client) for _ in range(2)]
    for task_id in ids:
        api.ended(client, task_id)
    found = client.post(api.TASKS, {"action": "retrieve_batch", "ids": ids, "offset": 0, "limit": 10}).json()
    assert found.keys() == {"items", "count"}
    assert (found["count"], {item["id"] for item in found["items"]}) == (2, set(ids))


@claim("XH-TASK-2")
@mock_only
def test_a_batch_has_12_items_by_default(client: Client) -> None:
    ids = [api.submitted(client) for _ in range(13)]
    found = client.post(api.TASKS, {"action": "retrieve_batch", "ids": ids}).json()
    assert len(found["items"]) == 12


@claim("XH-TASK-1")
@paid(model="gpt-image-2", priority=VARIANT)
@pytest.mark.parametrize("selector", ["trace_ids", "application_id", "user_id", "created_at"])
def test_a_batch_by_another_selector(client: Client, selector: str) -> None:
    record = api.ended(client, api.submitted(client))
    times = {"created_at_min": record["created_at"] - 1, "created_at_max": record["created_at"] + 1}
    query = {"trace_ids": {"trace_ids": [record["trace_id"]]}, "created_at": times}.get(
        selector, {selector: record.get(selector)}
    )
    found = client.post(api.TASKS, {"action": "retrieve_batch", "limit": 100, **query}).json()
    assert record["id"] in [item["id"] for item in found["items"]]
    assert all(item.get(selector) == record[selector] for item in found["items"] if selector.endswith("_id"))


@claim("XH-TASK-1")
@mock_only
def test_what_a_batch_leaves_out(client: Client) -> None:
    kinds = {"images": "gpt-image-2", "images_generations": "dall-e-3"}
    records = {kind: api.ended(client, api.submitted(client, model=model)) for kind, model in kinds.items()}
    ids = [record["id"] for record in records.values()]

    def found(**query: Any) -> list[str]:
        body = client.post(api.TASKS, {"action": "retrieve_batch", **query}).json()
        return [item["id"] for item in body["items"]]

    for kind, record in records.items():
        assert found(ids=ids, type=kind) == [record["id"]]
    first = records["images"]
    assert first["id"] not in found(created_at_max=first["created_at"] - 1)
    assert first["id"] not in found(created_at_min=first["created_at"] + 1)
    assert found(user_id=first["user_id"] + "x") == found(application_id="x") == []


@claim("XH-TASK-2")
@mock_only
def test_the_order_and_the_bounds_of_a_batch(client: Client, control: Control) -> None:
    """In the order of `ids` or `trace_ids`, without them newest first; both bounds of the time are included."""
    records = []
    for _ in range(3):
        records.append(api.ended(client, api.submitted(client)))
        control.advance(10)
    ids, traces, times = ([record[name] for record in records] for name in ("id", "trace_id", "created_at"))

    def found(**query: Any) -> list[str]:
        body = client.post(api.TASKS, {"action": "retrieve_batch", **query}).json()
        return [item["id"] for item in body["items"]]

    mixed = [1, 0, 2]
    assert found(ids=[ids[place] for place in mixed]) == [ids[place] for place in mixed]
    assert found(trace_ids=[traces[place] for place in mixed]) == [ids[place] for place in mixed]
    assert found(user_id=records[0]["user_id"]) == ids[::-1]
    for task_id, time in zip(ids, times, strict=True):
        assert found(user_id=records[0]["user_id"], created_at_min=time, created_at_max=time) == [task_id]


@claim("XH-TASK-2")
@paid(model="gpt-image-2")
def test_a_sync_call_is_not_stored(client: Client) -> None:
    task_id = api.generated(client)["task_id"]
    assert api.retrieve(client, id=task_id).json() == {}


@claim("XH-TASK-1", "XH-TASK-2")
@paid(model="gpt-image-2")
def test_a_call_with_a_callback_is_stored(client: Client, hook: Hook) -> None:
    task_id = api.generate(client, callback_url=hook.url).json()["task_id"]
    assert api.ended(client, task_id)["id"] == task_id


@claim("XH-TASK-1")
@mock_only
def test_records_are_free(client: Client, control: Control) -> None:
    task_id = api.submitted(client)
    api.ended(client, task_id)
    for _ in range(5):
        api.retrieve(client, id=task_id)
    assert str(control.spent().normalize()) == "0.2"


@claim("XH-LAT-1")
@mock_only
@pytest.mark.parametrize(
    ("size", "entry"),
    [
        ("1024x1024", "gpt-image-2"),
        ("2048x2048", "gpt-image-2"),
        ("3264x2448", "gpt-image-2-4k"),
        ("3840x2160", "gpt-image-2-4k"),
        ("2880x2880", "gpt-image-2-4k"),
    ],
)
def test_documented_duration(slow_client: Client, slow_control: Control, size: str, entry: str) -> None:
    table = latencies()["xhuoapi"][entry]
    task = slow_control.task(api.submitted(slow_client, size=size))
    assert table["shortest"] <= task["due"] - task["created"] <= table["longest"]


@claim("XH-RESP-1", "XH-RESP-3")
@mock_only
def test_created_is_unix_seconds(client: Client) -> None:
    for model in ("gpt-image-2", "dall-e-3"):
        assert api.generated(client, model=model)["created"] == is_unix()
