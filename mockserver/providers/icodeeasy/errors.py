"""icodeeasy: every error, by name (001, "Error responses"; IC-ERR-1, IC-ERR-2)."""

from typing import Any

from mockserver.engine.problems import Kind, Problem
from mockserver.http.refusals import Refusal, Refusals

PROVIDER_NAME = "icodeeasy.cc"
INVALID_TYPE = "invalid_request_error"
SERVER_TYPE = "server_error"


def _refusal(status: int, kind: str, message: str) -> Refusal:
    return Refusal(status, kind, message, kind)


INVALID_REQUEST = _refusal(400, INVALID_TYPE, "Invalid request")
AUTHENTICATION = _refusal(401, "authentication_error", "Missing or invalid API key")
PAYMENT_REQUIRED = _refusal(402, "payment_required", "Insufficient balance or exhausted monthly quota")
NOT_FOUND = _refusal(404, INVALID_TYPE, "Not found")
WRONG_METHOD = _refusal(405, INVALID_TYPE, "Method not allowed")
REQUEST_TIMEOUT = _refusal(408, INVALID_TYPE, "The request was not sent in time")
TOO_LARGE = _refusal(413, INVALID_TYPE, "Request body is too large")
RATE_LIMIT = _refusal(429, "rate_limit_error", "Rate limit exceeded")
GENERATION_FAILED = _refusal(500, SERVER_TYPE, "Image generation failed, retry later")
UNAVAILABLE = _refusal(503, SERVER_TYPE, "Service temporarily unavailable, retry later")
CONTENT_REFUSED = _refusal(400, INVALID_TYPE, "The content was refused by the safety review")
TASK_NOT_FOUND = _refusal(404, INVALID_TYPE, "Task not found")

REFUSALS: Refusals = {
    Kind.INVALID_PARAMETER: INVALID_REQUEST,
    Kind.UNSUPPORTED_BY_MODEL: INVALID_REQUEST,
    Kind.UNKNOWN_MODEL: INVALID_REQUEST,
    Kind.MALFORMED_BODY: INVALID_REQUEST,
    Kind.UNAUTHENTICATED: AUTHENTICATION,
    Kind.OUT_OF_BALANCE: PAYMENT_REQUIRED,
    Kind.UNKNOWN_PATH: NOT_FOUND,
    Kind.IMAGE_NOT_FOUND: NOT_FOUND,
    Kind.TASK_NOT_FOUND: TASK_NOT_FOUND,
    Kind.WRONG_METHOD: WRONG_METHOD,
    Kind.TOO_LARGE: TOO_LARGE,
    Kind.REQUEST_TIMEOUT: REQUEST_TIMEOUT,
    Kind.RATE_LIMITED: RATE_LIMIT,
    Kind.INTERNAL: GENERATION_FAILED,
    Kind.FAILED: GENERATION_FAILED,
    Kind.MODERATED: CONTENT_REFUSED,
    Kind.CANCELLED: GENERATION_FAILED,
    Kind.TIMED_OUT: GENERATION_FAILED,
    Kind.UNAVAILABLE: UNAVAILABLE,
}


def envelope(refusal: Refusal, problem: Problem, request_id: str) -> dict[str, Any]:
    """`{"error": {"type", "message", "provider"}}`."""
    return {"error": error_object(refusal, problem.detail)}


def error_object(refusal: Refusal, detail: str = "") -> dict[str, str]:
    message = f"{refusal.message}: {detail}" if detail else refusal.message
    return {"type": refusal.code, "message": message, "provider": PROVIDER_NAME}
