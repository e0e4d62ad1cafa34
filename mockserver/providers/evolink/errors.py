"""evolink: every error, by name (EV-ERR-1, -2, -3, EV-TASK-3)."""

from typing import Any

from mockserver.engine.problems import Kind, Problem
from mockserver.http.refusals import Refusal, Refusals

INVALID = "invalid_request_error"
INVALID_REQUEST = Refusal(400, "invalid_request", "Invalid request parameters", INVALID)
UNAUTHORIZED = Refusal(401, "unauthorized", "Invalid or expired token", "authentication_error")
INSUFFICIENT_QUOTA = Refusal(402, "insufficient_quota", "Insufficient quota", "insufficient_quota")
MODEL_DENIED = Refusal(403, "model_access_denied", "No access to this model", INVALID)
RATE_LIMIT = Refusal(429, "rate_limit_exceeded", "Rate limit exceeded", "rate_limit_error")
INTERNAL = Refusal(500, "internal_error", "Internal server error", "api_error")
UNAVAILABLE = Refusal(503, "service_unavailable", "Service temporarily unavailable", "api_error")
TOO_LARGE = Refusal(413, "request_too_large", "Request body is too large", INVALID)
REQUEST_TIMEOUT = Refusal(408, "invalid_request", "The request was not sent in time", INVALID)
UNKNOWN_PATH = Refusal(404, "invalid_request", "Unknown request URL", INVALID)
WRONG_METHOD = Refusal(405, "invalid_request", "Method not allowed", INVALID)
CONFLICT = Refusal(409, "idempotency_conflict", "Idempotency-Key was used with another request body", INVALID)
IMAGE_NOT_FOUND = Refusal(404, "file_not_found", "File not found or expired", INVALID)
TASK_NOT_FOUND = Refusal(404, "task_not_found", "Task not found", INVALID)
NOT_YOURS = Refusal(403, "permission_denied", "No permission to access this task", INVALID)
INVALID_TASK_ID = Refusal(400, "invalid_task_id", "Invalid task ID format, must start with 'task-unified-'", INVALID)

REFUSALS: Refusals = {
    Kind.INVALID_PARAMETER: INVALID_REQUEST,
    Kind.UNSUPPORTED_BY_MODEL: INVALID_REQUEST,
    Kind.UNKNOWN_MODEL: INVALID_REQUEST,
    Kind.MALFORMED_BODY: INVALID_REQUEST,
    Kind.UNAUTHENTICATED: UNAUTHORIZED,
    Kind.OUT_OF_BALANCE: INSUFFICIENT_QUOTA,
    Kind.MODEL_DENIED: MODEL_DENIED,
    Kind.UNKNOWN_PATH: UNKNOWN_PATH,
    Kind.WRONG_METHOD: WRONG_METHOD,
    Kind.CONFLICT: CONFLICT,
    Kind.TOO_LARGE: TOO_LARGE,
    Kind.REQUEST_TIMEOUT: REQUEST_TIMEOUT,
    Kind.RATE_LIMITED: RATE_LIMIT,
    Kind.INTERNAL: INTERNAL,
    Kind.UNAVAILABLE: UNAVAILABLE,
    Kind.IMAGE_NOT_FOUND: IMAGE_NOT_FOUND,
    Kind.LINK_EXPIRED: IMAGE_NOT_FOUND,
    Kind.TASK_NOT_FOUND: TASK_NOT_FOUND,
    Kind.NOT_YOURS: NOT_YOURS,
    Kind.INVALID_TASK_ID: INVALID_TASK_ID,
}

TASK_QUERY: Refusals = {
    Kind.UNAUTHENTICATED: Refusal(401, "unauthorized", "Authentication required", "authentication_error"),
    Kind.OUT_OF_BALANCE: Refusal(402, "quota_exceeded", "Insufficient quota", "insufficient_quota"),
    Kind.RATE_LIMITED: Refusal(429, "rate_limit_exceeded", "Rate limit exceeded", "evo_api_error"),
}
"""What the task routes answer differently (EV-ERR-3)."""

CANCEL: Refusals = {**TASK_QUERY, Kind.CONFLICT: INVALID_REQUEST}
"""A task that has ended is not cancelled: 400 (EV-TASK-4)."""

TASK_ERROR = "task_error"

FAILURES: Refusals = {
    Kind.FAILED: Refusal(500, "service_error", "The service failed to process this task", TASK_ERROR),
    Kind.MODERATED: Refusal(400, "content_policy_violation", "The content violates the content policy", TASK_ERROR),
    Kind.CANCELLED: Refusal(400, "request_cancelled", "The request was cancelled", TASK_ERROR),
    Kind.TIMED_OUT: Refusal(504, "generation_timeout", "The generation timed out", TASK_ERROR),
    Kind.UNAVAILABLE: Refusal(503, "resource_exhausted", "No resources available at present", TASK_ERROR),
    "invalid_parameters": Refusal(400, "invalid_parameters", "Invalid parameters", TASK_ERROR),
    "image_processing_error": Refusal(400, "image_processing_error", "An image could not be processed", TASK_ERROR),
    "image_dimension_mismatch": Refusal(400, "image_dimension_mismatch", "The image dimensions differ", TASK_ERROR),
}


def envelope(refusal: Refusal, problem: Problem, request_id: str) -> dict[str, Any]:
    """`{"error": {"code", "message", "type", "param"?}}`; the message goes on to say which and why."""
    message = f"{refusal.message}: {problem.detail}" if problem.detail else refusal.message
    error = {"code": refusal.code, "message": message, "type": refusal.type}
    if problem.field is not None:
        error["param"] = problem.field
    return {"error": error}
