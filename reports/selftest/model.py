"""The shapes of a selftest's result: checks, remarks, and the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Unit = Literal["", "ms", "/s"]
SERVER_OFF = "by the server's own log (the machine, not the instrument: wait until it is quieter)"


@dataclass(frozen=True, slots=True)
class Check:
    """One number with what it ought to be, by the server's own log and by theory.

    The log (or packet times) judges the instrument: `limit`. `theory` is the bare known answer and
    judges the server: `server_own` is by how much its log is from that, which is the server's and
    the machine's doing, up to `own_limit`; what was measured must be within `theory_limit` of what
    lies between `theory` and `theory + server_own`. None: there is no such number.
    """

    case: str
    quantity: str
    unit: Unit
    theory: float | None
    log: float | None
    measured: float | None
    limit: float
    """Of the difference from the log."""
    theory_limit: float
    """Of the distance from what theory and the server's own deviation from it allow."""
    aim: float | None = None
    """What the difference ought to be below on a quiet machine."""
    server_own: float = 0.0
    own_limit: float | None = None
    judged_by_theory: bool = False
    """The theory, not the log, is what the difference shown is from."""
    faults: tuple[str, ...] = ()

    @property
    def expected(self) -> float | None:
        """What `difference` is from: the log where there is one, else the theory."""
        if not self._by_theory:
            return self.log
        return None if self.theory is None else self.theory + self.server_own

    @property
    def _by_theory(self) -> bool:
        return self.log is None or self.judged_by_theory

    @property
    def difference(self) -> float | None:
        """Measured minus expected: the instrument's bias."""
        if self.measured is None or self.expected is None:
            return None
        return self.measured - self.expected

    @property
    def shown_limit(self) -> float:
        """The limit of `difference`."""
        return self.theory_limit if self._by_theory else self.limit

    @property
    def ok(self) -> bool:
        """Whether it is within its limits of everything that is known."""
        return not self.why_off

    @property
    def aim_met(self) -> bool | None:
        """Whether the difference is within the aim; None without one."""
        if self.aim is None or self.difference is None:
            return None
        return abs(self.difference) <= self.aim

    @property
    def why_off(self) -> tuple[str, ...]:
        """In words, everything that is off."""
        if self.measured is None:
            return (*self.faults, "nothing was measured")
        from_log = None if self.log is None else self.measured - self.log
        beyond = (
            self._beyond(from_log, self.limit, "from the server's log"),
            self._beyond(self._from_theory(self.measured), self.theory_limit, "from theory"),
            self._beyond(self.server_own, self.own_limit, SERVER_OFF),
        )
        return (*self.faults, *(fault for fault in beyond if fault))

    def _from_theory(self, measured: float) -> float | None:
        """How far it is from the nearest of what theory and the server's deviation allow."""
        if self.theory is None:
            return None
        low, high = sorted((self.theory, self.theory + self.server_own))
        return measured - min(max(measured, low), high)

    def _beyond(self, found: float | None, limit: float | None, what: str) -> str:
        if found is None or limit is None or abs(found) <= limit:
            return ""
        unit = f" {self.unit}" if self.unit else ""
        return f"{found:+.3g}{unit} {what}, at most {limit:.3g} allowed"

    def to_json(self) -> dict[str, Any]:
        """As `selftest.json` has it."""
        facts = {**asdict(self), "difference": self.difference, "limit": self.shown_limit}
        return {**facts, "faults": list(self.why_off), "ok": self.ok, "aim_met": self.aim_met}


@dataclass(frozen=True, slots=True)
class Judged:
    """A case with its checks, what disturbed it, and where the time of its requests went."""

    case: str
    says: str
    load: str
    requests: int
    checks: tuple[Check, ...]
    remarks: tuple[str, ...]
    split_ms: Mapping[str, float]
    """Medians: sending, way there, the server's own lateness, way back."""

    def to_json(self) -> dict[str, Any]:
        """As `selftest.json` has it."""
        return {
            "case": self.case,
            "says": self.says,
            "load": self.load,
            "requests": self.requests,
            "checks": [check.to_json() for check in self.checks],
            "remarks": list(self.remarks),
            "split_ms": dict(self.split_ms),
        }


@dataclass(frozen=True, slots=True)
class Selftest:
    """The whole result."""

    created_utc: str
    facts: Mapping[str, Any]
    real_time: bool
    took_s: float
    cases: tuple[Judged, ...]
    remarks: tuple[str, ...] = ()
    """What the host did to all cases."""

    @property
    def checks(self) -> tuple[Check, ...]:
        """All of them."""
        return tuple(check for case in self.cases for check in case.checks)

    @property
    def off(self) -> tuple[Check, ...]:
        """Those that are off."""
        return tuple(check for check in self.checks if not check.ok)

    @property
    def ok(self) -> bool:
        """Whether nothing is off (and anything was looked at)."""
        return bool(self.checks) and not self.off

    @property
    def headline(self) -> str:
        """The result as a sentence."""
        count = len(self.checks)
        if self.ok:
            return f"The instrument tells the truth here: all {count} checks within their limits."
        return f"The instrument is off here: {len(self.off)} of {count} checks beyond their limits."

    @property
    def aims(self) -> str:
        """How many of the aims for a quiet machine are met."""
        aimed = [check for check in self.checks if check.aim_met is not None]
        met = sum(bool(check.aim_met) for check in aimed)
        return f"Aims for a quiet machine met: {met} of {len(aimed)}."

    def to_json(self) -> dict[str, Any]:
        """`selftest.json`."""
        return {
            "schema": 1,
            "created_utc": self.created_utc,
            "ok": self.ok,
            "headline": self.headline,
            "aims": self.aims,
            "real_time": self.real_time,
            "took_s": round(self.took_s, 1),
            "facts": dict(self.facts),
            "remarks": list(self.remarks),
            "cases": [case.to_json() for case in self.cases],
        }
