"""xhuoapi: the tasks endpoint (XH-TASK-1, XH-TASK-2)."""

from typing import Any

import pytest
from dirty_equals import IsFloat, IsStr, IsUUID

from support.calls import ASYNC, Caller
from support.errors import assert_xhuoapi_error

PATH = "/v1/openai/tasks"
TRACE = "0b8ddf1e-6a3c-4d2e-9a52-0123456789ab"


def retrieve(caller: Caller, **query: Any) -> Any:
    answer = caller.post(PATH, {"action": "retrieve", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def submit(caller: Caller, **fields: Any) -> str:
    task_id: str = caller.generate(**{**ASYNC, **fields}).json()["task_id"]
    return task_id


@pytest.mark.claim("XH-TASK-1", "XH-TASK-2")
def test_a_pending_task(xhuoapi: Caller) -> None:
    start = xhuoapi.scene.now()
    task_id = submit(xhuoapi, prompt="[mock:delay=30] fox", size="1536x1024")
    assert retrieve(xhuoapi, id=task_id) == {
        "id": task_id,
        "trace_id": IsUUID(4),
        "type": "images",
        "created_at": IsFloat(ge=start, le=start),
        "finished_at": None,
        "duration": None,
        "elapsed": None,
        "request": {"model": "gpt-image-2", "prompt": "[mock:delay=30] fox", "size": "1536x1024", "async": True},
        "response": None,
    }


@pytest.mark.claim("XH-TASK-1", "XH-TASK-2")
def test_a_finished_task_bears_the_flat_answer(xhuoapi: Caller) -> None:
    start = xhuoapi.scene.now()
    task_id = submit(xhuoapi, prompt="[mock:delay=30] fox")
    xhuoapi.scene.advance(45)
    assert retrieve(xhuoapi, id=task_id) == {
        "id": task_id,
        "trace_id": IsUUID(4),
        "type": "images",
        "created_at": start,
        "finished_at": start + 30,
        "duration": 30.0,
        "elapsed": 30.0,
        "request": {"model": "gpt-image-2", "prompt": "[mock:delay=30] fox", "async": True},
        "response": {
            "success": True,
            "task_id": task_id,
            "created": int(start + 30),
            "data": [
                {
                    "revised_prompt": "[mock:delay=30] fox",
                    "url": f"{xhuoapi.scene.root}/xhuoapi/gpt-image/{task_id}_0.png",
                }
            ],
        },
    }


@pytest.mark.claim("XH-TASK-1", "XH-SIZE-9")
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"prompt": "[mock:fail]"}, "api_error"),
        ({"prompt": "[mock:moderated]"}, "forbidden"),
        ({"prompt": "[mock:fail=timeout]"}, "timeout"),
        ({"size": "800x600"}, "bad_request"),
    ],
)
def test_a_failed_task_bears_its_error(xhuoapi: Caller, fields: dict[str, Any], code: str) -> None:
    record = retrieve(xhuoapi, id=submit(xhuoapi, **fields))
    assert record["response"] == {"success": False, "error": {"code": code, "message": IsStr(min_length=1)}}
    assert record["finished_at"] is not None
    assert xhuoapi.captured() == 0


@pytest.mark.claim("XH-TASK-2")
@pytest.mark.parametrize("model", ["gpt-image-2", "dall-e-3", "nano-banana", "gpt-image-1"])
def test_the_type_of_a_task(xhuoapi: Caller, model: str) -> None:
    xhuoapi.generate(model=model)
    xhuoapi.edit(model=model, image="https://example.com/a.png")
    edit, generation = (retrieve(xhuoapi, id=task["id"])["type"] for task in xhuoapi.tasks())
    assert generation == ("images" if model == "gpt-image-2" else "images_generations")
    assert edit == "images_edits"


@pytest.mark.claim("XH-TASK-2")
def test_a_waiting_call_is_on_record_too(xhuoapi: Caller) -> None:
    answer = xhuoapi.generate(model="dall-e-3", trace_id=TRACE)
    record = retrieve(xhuoapi, trace_id=TRACE)
    assert record["response"] == answer.json()
    assert record["trace_id"] == TRACE


@pytest.mark.claim("XH-TASK-2")
def test_a_failed_waiting_call_is_on_record_too(xhuoapi: Caller) -> None:
    answer = xhuoapi.generate(prompt="[mock:fail]", trace_id=TRACE)
    assert answer.json()["trace_id"] == TRACE
    assert retrieve(xhuoapi, trace_id=TRACE)["response"] == {"success": False, "error": answer.json()["error"]}


@pytest.mark.claim("XH-TASK-2")
def test_a_trace_id_goes_before_an_id(xhuoapi: Caller) -> None:
    one, two = submit(xhuoapi, trace_id=TRACE), submit(xhuoapi)
    assert retrieve(xhuoapi, id=two, trace_id=TRACE)["id"] == one
    assert retrieve(xhuoapi, id=two, trace_id="unknown") == {}
    assert retrieve(xhuoapi, id=two, trace_id=None)["id"] == two


@pytest.mark.claim("XH-TASK-1", "XH-TASK-2")
def test_an_unknown_task_and_another_keys_are_empty(xhuoapi: Caller) -> None:
    task_id = submit(xhuoapi, trace_id=TRACE)
    other = xhuoapi.keyed(xhuoapi.key + "-other")
    assert retrieve(xhuoapi, id="00000000-0000-4000-8000-000000000000") == {}
    assert retrieve(other, id=task_id) == {}
    assert retrieve(other, trace_id=TRACE) == {}


@pytest.mark.claim("XH-TASK-1")
def test_a_batch_has_items_and_their_count(xhuoapi: Caller) -> None:
    ids = [submit(xhuoapi) for _ in range(3)]
    batch = xhuoapi.post(PATH, {"action": "retrieve_batch", "ids": [*ids, "unknown"]}).json()
    assert batch == {"items": [retrieve(xhuoapi, id=task_id) for task_id in ids], "count": 3}


@pytest.mark.claim("XH-TASK-1", "XH-TASK-2")
@pytest.mark.parametrize(
    ("query", "expected"),
    [({}, range(12)), ({"limit": 5}, range(5)), ({"offset": 10}, range(10, 14)), ({"offset": 3, "limit": 2}, (3, 4))],
)
def test_a_batch_is_paged_by_twelve_unless_told_otherwise(xhuoapi: Caller, query: Any, expected: Any) -> None:
    ids = [submit(xhuoapi) for _ in range(14)]
    batch = xhuoapi.post(PATH, {"action": "retrieve_batch", "ids": ids, **query}).json()
    assert [item["id"] for item in batch["items"]] == [ids[index] for index in expected]
    assert batch["count"] == 14


@pytest.mark.claim("XH-TASK-2")
def test_a_batch_leaves_out_other_keys_tasks(xhuoapi: Caller) -> None:
    ids = [submit(xhuoapi), submit(xhuoapi.keyed(xhuoapi.key + "-other"))]
    batch = xhuoapi.post(PATH, {"action": "retrieve_batch", "ids": ids}).json()
    assert ([item["id"] for item in batch["items"]], batch["count"]) == (ids[:1], 1)


@pytest.mark.claim("XH-TASK-2", "ALL-TYPE-1")
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"action": "retrieve"},
        {"action": "retrieve", "id": None},
        {"action": "delete", "id": "x"},
        {"action": "RETRIEVE", "id": "x"},
        {"id": "x"},
        {"action": "retrieve", "id": 5},
        {"action": 5, "id": "x"},
        {"action": "retrieve_batch"},
        {"action": "retrieve_batch", "ids": "x"},
        {"action": "retrieve_batch", "ids": [5]},
        {"action": "retrieve_batch", "ids": [], "limit": -1},
        {"action": "retrieve_batch", "ids": [], "limit": "5"},
        {"action": "retrieve_batch", "ids": [], "offset": -1},
    ],
)
def test_a_query_without_a_task_or_a_known_action_is_refused(xhuoapi: Caller, query: dict[str, Any]) -> None:
    assert_xhuoapi_error(xhuoapi.post(PATH, query), 400, "token_mismatched")


@pytest.mark.claim("XH-TASK-1")
def test_the_query_is_free(xhuoapi: Caller) -> None:
    task_id = submit(xhuoapi)
    before = xhuoapi.money()
    retrieve(xhuoapi, id=task_id)
    assert xhuoapi.money() == before
    assert len(xhuoapi.tasks()) == 1


@pytest.mark.claim("XH-TASK-1")
def test_pictures_sent_inside_a_request_are_not_sent_back_in_full(xhuoapi: Caller) -> None:
    from base64 import b64encode

    from support.calls import fixture

    data = "data:image/png;base64," + b64encode(fixture("reference.png")).decode()
    task_id = xhuoapi.edit(model="gpt-image-2", image=[data]).json()["task_id"]
    assert retrieve(xhuoapi, id=task_id)["request"]["image"][0].startswith("data:image/png;base64,")
