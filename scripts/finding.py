"""One thing that the doctor looked at, and how it is printed."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `remedy` says what to do when it is not fit, `details` are lines of
    their own, whether it is or not."""

    name: str
    fit: bool
    seen: str
    remedy: str = ""
    details: tuple[str, ...] = ()

    def words(self) -> str:
        """As it is printed, several lines."""
        lines = [f"{'ok   ' if self.fit else 'UNFIT'}  {self.name}: {self.seen}"]
        lines += [f"       {detail}" for detail in self.details]
        if not self.fit and self.remedy:
            lines.append(f"       → {self.remedy}")
        return "\n".join(lines)
