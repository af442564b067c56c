"""The async twin with a little more work of its own per request: KNOWN_EXTRA turns of a loop."""

from __future__ import annotations

import os
from typing import Any

from apps.async_app.main import app as twin

EXTRA = int(os.environ.get("KNOWN_EXTRA", "0"))
ASKED = b"x-known-extra"
"""Header by which one request asks for its own number: one process can then be both."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Work, then answer as the twin does."""
    if scope["type"] == "http":
        asked = next((value for name, value in scope["headers"] if name == ASKED), None)
        for _ in range(EXTRA if asked is None else int(asked)):
            pass
    await twin(scope, receive, send)
