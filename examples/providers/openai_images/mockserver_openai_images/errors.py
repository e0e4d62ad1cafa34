"""openai_images: every error, by name (OI-ERR-1, OI-ERR-2)."""

from typing import Any

from mockserver.engine.problems import Kind, Problem
from mockserver.http.refusals import Refusal, Refusals

INVALID = "invalid_request_error"
INVALID_VALUE = Refusal(400, "invalid_value", "Invalid value", INVALID)
MISSING = Refusal(400, "missing_required_parameter", "Missing required parameter", INVALID)
UNKNOWN_PARAMETER = Refusal(400, "unknown_parameter", "Unknown parameter", INVALID)
MALFORMED = Refusal(400, "", "We could not parse the body of your request", INVALID)
INVALID_KEY = Refusal(401, "invalid_api_key", "Incorrect API key provided", INVALID)
QUOTA = Refusal(429, "insufficient_quota", "You exceeded your current quota", "insufficient_quota")
RATE_LIMIT = Refusal(429, "rate_limit_exceeded", "Rate limit reached", "requests")
MODERATION = Refusal(
    400, "moderation_blocked", "Your request was rejected by the safety system", "image_generation_user_error"
)
UNKNOWN_URL = Refusal(404, "unknown_url", "Invalid URL", INVALID)
NO_IMAGE = Refusal(404, "", "The image does not exist", INVALID)
LINK_EXPIRED = Refusal(403, "", "This link has expired", INVALID)
WRONG_METHOD = Refusal(405, "method_not_supported", "Not allowed on this endpoint", INVALID)
SLOW_BODY = Refusal(408, "", "The request took too long to arrive", INVALID)
TOO_LARGE = Refusal(413, "", "The request is larger than allowed", INVALID)
SERVER_ERROR = Refusal(500, "server_error", "The server had an error while processing your request", "server_error")
UNAVAILABLE = Refusal(503, "service_unavailable", "The engine is currently overloaded", "server_error")

REFUSALS: Refusals = {
    Kind.INVALID_PARAMETER: INVALID_VALUE,
    Kind.UNKNOWN_MODEL: INVALID_VALUE,
    Kind.UNSUPPORTED_BY_MODEL: INVALID_VALUE,
    Kind.MALFORMED_BODY: MALFORMED,
    Kind.UNAUTHENTICATED: INVALID_KEY,
    Kind.RATE_LIMITED: RATE_LIMIT,
    Kind.OUT_OF_BALANCE: QUOTA,
    Kind.MODERATED: MODERATION,
    Kind.UNKNOWN_PATH: UNKNOWN_URL,
    Kind.IMAGE_NOT_FOUND: NO_IMAGE,
    Kind.LINK_EXPIRED: LINK_EXPIRED,
    Kind.WRONG_METHOD: WRONG_METHOD,
    Kind.REQUEST_TIMEOUT: SLOW_BODY,
    Kind.TOO_LARGE: TOO_LARGE,
    Kind.INTERNAL: SERVER_ERROR,
    Kind.FAILED: SERVER_ERROR,
    Kind.CANCELLED: SERVER_ERROR,
    Kind.TIMED_OUT: SERVER_ERROR,
    Kind.UNAVAILABLE: UNAVAILABLE,
    "missing_required_parameter": MISSING,
    "unknown_parameter": UNKNOWN_PARAMETER,
}


def envelope(refusal: Refusal, problem: Problem, request_id: str) -> dict[str, Any]:
    """`{"error": {"message", "type", "param", "code"}}`; param and code may be null."""
    message = f"{refusal.message}: {problem.detail}" if problem.detail else f"{refusal.message}."
    error = {"message": message, "type": refusal.type, "param": problem.field, "code": refusal.code or None}
    return {"error": error}
