"""PURE: numbers, names and loads in plain words, the same in every report."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from reports.model import CAPACITY, COST, LoadFacts

MINUS = "\u2212"
NBSP = "\u00a0"
"""Keeps a number and its unit on one line."""
NOTHING = "–"
"""Stands where a number does not exist."""

TWICE_PCT = 100.0
"""A time that grows by this much or more is told as so many times as long."""

METRICS = {
    CAPACITY: "capacity",
    "response_ms.mean": "mean response time",
    "response_ms.p50": "median response time",
    "response_ms.p90": "p90 response time",
    "response_ms.p95": "p95 response time",
    "response_ms.p99": "p99 response time",
    "response_ms.p99_9": "p99.9 response time",
    COST: "CPU per request",
}


def tidy(text: str, limit: int | None = None) -> str:
    """A name as one printable line: control characters replaced, cut to `limit` characters."""
    shown = "".join("\ufffd" if _unprintable(each) else each for each in text)
    if limit is not None and len(shown) > limit:
        return shown[: limit - 1] + "…"
    return shown


def _unprintable(character: str) -> bool:
    """Control, surrogate and private characters, and line separators; XML allows few of them. And
    those that turn the direction of what follows, beyond the name."""
    turns = unicodedata.bidirectional(character) in {"LRO", "RLO", "LRE", "RLE", "PDF", *ISOLATES}
    return turns or unicodedata.category(character) in {"Cc", "Cs", "Co", "Cn", "Zl", "Zp"}


ISOLATES = ("LRI", "RLI", "FSI", "PDI")


def rounded(value: float) -> str:
    """A positive number with as many digits as a person reads: 0.042, 0.42, 4.2, 42, 4,200."""
    if value == 0:
        return "0"
    if value >= 9.95:
        return f"{value:,.0f}"
    decimals = 1 if value >= 0.995 else 2 if value >= 0.0995 else 3
    return f"{value:.{decimals}f}"


def ms(value: float | None) -> str:
    """Milliseconds, or seconds from one second on."""
    if value is None:
        return NOTHING
    if value >= 999.5:
        seconds = value / 1000
        return f"{seconds:.1f}{NBSP}s" if seconds < 9.95 else f"{seconds:,.0f}{NBSP}s"
    return f"{rounded(value)}{NBSP}ms"


def distance(rtt_ms: float) -> str:
    """How far the database is, as it was asked for: `2.0 ms to the database`."""
    return f"{ms(rtt_ms)} to the database"


def per_s(value: float | None) -> str:
    """A rate in requests per second."""
    return NOTHING if value is None else f"{rounded(value)}/s"


def megabytes(value: float | None) -> str:
    """Memory in MB."""
    return NOTHING if value is None else f"{value:,.0f}{NBSP}MB"


def count(value: float | None) -> str:
    """A whole number with thousands separated."""
    return NOTHING if value is None else f"{value:,.0f}"


def percent(value: float) -> str:
    """A size without sign: `4.2%`, `18%`."""
    size = abs(value)
    return f"{size:.1f}%" if size < 9.95 else f"{size:,.0f}%"


def size(value_pct: float | None) -> str:
    """The same where it may not exist."""
    return NOTHING if value_pct is None else percent(value_pct)


def factor(change_pct: float) -> float:
    """A change as the ratio of after to before."""
    return 1.0 + change_pct / 100.0


def share(part: float) -> str:
    """A share of one as percent, never rounded to none or all: `4.2%`, `96%`, `>99.9%`."""
    value = 100.0 * part
    if 0 < value < 0.05:
        return "<0.1%"
    if 99.95 <= value < 100:
        return ">99.9%"
    return f"{value:.1f}%" if 0 < value < 9.95 or 99.05 <= value < 100 else f"{value:.0f}%"


def change(value: float | None) -> str:
    """A change with its sign: `+18%`, `−4.2%`."""
    if value is None:
        return NOTHING
    text = percent(value)
    if text == "0.0%":
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def interval(ci_pct: tuple[float, float] | None) -> str:
    """An interval of changes: `+12% to +24%`."""
    return NOTHING if ci_pct is None else f"{change(ci_pct[0])} to {change(ci_pct[1])}"


def metric_value(metric: str, value: float | None) -> str:
    """A value of a metric with its unit."""
    return per_s(value) if metric.endswith("_per_s") else ms(value)


def metric_name(metric: str, request: str | None = None) -> str:
    """What is compared, for a table: `p95 response time of read`."""
    name = METRICS.get(metric, tidy(metric))
    return f"{name} of {tidy(request)}" if request else name


def capital(text: str) -> str:
    """Its first letter as at the start of a sentence; the rest is left alone."""
    return f"{text[:1].upper()}{text[1:]}"


def metric_heading(metric: str) -> str:
    """A metric's name at the start of a heading."""
    name = METRICS.get(metric, tidy(metric))
    return name if name[1:2].isdigit() else capital(name)


def more_is_better(metric: str) -> bool:
    """Whether a larger value of the metric is the better one."""
    return metric.endswith("_per_s")


def load_short(load: LoadFacts) -> str:
    """A load for a table cell or an axis: `16 users`, `240/s`."""
    if load.model == "closed":
        return f"{load.users}{NBSP}users" if load.users != 1 else f"1{NBSP}user"
    return per_s(load.rate_per_s)


def within_a_sentence(title: str) -> str:
    """A title where it does not begin a sentence."""
    return title if title.startswith("Python") else title[0].lower() + title[1:]


def load_phrase(load: LoadFacts) -> str:
    """A load within a sentence: `with 16 users at once`, `at 240 requests/s`."""
    if load.model == "closed":
        return f"with {load_short(load)} at once" if load.users != 1 else f"with {load_short(load)}"
    return f"at {rounded(load.rate_per_s or 0.0)}{NBSP}requests/s"


def span(ci_pct: tuple[float, float], more: str, less: str) -> str:
    """An interval without signs: `12% to 24% more`, `between 4.0% less and 9.0% more`."""
    low, high = ci_pct
    if low >= 0:
        return f"{percent(low)} to {percent(high)} {more}"
    if high <= 0:
        return f"{percent(high)} to {percent(low)} {less}"
    return f"between {percent(low)} {less} and {percent(high)} {more}"


def listed(names: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    parts: Sequence[str] = list(names)
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
