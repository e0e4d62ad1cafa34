"""The kinds of refusals and failures of every provider; a provider's `errors.py` gives each its code and message."""

from enum import StrEnum


class Kind(StrEnum):
    """Why a call is refused, or a generation failed."""

    UNKNOWN_PATH = "unknown_path"
    WRONG_METHOD = "wrong_method"
    UNAUTHENTICATED = "unauthenticated"
    RATE_LIMITED = "rate_limited"
    TOO_LARGE = "too_large"
    REQUEST_TIMEOUT = "request_timeout"
    MALFORMED_BODY = "malformed_body"
    UNKNOWN_MODEL = "unknown_model"
    MODEL_DENIED = "model_denied"
    INVALID_PARAMETER = "invalid_parameter"
    UNSUPPORTED_BY_MODEL = "unsupported_by_model"
    INVALID_TASK_ID = "invalid_task_id"
    TASK_NOT_FOUND = "task_not_found"
    NOT_YOURS = "not_yours"
    IMAGE_NOT_FOUND = "image_not_found"
    LINK_EXPIRED = "link_expired"
    CONFLICT = "conflict"
    OUT_OF_BALANCE = "out_of_balance"
    MODERATED = "moderated"
    FAILED = "failed"
    CANCELLED = "cancelled"
    TIMED_OUT = "timed_out"
    UNAVAILABLE = "unavailable"
    INTERNAL = "internal"


class Problem(Exception):
    """A refusal, to be answered in the provider's own error shape.

    Args:
        kind: what is wrong.
        detail: what exactly is wrong and what would be right; quotes at most a few characters of the input.
        field: the request field at fault, where there is one.
        retry_after: seconds after which the client may try again, for a temporary refusal.
        status: an HTTP status that overrides the kind's own (the trigger `[mock:status=…]` and the status fault).
        code: a provider's error code that overrides the kind's own (the trigger `[mock:fail=CODE]`).
    """

    def __init__(
        self,
        kind: Kind,
        detail: str = "",
        *,
        field: str | None = None,
        retry_after: float | None = None,
        status: int | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(kind.value, detail)
        self.kind = kind
        self.detail = detail
        self.field = field
        self.retry_after = retry_after
        self.status = status
        self.code = code


class StoreUnavailable(Problem):
    """The store can't be used: it is away, full, on a full disk, came back empty, or is of another form.

    Args:
        detail: what is wrong, in one sentence that names the store without its password.
    """

    def __init__(self, detail: str) -> None:
        super().__init__(Kind.UNAVAILABLE, detail)
