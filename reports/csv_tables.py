"""PURE: a summary's results, comparisons and checks as CSV, number for number as in `summary.json`.

RFC 4180: a header line, CRLF, quotes where they are needed; UTF-8. A column's name is its path in
`summary.json`; the two ends of an interval stand in columns of their own, several reasons in one. A
number that does not exist is an empty field.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from typing import Any

from reports.model import (
    Comparison,
    GateResult,
    LatencyMs,
    Outlook,
    Result,
    SplitMs,
    Spread,
    Summary,
)

TABLES = {"results": Result, "comparisons": Comparison, "gates": GateResult}
"""Of each scenario, by their key in `summary.json`."""
NESTED = {
    "response_ms": LatencyMs,
    "service_ms": LatencyMs,
    "split_ms": SplitMs,
    "spread": Spread,
    "outlook": Outlook,
}
INTERVALS = frozenset({"ci95_pct"})
ENDS = ("low", "high")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes a text for a formula by (OWASP, "CSV Injection")."""

Field = str | int | float


def csv_files(summary: Summary) -> dict[str, bytes]:
    """Each table's file name and content."""
    scenarios = summary.to_json()["scenarios"]
    return {
        f"{table}.csv": _csv(_columns(shape), list(_rows(scenarios, table)))
        for table, shape in TABLES.items()
    }


def _columns(shape: type[Result | Comparison | GateResult]) -> list[str]:
    columns = ["scenario"]
    for name in (each.name for each in fields(shape)):
        columns += [f"{name}.{part}" for part in _parts(name)] or [name]
    return columns


def _parts(name: str) -> tuple[str, ...]:
    """What a column is divided into; nothing where it is one."""
    if name in INTERVALS:
        return ENDS
    return tuple(each.name for each in fields(NESTED[name])) if name in NESTED else ()


def _rows(scenarios: Sequence[Mapping[str, Any]], table: str) -> Iterator[dict[str, Field]]:
    for scenario in scenarios:
        for entry in scenario[table]:
            row = {"scenario": _field(scenario["name"])}
            for name, value in entry.items():
                row |= _divided(name, value) if _parts(name) else {name: _field(value)}
            yield row


def _divided(name: str, value: Any) -> dict[str, Field]:
    told = dict(zip(ENDS, value, strict=True)) if name in INTERVALS and value else value or {}
    return {f"{name}.{part}": _field(told.get(part)) for part in _parts(name)}


def _field(value: Any) -> Field:
    """A JSON value as a field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    text = "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _csv(columns: Sequence[str], rows: Sequence[Mapping[str, Field]]) -> bytes:
    """Numbers as Python writes them: the shortest text that is read as the same number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
