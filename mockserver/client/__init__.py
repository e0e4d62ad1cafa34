"""A typed client of the control surface: `MockClient` for blocking code, `AsyncMockClient` for asyncio."""

from mockserver.client.asynchronous.client import AsyncMockClient
from mockserver.client.mock_client import MockClient
from mockserver.client.models import (
    Advanced,
    Advice,
    Attempt,
    Callback,
    Clock,
    Defect,
    Ran,
    Received,
    Request,
    Resent,
    Rule,
    Sink,
    Task,
)
from mockserver.client.money import Account, RateLimit, Usage
from mockserver.client.protocol import MockError
from mockserver.client.waiting import NotDelivered

__all__ = [
    "Account",
    "Advanced",
    "Advice",
    "AsyncMockClient",
    "Attempt",
    "Callback",
    "Clock",
    "Defect",
    "MockClient",
    "MockError",
    "NotDelivered",
    "Ran",
    "RateLimit",
    "Received",
    "Request",
    "Resent",
    "Rule",
    "Sink",
    "Task",
    "Usage",
]
