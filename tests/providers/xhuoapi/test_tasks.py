"""xhuoapi: the tasks endpoint (XH-TASK-1, XH-TASK-2)."""

from typing import Any

import pytest
from conftest import Serve
from dirty_equals import IsFloat, IsStr, IsUUID

from support.calls import ASYNC, Caller
from support.errors import assert_xhuoapi_error

PATH = "/v1/openai/tasks"
TRACE = "0b8ddf1e-6a3c-4d2e-9a52-0123456789ab"
IDS = {
    "_id": IsStr(regex="[0-9a-f]{24}"),
    "application_id": IsUUID(4),
    "user_id": IsUUID(4),
    "credential_id": IsUUID(4),
}


def retrieve(caller: Caller, **query: Any) -> Any:
    answer = caller.post(PATH, {"action": "retrieve", **query})
    assert answer.status_code == 200, answer.text
    return answer.json()


def batch(caller: Caller, **query: Any) -> Any:
    answer = caller.post(PATH, {"action": "retrieve_batch", **query})
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
        **IDS,
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
def test_a_finished_task_contains_the_answer_of_the_sync_call(xhuoapi: Caller) -> None:
    start = xhuoapi.scene.now()
    task_id = submit(xhuoapi, prompt="[mock:delay=30] fox")
    xhuoapi.scene.advance(45)
    assert retrieve(xhuoapi, id=task_id) == {
        **IDS,
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
def test_a_failed_task_contains_its_error(xhuoapi: Caller, fields: dict[str, Any], code: str) -> None:
    record = retrieve(xhuoapi, id=submit(xhuoapi, **fields))
    assert record["response"] == {"success": False, "error": {"code": code, "message": IsStr(min_length=1)}}
    assert record["finished_at"] is not None
    assert xhuoapi.captured() == 0


@pytest.mark.claim("XH-TASK-2")
@pytest.mark.parametrize("model", ["gpt-image-2", "dall-e-3", "nano-banana", "gpt-image-1"])
def test_the_type_of_a_task(xhuoapi: Caller, model: str) -> None:
    xhuoapi.generate(model=model, **ASYNC)
    xhuoapi.edit(model=model, image="https://example.com/a.png", **ASYNC)
    edit, generation = (retrieve(xhuoapi, id=task["id"])["type"] for task in xhuoapi.tasks())
    assert generation == ("images" if model == "gpt-image-2" else "images_generations")
    assert edit == "images_edits"


@pytest.fixture
def keeping(serve: Serve) -> Caller:
    """A caller of a server that keeps sync calls for the tasks endpoint."""
    return Caller(serve(store_sync_tasks=True), "xhuoapi", "key")


@pytest.mark.claim("XH-TASK-2")
@pytest.mark.parametrize("fields", [{}, {"async": False}, {"callback_url": ""}, {"callback_url": None}])
@pytest.mark.parametrize("prompt", ["fox", "[mock:fail]"])
def test_a_sync_call_is_not_stored(xhuoapi: Caller, fields: dict[str, Any], prompt: str) -> None:
    xhuoapi.generate(trace_id=TRACE, prompt=prompt, **fields)
    xhuoapi.edit(prompt=prompt, image="https://example.com/a.png", **fields)
    ids = [task["id"] for task in xhuoapi.tasks()]
    assert [retrieve(xhuoapi, id=task_id) for task_id in ids] == [{}, {}]
    assert retrieve(xhuoapi, trace_id=TRACE) == {}
    for selector in ({"ids": ids}, {"trace_ids": [TRACE]}, {"created_at_min": 0}):
        assert batch(xhuoapi, **selector) == {"items": [], "count": 0}


@pytest.mark.claim("XH-TASK-2")
@pytest.mark.parametrize("fields", [{"async": True}, {"callback_url": "http://127.0.0.1:9/x"}])
def test_a_call_with_a_callback_or_async_is_stored(xhuoapi: Caller, fields: dict[str, Any]) -> None:
    task_id = submit(xhuoapi, trace_id=TRACE, **{"async": None, **fields})
    assert retrieve(xhuoapi, id=task_id)["id"] == retrieve(xhuoapi, trace_id=TRACE)["id"] == task_id


@pytest.mark.claim("XH-TASK-2")
def test_a_sync_call_is_stored_where_the_setting_says_so(keeping: Caller) -> None:
    answer = keeping.generate(model="dall-e-3", trace_id=TRACE)
    record = retrieve(keeping, trace_id=TRACE)
    assert record["response"] == answer.json()
    assert record["trace_id"] == TRACE


@pytest.mark.claim("XH-TASK-2")
def test_a_failed_sync_call_is_stored_where_the_setting_says_so(keeping: Caller) -> None:
    answer = keeping.generate(prompt="[mock:fail]", trace_id=TRACE)
    assert answer.json()["trace_id"] == TRACE
    assert retrieve(keeping, trace_id=TRACE)["response"] == {"success": False, "error": answer.json()["error"]}


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
    assert batch(xhuoapi, ids=[*ids, "unknown"]) == {
        "items": [retrieve(xhuoapi, id=task_id) for task_id in ids],
        "count": 3,
    }


@pytest.mark.claim("XH-TASK-1", "XH-TASK-2")
@pytest.mark.parametrize(
    ("query", "expected"),
    [({}, range(12)), ({"limit": 5}, range(5)), ({"offset": 10}, range(10, 14)), ({"offset": 3, "limit": 2}, (3, 4))],
)
def test_a_batch_is_paged_by_twelve_unless_told_otherwise(xhuoapi: Caller, query: Any, expected: Any) -> None:
    ids = [submit(xhuoapi) for _ in range(14)]
    found = batch(xhuoapi, ids=ids, **query)
    assert [item["id"] for item in found["items"]] == [ids[index] for index in expected]
    assert found["count"] == 14


@pytest.mark.claim("XH-TASK-2")
def test_a_batch_leaves_out_other_keys_tasks(xhuoapi: Caller) -> None:
    ids = [submit(xhuoapi), submit(xhuoapi.keyed(xhuoapi.key + "-other"))]
    assert by(xhuoapi, ids=ids) == ids[:1]


def by(caller: Caller, **query: Any) -> list[str]:
    """The ids of a batch's items, all of which are on its page."""
    found = batch(caller, **query)
    ids = [item["id"] for item in found["items"]]
    assert found["count"] == len(ids)
    return ids


@pytest.mark.claim("XH-TASK-1")
def test_a_batch_by_each_of_its_selectors(serve: Serve) -> None:
    scene = serve()
    caller, other = Caller(scene, "xhuoapi", "key"), Caller(scene, "xhuoapi", "other")
    ids, start = [], scene.now()
    for number in range(3):
        ids.append(submit(caller, trace_id=f"trace-{number}"))
        submit(other, trace_id=f"trace-{number}")
        scene.advance(10)
    newest_first = ids[::-1]
    record = retrieve(caller, id=ids[0])
    assert by(caller, trace_ids=["trace-2", "trace-0", "trace-9"]) == [ids[2], ids[0]]
    assert by(caller, application_id=record["application_id"]) == newest_first
    assert by(caller, user_id=record["user_id"]) == newest_first
    assert by(caller, user_id=retrieve(other, trace_id="trace-0")["user_id"]) == []
    assert by(caller, application_id="") == []
    assert by(caller, created_at_min=start + 10) == [ids[2], ids[1]]
    assert by(caller, created_at_max=start + 10) == [ids[1], ids[0]]
    assert by(caller, created_at_min=start + 10, created_at_max=start + 10) == [ids[1]]
    assert by(caller, created_at_min=start + 10.001, created_at_max=start + 19) == []
    assert by(caller, ids=ids, created_at_min=start + 20) == [ids[2]]
    assert by(caller, ids=ids[:2], trace_ids=["trace-2", "trace-1"]) == ids[:2] + ids[2:]


@pytest.mark.claim("XH-TASK-1")
def test_the_ids_of_an_owner_are_those_of_the_key(xhuoapi: Caller) -> None:
    one, two = (retrieve(xhuoapi, id=submit(xhuoapi)) for _ in range(2))
    other = xhuoapi.keyed(xhuoapi.key + "-other")
    third = retrieve(other, id=submit(other))
    assert one["_id"] != two["_id"]
    for name in ("application_id", "user_id", "credential_id"):
        assert one[name] == two[name] != third[name]


@pytest.mark.claim("XH-TASK-1", "XH-TASK-2")
def test_a_batch_of_one_type(xhuoapi: Caller) -> None:
    kinds = {
        "images": submit(xhuoapi),
        "images_generations": submit(xhuoapi, model="dall-e-3"),
        "images_edits": xhuoapi.edit(image="https://example.com/a.png", **ASYNC).json()["task_id"],
    }
    for kind, task_id in kinds.items():
        assert by(xhuoapi, type=kind, created_at_min=0) == by(xhuoapi, type=kind, ids=[*kinds.values()]) == [task_id]
    assert by(xhuoapi, type="audio", created_at_min=0) == []


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
        {"action": "retrieve_batch", "type": "images"},
        {"action": "retrieve_batch", "ids": None, "created_at_min": None},
        {"action": "retrieve_batch", "created_at_min": "1"},
        {"action": "retrieve_batch", "created_at_max": True},
        {"action": "retrieve_batch", "user_id": 5},
        {"action": "retrieve_batch", "trace_ids": "x"},
        {"action": "retrieve_batch", "ids": ["x"] * 1001},
        {"action": "retrieve_batch", "trace_ids": ["x"] * 1001},
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
    task_id = xhuoapi.edit(model="gpt-image-2", image=[data], **ASYNC).json()["task_id"]
    assert retrieve(xhuoapi, id=task_id)["request"]["image"][0].startswith("data:image/png;base64,")
