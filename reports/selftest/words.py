"""PURE: a selftest's checks as cells of a table, the same on a terminal, in Markdown and HTML."""

from __future__ import annotations

from reports.selftest.model import Check, Judged, Selftest
from reports.words import MINUS, NOTHING

COLUMNS = ("Case", "What", "Theory", "Server", "Measured", "Off by", "Limit", "Aim", "Ok")
LEGEND = (
    "Times in ms, X in answers per second. Theory: the known answer. Server: by the server's own "
    "log (“wire”: by packet times); what it is beyond theory is the server's and the machine's "
    "own. Off by: measured minus server, the instrument's own; minus theory where no log tells "
    "(sent, given up, two arms, X with the server's lateness allowed for). Aim: whether it is as "
    "good as it should be on a quiet machine."
)


def rows(selftest: Selftest) -> list[tuple[str, ...]]:
    """One row per check, the case named in its first."""
    return [
        row_of(check, first=number == 0)
        for case in selftest.cases
        for number, check in enumerate(case.checks)
    ]


def row_of(check: Check, *, first: bool) -> tuple[str, ...]:
    """The cells of a check."""
    aim = {None: "", True: "yes", False: "no"}[check.aim_met]
    return (
        check.case if first else "",
        check.quantity,
        number(check.theory, check.unit),
        number(check.log, check.unit),
        number(check.measured, check.unit),
        number(check.difference, check.unit, signed=True),
        number(check.shown_limit, check.unit),
        aim,
        "ok" if check.ok else "OFF",
    )


def number(value: float | None, unit: str, *, signed: bool = False) -> str:
    """A value with three decimals where it is below 100 ms, fewer above; counts are whole."""
    if value is None:
        return NOTHING
    decimals = 0 if not unit else 1 if unit == "/s" else _decimals(value)
    text = f"{abs(value):,.{decimals}f}"
    sign = "" if not text.strip("0.,") else MINUS if value < 0 else "+" if signed else ""
    return f"{sign}{text}"


def _decimals(value_ms: float) -> int:
    return 3 if abs(value_ms) < 99.9995 else 2 if abs(value_ms) < 999.995 else 1


def disturbances(selftest: Selftest) -> list[str]:
    """What was seen beside the numbers, of the host and case by case."""
    said = [f"{case.case}: {remark}" for case in selftest.cases for remark in case.remarks]
    return [*selftest.remarks, *said]


def off_lines(selftest: Selftest) -> list[str]:
    """What is off and by how much, in words."""
    return [f"{check.case}, {check.quantity}: {'; '.join(check.why_off)}" for check in selftest.off]


SPLIT_LEGEND = (
    "Medians in ms. Sending: sent after it was due. Way there: until the server woke up for it. "
    "Server late: answered after its instant. Way back: until the answer was recorded."
)
SPLIT_COLUMNS = ("Case", "Sending", "Way there", "Server late", "Way back", "In all")


def split_rows(selftest: Selftest) -> list[tuple[str, ...]]:
    """Where the time beyond the known answer goes, medians in ms."""
    return [split_row(case) for case in selftest.cases if case.split_ms]


def split_row(case: Judged) -> tuple[str, ...]:
    """One case's medians and their sum."""
    parts = list(case.split_ms.values())
    return (case.case, *(f"{part:,.3f}" for part in parts), f"{sum(parts):,.3f}")


def priority_words(selftest: Selftest) -> str:
    """Whether generator and servers were let go before others."""
    if selftest.real_time:
        return "Generator and servers had real-time priority while they measured."
    return (
        "Real-time priority was not allowed: on a busy machine more is late (run as root, or with "
        "CAP_SYS_NICE or an RTPRIO limit)."
    )
