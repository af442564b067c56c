"""One Schemathesis run over a twin's own OpenAPI document, mirrored on the other twin."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
import schemathesis
from schemathesis import hooks
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import Status, events, from_schema

from benchmarks.fuzz.mirror import Difference, Mirror, shorten_waits

PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(frozen=True)
class Findings:
    """What a run saw. `answered`: requests by phase and status, the same number for each twin."""

    requests: int
    answered: Counter[tuple[str, int]]
    failures: list[str]
    """Checks that failed, each once, with a curl command that repeats it."""
    differences: list[Difference]

    def server_errors(self) -> int:
        """Answers of 500 and above."""
        return sum(count for (_, status), count in self.answered.items() if status >= 500)


def explore(url: str, other_url: str, *, seed: int, examples: int) -> Findings:
    """Run all phases against the twin at `url`; the one at `other_url` gets every request too.

    `examples`: generated cases per operation, and sequences of operations. Both twins must be on
    equal data, which the run changes.
    """
    mirror = Mirror(other_url)
    schema = _schema(url, seed, examples)
    schema.hooks.register_hook_with_name(mirror.after_call, "after_call")
    schema.hooks.register_hook_with_name(_is_a_finding, "filter_failure")
    failures: dict[str, str] = {}
    with _waits_shortened():
        for event in from_schema(schema).execute():
            failures |= _failures(event)
    return Findings(mirror.requests, mirror.answered, list(failures.values()), mirror.differences)


def _schema(url: str, seed: int, examples: int) -> Any:
    document = requests.get(f"{url}/openapi.json", timeout=30).json()
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig(seed=seed))
    schema.config.update(base_url=url, workers=1, request_timeout=60)
    schema.config.generation.update(max_examples=examples, no_shrink=True, database="none")
    return schema


def _is_a_finding(
    _: schemathesis.HookContext,
    failure: Failure,
    __: schemathesis.Case,
    response: schemathesis.Response,
) -> bool:
    """Schemathesis' hook: False for what OpenAPI has no words for.

    An item may be gone although nobody deleted it by its own path: statements delete items too.
    Rules across query parameters (a page number or a key, at least one condition) are checked by
    the models' own validators, whose errors are called `value_error`.
    """
    if "ensure_resource_availability" in failure.checks:
        return False
    if "positive_data_acceptance" not in failure.checks or response.status_code != 422:
        return True
    return {error["type"] for error in response.json().get("errors", ())} != {"value_error"}


@contextmanager
def _waits_shortened() -> Iterator[None]:
    """Hooks before a call are Schemathesis' global ones only."""
    schemathesis.hook("before_call")(shorten_waits)
    try:
        yield
    finally:
        hooks.unregister(shorten_waits)


def _failures(event: events.EngineEvent) -> dict[str, str]:
    """What went wrong, by a key under which the same finding comes once."""
    if isinstance(event, events.NonFatalError):
        return {f"{event.label} {event.info.title}": f"{event.label}: {event.info.message}"}
    if isinstance(event, events.FatalError):
        return {"fatal": repr(event.exception)}
    if not isinstance(event, events.ScenarioFinished) or event.status == Status.SUCCESS:
        return {}
    return {
        f"{check.failure_info.failure.operation} {check.name}": _told(check)
        for checks in event.recorder.checks.values()
        for check in checks
        if check.failure_info is not None
    }


def _told(check: Any) -> str:
    info = check.failure_info
    what = info.failure.message[:600]
    return f"{info.failure.operation}: {check.name}: {what}\n  {info.code_sample}"
