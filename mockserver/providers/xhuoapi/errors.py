"""xhuoapi: every error, by name (000/003, "Error handling"; XH-ERR-1 to -5)."""

from typing import Any

from mockserver.engine.problems import Kind, Problem
from mockserver.http.refusals import Refusal, Refusals

TOKEN_MISMATCHED = Refusal(400, "token_mismatched", "The specified token is not matched with API.")
NOT_IMPLEMENTED = Refusal(400, "api_not_implemented", "The API is not implemented.")
BAD_REQUEST = Refusal(400, "bad_request", "Bad request.")
INVALID_TOKEN = Refusal(401, "invalid_token", "The specified token is invalid or wrong.")
FORBIDDEN = Refusal(403, "forbidden", "The content was refused by the safety system.")
LINK_FORBIDDEN = Refusal(403, "forbidden", "The signature of this link is wrong or has expired.")
USED_UP = Refusal(403, "used_up", "Your balance is used up.")
NO_API = Refusal(404, "no_api", "API does not exist, please make sure url is correct.")
NO_METHOD = Refusal(405, "no_api", "API does not exist, please make sure url is correct.")
NO_IMAGE = Refusal(404, "not_found", "The image does not exist.")
REQUEST_TIMEOUT = Refusal(408, "request_timeout", "The request was not sent in time.")
TOO_LARGE = Refusal(413, "request_too_large", "Request body is too large.")
TOO_MANY = Refusal(429, "too_many_requests", "You have exceeded the rate limit.")
API_ERROR = Refusal(500, "api_error", "Internal server error.")
UNAVAILABLE = Refusal(503, "api_error", "The service is unavailable at present.")
TIMEOUT = Refusal(504, "timeout", "Timeout to generate the image.")

REFUSALS: Refusals = {
    Kind.INVALID_PARAMETER: TOKEN_MISMATCHED,
    Kind.MALFORMED_BODY: TOKEN_MISMATCHED,
    Kind.UNKNOWN_MODEL: NOT_IMPLEMENTED,
    Kind.UNSUPPORTED_BY_MODEL: BAD_REQUEST,
    Kind.UNAUTHENTICATED: INVALID_TOKEN,
    Kind.MODERATED: FORBIDDEN,
    Kind.LINK_EXPIRED: LINK_FORBIDDEN,
    Kind.OUT_OF_BALANCE: USED_UP,
    Kind.UNKNOWN_PATH: NO_API,
    Kind.WRONG_METHOD: NO_METHOD,
    Kind.IMAGE_NOT_FOUND: NO_IMAGE,
    Kind.TOO_LARGE: TOO_LARGE,
    Kind.REQUEST_TIMEOUT: REQUEST_TIMEOUT,
    Kind.RATE_LIMITED: TOO_MANY,
    Kind.INTERNAL: API_ERROR,
    Kind.FAILED: API_ERROR,
    Kind.CANCELLED: API_ERROR,
    Kind.UNAVAILABLE: UNAVAILABLE,
    Kind.TIMED_OUT: TIMEOUT,
}


def error_object(refusal: Refusal, detail: str = "") -> dict[str, str]:
    """`{"code", "message"}`: the documented message, which goes on to say which and why."""
    return {"code": refusal.code, "message": f"{refusal.message} {detail}" if detail else refusal.message}


def envelope(refusal: Refusal, problem: Problem, trace_id: str) -> dict[str, Any]:
    """`{"success": false, "error": {"code", "message"}, "trace_id"}`."""
    return {"success": False, "error": error_object(refusal, problem.detail), "trace_id": trace_id}
