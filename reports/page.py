"""What all pages of the family share: templates, contents, script and its hash, their data."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from reports import words
from reports.charts.chart import Chart
from reports.charts.inline import inline_svg
from reports.headline import lines
from reports.symbols import arm_symbol

TEMPLATES = Path(__file__).parent / "templates"
NUMBER_STARTS = frozenset("0123456789+–" + words.MINUS)
PROGRAM = "sync-async-bench"
SECTION = re.compile(r'<section id="([\w-]+)"[^>]*>\s*<h2>(.*?)</h2>')
DRAWING = re.compile(r"<svg\b.*?</svg>", re.DOTALL)
STYLE = re.compile(r' style="([^"]*)"')
LONG_TITLE = 110
"""A headline of more characters is set smaller."""


@dataclass(frozen=True, slots=True)
class Page:
    """What every page of the family has, whatever it tells."""

    title: str
    overline: tuple[str, ...]
    """What it is about, before the title is read: the run, the database."""
    data_name: str
    """The file whose content the page carries and hands out."""
    data: Mapping[str, Any]
    command: str = ""
    """What makes the same again; a page that no one command makes says so itself."""
    arms: tuple[str, ...] = ()
    """The baseline first, as `data-arm` in charts counts them."""


def render_page(template: str, page: Page, **content: Any) -> str:
    """A page by its template, which extends `base.html.j2`; everything is escaped."""
    return environment().get_template(template).render(page=page, **content)


@cache
def environment() -> Environment:
    """The templates of every page, with what they share."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = (TEMPLATES / "page.js").read_text(encoding="utf-8")
    made.filters["tidy"] = words.tidy
    made.filters["lines"] = lines
    made.filters["embedded"] = embedded
    made.filters["marked"] = marked
    made.filters["shared_styles"] = shared_styles
    made.globals["arm_symbol"] = arm_symbol
    made.globals["contents"] = contents
    made.globals["drawing"] = _drawing
    made.globals["numeric_columns"] = numeric_columns
    made.globals["made_by"] = f"{PROGRAM} {version(PROGRAM)}"
    made.globals["long_title"] = LONG_TITLE
    made.globals["script"] = Markup(script)
    made.globals["script_hash"] = source_hash(script)
    return made


def source_hash(script: str) -> str:
    """A script as a content security policy names it (CSP level 3, section 2.3.1)."""
    digest = hashlib.sha256(script.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


def contents(main: Markup) -> list[tuple[str, Markup]]:
    """Identifier and heading of each section, read off the page itself so that both agree."""
    return [(name, Markup(heading)) for name, heading in SECTION.findall(main)]


def shared_styles(main: Markup) -> tuple[Markup, Markup]:
    """A style sheet of what drawings repeat, and the content with its classes instead.

    A few dozen styles stand at thousands of marks. What people wrote holds no quotation marks
    here, so that nothing of theirs is taken for a style.
    """
    found = Counter(style for drawing in DRAWING.findall(main) for style in STYLE.findall(drawing))
    names = {style: f"d{number}" for number, (style, _) in enumerate(found.most_common())}

    def with_classes(drawing: re.Match[str]) -> str:
        return STYLE.sub(lambda style: f' class="{names[style[1]]}"', drawing[0])

    # As specific as the rules of `report.css` for drawings, and after them.
    rules = "\n".join(f"svg .{name} {{ {style} }}" for style, name in names.items())
    return Markup(rules), Markup(DRAWING.sub(with_classes, main))


def embedded(data: Mapping[str, Any]) -> Markup:
    """Data as JSON within a script element, which nothing in it can end."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def marked(arms: tuple[str, ...]) -> str:
    """Arms as JSON pairs of name and symbol, for the page's script."""
    return json.dumps([(words.tidy(arm), arm_symbol(number)) for number, arm in enumerate(arms)])


def _drawing(chart: Chart) -> Markup:
    """The one thing that is not escaped here: `inline_svg` writes XML and escapes by itself."""
    return Markup(inline_svg(chart))


def numeric_columns(rows: Any) -> list[bool]:
    """Which columns hold numbers only, and are set flush right."""
    return [all(cell[:1] in NUMBER_STARTS for cell in column) for column in zip(*rows, strict=True)]
