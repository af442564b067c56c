"""A run's answer as it was written: `summary.json` read back, or why it cannot be used."""

from __future__ import annotations

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from reports.model import Comparison, Summary

SCHEMA = 1
_SUMMARY = TypeAdapter(Summary)


def read_summary(folder: Path) -> tuple[Summary | None, str]:
    """The stored answer, or None with the reason in a few words. It never raises for a bad file."""
    try:
        written = (folder / "summary.json").read_bytes()
        summary = _SUMMARY.validate_json(written)
    except FileNotFoundError:
        return None, "there is no summary.json"
    except OSError as error:
        return None, f"summary.json cannot be read ({error.strerror or error})"
    except ValidationError:
        return None, "summary.json is damaged, or of another version"
    if summary.schema != SCHEMA:
        return None, f"summary.json has schema {summary.schema}; this version reads {SCHEMA}"
    if not all(_tells_its_uncertainty(each) for s in summary.scenarios for each in s.comparisons):
        return None, "summary.json was written by an older version"
    return summary, ""


def _tells_its_uncertainty(comparison: Comparison) -> bool:
    """Older versions wrote intervals without what they were made of."""
    return comparison.ci95_pct is None or comparison.log_standard_error is not None
