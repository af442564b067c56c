"""The shape of a second opinion, as the journal's `second-opinion` event holds it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Tool = Literal["ours", "wrk"]


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True)


class Turn(_Shape):
    """One turn of one tool: good answers per second, and how many requests got none."""

    arm: str
    number: int
    """Which alternation: in each of them every tool loads every arm once."""
    tool: Tool
    per_s: float
    failed: int


class Opinion(_Shape):
    """What both tools saw of one instance of each arm, or why wrk was not asked."""

    not_made: str | None = None
    scenario: str | None = None
    users: int | None = None
    arms: tuple[str, ...] = ()
    """The baseline first."""
    turns: tuple[Turn, ...] = ()
