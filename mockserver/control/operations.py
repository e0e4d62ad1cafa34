"""What each control call takes and answers, for its OpenAPI description. `routes.py` lists the calls themselves."""

from collections.abc import Mapping
from dataclasses import field
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from mockserver.control import answers, models
from mockserver.control.control_request import LARGEST_LIMIT, LONGEST_WAIT
from mockserver.control.live import WIDEST
from mockserver.engine.fast_dataclass import fast_dataclass
from mockserver.faults.base import kinds
from mockserver.faults.rules import Match, When
from mockserver.providers.operations import Operation, Query

_KINDS = tuple(kind for _, kind in sorted(kinds().items()))

_FAULT: Any = Annotated[reduce(or_, _KINDS), Field(discriminator="type")]

RuleBody: Any = create_model(
    "RuleBody",
    __base__=When,
    __doc__="A fault rule: the calls that it applies to, when, and one fault.",
    match=(Match, Match()),
    fault=(_FAULT, ...),
)


@fast_dataclass
class Call(Operation):
    """A control call. `errors` are those beyond the ones of every call: the codes by status."""

    errors: Mapping[int, str] = field(default_factory=dict)
    content_type: str = "application/json"


Empty = Literal[""]
"""A query parameter that is empty counts as absent."""

_KEYS = Query("api_key", "A key, or its hash; may be repeated.", list[str])
_PROVIDER = Query("provider", "A provider's name.")
_PAGE = (
    _PROVIDER,
    _KEYS,
    Query("limit", "Records of a page.", Annotated[int, Field(ge=1, le=LARGEST_LIMIT)] | Empty),
    Query("cursor", "The `next` of the page before."),
)
_WAIT = Query("wait", "Real seconds to wait for the outcome.", Annotated[float, Field(ge=0, le=LONGEST_WAIT)] | Empty)
_OF_PROVIDER = Query("provider", "A provider's name.", required=True)
_STATE = Query("state", "A state of callbacks.", Literal["waiting", "delivered", "gave_up", "captured", "lost", ""])
_STOPPING = {503: "stopping"}


def _ended(summary: str) -> Call:
    return Call(summary, {200: answers.Task}, requests=(models.TaskEnd,), errors={409: "has_ended"})


CALLS: Mapping[str, Call] = {
    "GET /_mock/health": Call(
        "That the server is there, what is pending, and what bounds dropped", {200: answers.Health}
    ),
    "GET /_mock/openapi.json": Call("This description", {200: answers.Description}, errors={501: "not_installed"}),
    "GET /_mock/requests.har": Call("Requests and callbacks as HAR 1.2", {200: answers.HarArchive}),
    "GET /_mock/metrics": Call(
        "Metrics for Prometheus", {200: bytes}, errors={501: "not_installed"}, content_type="text/plain"
    ),
    "GET /_mock/proxy": Call("The proxy for unmodified programs", {200: answers.Proxy}, errors={404: "no_proxy"}),
    "GET /_mock/clock": Call("The clock", {200: answers.Clock}),
    "PUT /_mock/clock": Call("Change the clock", {200: answers.Clock}, (models.ClockChange,)),
    "POST /_mock/clock/advance": Call(
        "Advance the clock, and run what falls due",
        {200: answers.Advanced},
        (models.Advance,),
        example={"seconds": 7},
        errors={409: "advance_under_way"},
    ),
    "GET /_mock/tasks": Call("Tasks, newest first", {200: answers.Tasks}, parameters=_PAGE),
    "GET /_mock/tasks/{id}": Call("A task", {200: answers.Task}),
    "GET /_mock/requests": Call(
        "Calls to providers, newest first",
        {200: answers.Requests},
        parameters=(*_PAGE, Query("view", "One row for each call.", Literal["summary", ""])),
    ),
    "GET /_mock/requests/{id}": Call("A call to a provider", {200: answers.Request}),
    "POST /_mock/requests/{id}/resend": Call(
        "Send a recorded call again",
        {200: answers.Resent},
        errors={409: "body_not_kept, not_resendable", 502: "not_sent"},
    ),
    "GET /_mock/callbacks": Call(
        "Callbacks, newest first",
        {200: answers.Callbacks},
        parameters=(*_PAGE, Query("task_id", "A task's id."), _STATE, _WAIT),
        errors=_STOPPING,
    ),
    "GET /_mock/callbacks/{id}": Call("A callback", {200: answers.Callback}, parameters=(_WAIT,), errors=_STOPPING),
    "POST /_mock/callbacks/{id}/redeliver": Call(
        "Deliver a callback again",
        {200: answers.Callback},
        parameters=(_WAIT,),
        errors={409: "still_waiting", **_STOPPING},
    ),
    "POST /_mock/tasks/{id}/complete": _ended("Complete a task by hand"),
    "POST /_mock/tasks/{id}/fail": _ended("Let a task fail, by an error code of its provider"),
    "POST /_mock/tasks/{id}/cancel": _ended("Cancel a task"),
    "GET /_mock/pictures/{id}/{index}": Call(
        "A completed task's picture",
        {200: bytes},
        parameters=(Query("width", "Pixels at most.", Annotated[int, Field(ge=1, le=WIDEST)] | Empty),),
        content_type="image/*",
    ),
    "GET /_mock/providers": Call("The providers", {200: answers.Providers}),
    "GET /_mock/fault-kinds": Call("The kinds of fault", {200: answers.FaultKinds}),
    "GET /_mock/advice": Call(
        "What clients do that would hurt in production",
        {200: answers.AdviceList},
        parameters=(_KEYS,),
    ),
    "GET /_mock/events": Call(
        "Server-sent events, without an end",
        {200: bytes},
        parameters=(Query("Last-Event-ID", "The last event that was received.", place="header"),),
        errors={503: "too_many_watchers"},
        content_type="text/event-stream",
    ),
    "GET /_mock/accounts": Call("Accounts", {200: answers.Accounts}, parameters=_PAGE),
    "GET /_mock/accounts/{key}": Call("An account", {200: answers.Account}, parameters=(_OF_PROVIDER,)),
    "PUT /_mock/accounts/{key}": Call(
        "Set balance, quota and rate limit",
        {200: answers.Account},
        (models.AccountChange,),
        parameters=(_OF_PROVIDER,),
        example={"balance": "5", "quota": "2.5", "rate_limit": {"requests": 2, "seconds": 60}},
    ),
    "GET /_mock/faults": Call("Fault rules", {200: answers.Rules}, parameters=(_KEYS,)),
    "POST /_mock/faults": Call(
        "Add a fault rule",
        {200: answers.Rule},
        (RuleBody,),
        example={"match": {"prompt": "fox"}, "times": 1, "fault": {"type": "status", "status": 429}},
    ),
    "DELETE /_mock/faults": Call("Remove every fault rule, or one key's", {200: answers.Removed}, parameters=(_KEYS,)),
    "GET /_mock/faults/{id}": Call("A fault rule", {200: answers.Rule}),
    "DELETE /_mock/faults/{id}": Call("Remove a fault rule", {200: answers.Rule}),
    "GET /_mock/routes": Call("The callback routes", {200: answers.RouteTable}),
    "PUT /_mock/routes": Call("Replace the callback routes", {200: answers.RouteTable}, (models.Routes,)),
    "POST /_mock/routes": Call(
        "Add a callback route",
        {200: answers.RouteTable},
        (models.RouteBody,),
        example={"from": "https://app.example.com", "to": "http://127.0.0.1:9000"},
    ),
    "DELETE /_mock/routes": Call(
        "Remove a callback route, or all of them",
        {200: answers.RouteTable},
        parameters=(Query("from", "The address that the route leads from."),),
    ),
    "GET /_mock/sink/{name}": Call("A built-in receiver", {200: answers.Sink}),
    "PUT /_mock/sink/{name}": Call(
        "Give a receiver a script",
        {200: answers.Sink},
        (models.SinkScript,),
        example={"responses": [500, {"status": 200, "delay": 11}]},
    ),
    "POST /_mock/sink/{name}": Call("Receive a callback: the answer is what the script says", {200: None}),
    "GET /_mock/snapshot": Call("The whole state", {200: answers.Snapshot}),
    "PUT /_mock/snapshot": Call("Restore a state", {200: answers.Clock}, (models.SnapshotBody,)),
    "POST /_mock/reset": Call("Forget everything, or one key's state", {200: answers.ResetDone}, (models.Reset,)),
}
