"""icodeeasy: async calls, the task query, and the files behind the links."""

import re
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest

from ..client import Client
from ..library import latencies
from ..marks import CORE, claim, mock_only, paid
from ..mock import Control
from ..shapes import is_uuid
from . import api

DAY = 24 * 3600
YEAR = 365 * DAY


@claim("IC-ASYNC-1")
@paid(priority=CORE)
@pytest.mark.parametrize("value", ["1", "true", "yes"])
def test_an_async_call_answers_at_once(client: Client, value: str) -> None:
    answer = client.post(api.GENERATIONS, api.body(), **{"async": value})
    assert (answer.status, answer.json()) == (202, {"status": "pending", "task_id": is_uuid()})
    assert answer.elapsed < latencies()["icodeeasy"]["async"]["longest"]


@claim("IC-ASYNC-1", "IC-TASK-1")
@mock_only
def test_an_async_call_does_not_wait(client: Client, control: Control) -> None:
    task_id = api.submitted(client, prompt="[mock:delay=100]")
    pending = api.task(client, task_id).json()
    assert pending == {"task_id": task_id, "status": "pending", "model": "gpt-image-2", "cost": 0}
    control.advance(100)
    assert api.task(client, task_id).json()["status"] == "completed"


@claim("IC-TASK-1", "IC-BILL-1", "IC-FILE-1")
@paid(priority=CORE)
def test_a_completed_task(client: Client) -> None:
    task_id = api.submitted(client)
    assert api.ended(client, task_id) == {
        "task_id": task_id,
        "status": "completed",
        "model": "gpt-image-2",
        "cost": 0.2,
        "result_url": api.file_url(task_id),
    }


@claim("IC-TASK-1", "IC-BILL-1", "IC-QUAL-1")
@paid(priority=CORE, quality="$quality")
@pytest.mark.parametrize(("quality", "cost"), [("low", 0.1), ("medium", 0.2), ("auto", 0.2), ("high", 0.4)])
def test_a_task_shows_its_cost(client: Client, quality: str, cost: float) -> None:
    assert api.ended(client, api.submitted(client, quality=quality))["cost"] == cost


@claim("IC-TASK-1", "IC-N-1", "IC-BILL-1")
@mock_only
def test_a_task_of_several_pictures(client: Client) -> None:
    task_id = api.submitted(client, n=3, quality="high")
    found = api.ended(client, task_id)
    assert (found["cost"], found["result_url"]) == (1.2, api.file_url(task_id))
    assert found["data"] == [{"url": api.file_url(task_id, seq)} for seq in (1, 2, 3)]


@claim("IC-TASK-1", "IC-AUTH-1")
@paid()
def test_the_query_needs_the_key(client: Client) -> None:
    answer = api.task(client.with_key(None), api.submitted(client))
    assert (answer.status, answer.json()) == (401, api.error("authentication_error"))


@claim("IC-TASK-1", "IC-ERR-2", "IC-BILL-2")
@mock_only
@pytest.mark.parametrize(
    ("directive", "kind"), [("[mock:fail]", "server_error"), ("[mock:moderated]", "invalid_request_error")]
)
def test_a_failed_task(client: Client, control: Control, directive: str, kind: str) -> None:
    task_id = api.submitted(client, prompt=directive)
    found = api.ended(client, task_id)
    expected = {"task_id": task_id, "status": "failed", "model": "gpt-image-2", "cost": 0, **api.error(kind)}
    assert found == expected
    assert control.spent() == 0


@claim("IC-TASK-3")
@paid()
def test_a_sync_answer_has_a_task_id(client: Client) -> None:
    found = api.generated(client)
    assert found["id"] == is_uuid()
    if client.is_mock:
        assert api.task(client, found["id"]).json()["result_url"] == found["data"][0]["url"]


@claim("IC-FILE-1", "IC-FILE-3")
@paid(n=2)
def test_the_path_of_a_link(client: Client) -> None:
    found = api.generated(client, n=2)
    paths = [urlsplit(one["url"]).path for one in found["data"]]
    days = [
        re.fullmatch(rf".*/files/gpt-image-2/(\d{{8}})/{found['id']}-{seq}\.png", path)
        for seq, path in enumerate(paths, 1)
    ]
    assert all(days), paths


@claim("IC-FILE-1")
@mock_only
def test_the_day_of_a_link(client: Client, control: Control) -> None:
    """On a day that is no number of a month, so that YYYYMMDD cannot be YYYYDDMM."""
    today = datetime.fromtimestamp(api.generated(client)["created"], UTC).day
    control.advance(((20 - today) % 28) * DAY)
    found = api.generated(client)
    day = f"{datetime.fromtimestamp(found['created'], UTC):%Y%m%d}"
    assert urlsplit(found["data"][0]["url"]).path.endswith(f"/files/gpt-image-2/{day}/{found['id']}-1.png")


@claim("IC-FILE-2", "IC-FILE-3")
@paid(priority=CORE)
def test_a_link_leads_to_the_picture_without_a_key(client: Client) -> None:
    url = api.generated(client)["data"][0]["url"]
    answer = client.fetch(url)
    assert answer.status == 302, answer
    assert answer.headers["location"]
    assert client.picture(url).format == "PNG"


@claim("IC-FILE-2")
@paid()
def test_a_download_is_forced(client: Client) -> None:
    answer = client.fetch(api.generated(client)["data"][0]["url"], download="1")
    for _ in range(3):
        if "location" in answer.headers:
            answer = client.fetch(_joined(client, answer.headers["location"]))
    assert answer.status == 200
    assert answer.headers.get("content-disposition", "").startswith("attachment")


def _joined(client: Client, location: str) -> str:
    if location.startswith("/"):
        parts = urlsplit(client.target.base_url)
        return f"{parts.scheme}://{parts.netloc}{location}"
    return location


@claim("IC-FILE-3")
@mock_only
def test_links_live_long_and_are_shown_inline(client: Client, control: Control) -> None:
    url = api.generated(client)["data"][0]["url"]
    control.advance(YEAR)
    shown = client.fetch(_joined(client, client.fetch(url).headers["location"]))
    assert (shown.status, shown.content_type) == (200, "image/png")
    assert not shown.headers.get("content-disposition", "").startswith("attachment")


@claim("IC-LAT-1")
@mock_only
def test_documented_duration(slow_client: Client, slow_control: Control) -> None:
    table = latencies()["icodeeasy"]["gpt-image-2"]
    task = slow_control.task(api.submitted(slow_client))
    assert table["shortest"] <= task["due"] - task["created"] <= table["longest"]


@claim("IC-LAT-1")
@mock_only
@pytest.mark.parametrize(
    "more",
    [{"resolution": "2k"}, {"n": 4}, {"image_urls": ["https://example.com/a.png"]}],
    ids=["2k", "n", "reference"],
)
def test_more_work_takes_longer(slow_client: Client, slow_control: Control, more: dict[str, object]) -> None:
    plain = slow_control.task(api.submitted(slow_client))
    slow_control.forget()
    task = slow_control.task(api.submitted(slow_client, **more))
    longest = latencies()["icodeeasy"]["gpt-image-2"]["client_timeout"]
    assert plain["due"] - plain["created"] < task["due"] - task["created"] <= longest
