"""The errors in the OpenAPI document: what the layers around every endpoint can answer."""

from __future__ import annotations

from typing import Any

PROBLEM = "application/problem+json"
MEANINGS = {
    400: "The body cannot be read.",
    404: "There is no such item.",
    408: "The body did not arrive in time.",
    409: "The rows that exist do not allow it.",
    413: "The body is too large.",
    422: "A value is missing, out of range or unknown.",
    503: "The database is away or busy, or too many requests came at once.",
}
OWN_TAG = "service"
"""Operations of the app about itself that need no database."""
PROBLEM_SCHEMA: dict[str, Any] = {
    "title": "Problem",
    "description": "A problem document (RFC 9457).",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "description": "What is wrong with each value, the first ones only.",
            "type": "array",
            "items": {
                "type": "object",
                "required": ["loc", "msg", "type"],
                "properties": {
                    "loc": {"type": "array", "items": {"type": ["string", "integer"]}},
                    "msg": {"type": "string"},
                    "type": {"type": "string"},
                },
            },
        },
    },
}
RETRY_AFTER = {"description": "Seconds to wait.", "schema": {"type": "integer"}}


def problem(status: int) -> dict[str, Any]:
    """The declaration of one error, as an entry of an operation's `responses`."""
    content = {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    declared: dict[str, Any] = {"description": MEANINGS[status], "content": content}
    return {**declared, "headers": {"Retry-After": RETRY_AFTER}} if status == 503 else declared


MAY_BE_MISSING: dict[int | str, dict[str, Any]] = {404: problem(404)}
"""`responses` of an endpoint that looks for one item."""


def declare_errors(document: dict[str, Any]) -> dict[str, Any]:
    """Add to each operation what the layers around it answer, and the schema of a problem."""
    for operations in document["paths"].values():
        for method, operation in operations.items():
            for status in _statuses(method, operation):
                operation["responses"][str(status)] = problem(status)
    schemas = document["components"]["schemas"]
    for name in ("HTTPValidationError", "ValidationError"):  # FastAPI's own, not used here
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM_SCHEMA
    return document


def _statuses(method: str, operation: dict[str, Any]) -> list[int]:
    """Which errors an operation can answer beside those that its route declares."""
    with_body = "requestBody" in operation
    conditions = {
        400: with_body,
        408: method != "get",
        409: method != "get",
        413: method != "get",
        422: with_body or "parameters" in operation,
        503: OWN_TAG not in operation.get("tags", ()),
    }
    return [status for status, possible in conditions.items() if possible]
