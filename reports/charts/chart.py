"""A finished chart and its files: PNG and SVG on white, byte-identical between runs."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from matplotlib import rc_context, rcdefaults, rcParams
from matplotlib.figure import Figure

from reports.charts.style import RC, Sheet

DPI = 180
PACKED = {"compress_level": 2}
"""Files a tenth larger, for much less time than the usual level takes."""


@dataclass(frozen=True, slots=True)
class ChartFiles:
    """A chart as the bytes of its files."""

    png: bytes
    svg: bytes
    """Its words are text, in whatever sans-serif font the reader has."""


@dataclass(frozen=True)
class Chart:
    """A drawing with what it says, how to read it, and the numbers it shows."""

    name: str
    """File stem, unique within a report."""
    title: str
    """The finding, as a sentence."""
    caption: str
    """What is drawn, with units and load."""
    sheet: Sheet
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    """The numbers behind the drawing, rounded for people."""
    begun: Future[ChartFiles] | None = None
    """Its files, where another process was asked for them."""

    @cached_property
    def files(self) -> ChartFiles:
        """PNG and SVG; made here where no other process has begun with them, or where it died."""
        if self.begun is not None and not self.begun.cancel():
            with suppress(BrokenExecutor):
                return self.begun.result()
        return render(self.name, self.sheet.figure)


def render(name: str, figure: Figure) -> ChartFiles:
    """The files of a drawing; `name` makes the identifiers within the SVG its own."""
    with chart_style(name):
        _fix_layout(figure)
        return ChartFiles(
            png=_saved(figure, "png", DPI, {"Software": None}, pil_kwargs=PACKED),
            svg=_saved(figure, "svg", 72, {"Date": None, "Creator": None}),
        )


def _fix_layout(figure: Figure) -> None:
    """Once, so that every form has the same and none pays for it again.

    No engine may stay behind, not even the empty one of "none": wherever there is one, matplotlib
    draws a figure twice to save it. The solver takes constraints in no fixed order: places differ
    by rounding errors from one drawing to the next; rounded, they are the same.
    """
    if (engine := figure.get_layout_engine()) is None:
        return
    engine.execute(figure)
    figure.set_layout_engine(None)
    for axes in figure.axes:
        left, bottom, width, height = (round(each, 4) for each in axes.get_position().bounds)
        axes.set_position((left, bottom, width, height))


def _saved(figure: Figure, form: str, dpi: int, metadata: dict[str, None], **more: Any) -> bytes:
    out = io.BytesIO()
    figure.savefig(out, format=form, dpi=dpi, metadata=metadata, **more)
    return out.getvalue()


@contextmanager
def chart_style(salt: str = "charts") -> Iterator[None]:
    """Everything is drawn within this: our style on top of matplotlib's own (not of a matplotlibrc
    that lies around: the same samples give the same bytes), fixed identifiers, no complaints about
    fonts.

    A name in a script that the bundled font lacks is drawn as boxes in PNG; it is no reason to
    fail, and the page shows it in the reader's own fonts.
    """
    with rc_context(), warnings.catch_warnings():
        rcdefaults()
        rcParams.update({**RC, "svg.hashsalt": salt})
        warnings.filterwarnings(
            "ignore", message=r"Glyph .* missing from font", category=UserWarning
        )
        yield
