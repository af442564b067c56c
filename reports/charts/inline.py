"""A chart's SVG made part of a page: its own title cut off, its neutral colours the page's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree

from reports.charts.chart import Chart
from reports.charts.style import BAND, FAINT, INK, MARKS, MUTED, PAPER, TITLE_GID
from reports.charts.tags import Tag, tags_of

SVG = "http://www.w3.org/2000/svg"
XLINK = "http://www.w3.org/1999/xlink"
FOLLOWS = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    FAINT: "var(--faint)",
    BAND: "var(--band)",
    PAPER: "var(--paper)",
    **{mark.colour.lower(): f"var(--arm-{number})" for number, mark in enumerate(MARKS)},
}
"""What each colour becomes, so that the chart follows a light or dark page."""
FONT_FAMILY = re.compile(r"font-family:[^;]*;?\s*")
DIGITS = re.compile(r"(\.\d\d)\d+")
"""A hundredth of a point is finer than any screen or printer."""
GROUP = f"{{{SVG}}}g"
NO_TURN = re.compile(r"rotate\(-?0\b(?!\.)[^)]*\)$")
HREF = f"{{{XLINK}}}href"
LINKS = {
    HREF: re.compile(r"^#([\w.-]+)"),
    **dict.fromkeys(("style", "clip-path", "fill"), re.compile(r"(?<=url\()#([\w.-]+)")),
}
"""How something of the drawing is referred to, by attribute; a colour is no reference."""

ElementTree.register_namespace("", SVG)
ElementTree.register_namespace("xlink", XLINK)


def inline_svg(chart: Chart) -> str:
    """The chart as an `<svg>` element: title and description for screen readers, unique ids."""
    root = ElementTree.fromstring(chart.files.svg)
    _drop(root, "metadata", "style")
    _drop_title(root)
    _drop_background(root)
    _tell_tags(root, chart)
    _tidy_ids(root, chart.name)
    for element in root.iter():
        _follow_the_page(element)
    for element in root.iter():
        _share_style(element)
    _unwrap(root)
    _cut(root, chart.sheet.strip_pt)
    _describe(root, chart)
    return ElementTree.tostring(root, encoding="unicode")


def _parents(
    root: ElementTree.Element,
) -> Iterator[tuple[ElementTree.Element, ElementTree.Element]]:
    for parent in root.iter():
        for child in list(parent):
            yield parent, child


def _drop(root: ElementTree.Element, *names: str) -> None:
    for parent, child in list(_parents(root)):
        if child.tag in {f"{{{SVG}}}{name}" for name in names}:
            parent.remove(child)


def _drop_title(root: ElementTree.Element) -> None:
    for parent, child in list(_parents(root)):
        if child.get("id") == TITLE_GID:
            parent.remove(child)


def _drop_background(root: ElementTree.Element) -> None:
    """The first patch of the figure is its white ground."""
    figure = root.find(f"{{{SVG}}}g")
    if figure is not None and len(figure):
        figure.remove(figure[0])


def _tell_tags(root: ElementTree.Element, chart: Chart) -> None:
    """Marks tell whose they are (`data-arm`) and what they say (a `<title>`)."""
    tags = tags_of(chart.sheet.figure)
    for group in [each for each in root.iter() if each.get("id") in tags]:
        found = tags[group.attrib["id"]]
        if found.arm is not None:
            group.set("data-arm", str(found.arm))
        for element, tip in zip(_pointed_at(group, found), found.tips, strict=True):
            title = ElementTree.Element(f"{{{SVG}}}title")
            title.text = tip
            element.insert(0, title)


def _pointed_at(group: ElementTree.Element, found: Tag) -> list[ElementTree.Element]:
    """The elements of the tips: the group itself for one, else each of its markers."""
    if len(found.tips) < 2:
        return [group] * len(found.tips)
    return list(group.iter(f"{{{SVG}}}use"))


def _tidy_ids(root: ElementTree.Element, name: str) -> None:
    """Keep only ids that something refers to, short, and unique within the page."""
    places = [
        (element, key, value)
        for element in root.iter()
        for key, value in element.attrib.items()
        if key in LINKS and LINKS[key].search(value)
    ]
    used = sorted({found for _, key, value in places for found in LINKS[key].findall(value)})
    short = {own: f"{name}-{number}" for number, own in enumerate(used)}
    for element in root.iter():
        if (own := element.attrib.pop("id", None)) in short:
            element.set("id", short[str(own)])
    for element, key, value in places:
        element.set(key, LINKS[key].sub(lambda found: f"#{short[found[1]]}", value))


def _follow_the_page(element: ElementTree.Element) -> None:
    for key in ("style", "fill", "stroke"):
        if (value := element.get(key)) is not None:
            value = FONT_FAMILY.sub("", value)
            for colour, follower in FOLLOWS.items():
                value = value.replace(colour, follower)
            element.set(key, value)
    for key in ("d", "x", "y"):
        if (place := element.get(key)) is not None:
            element.set(key, DIGITS.sub(r"\1", " ".join(place.split())))
    if NO_TURN.match(element.get("transform", "")):
        del element.attrib["transform"]
    if HREF in element.attrib:
        element.set("href", element.attrib.pop(HREF))
    element.tail = None
    if element.text is not None and not element.text.strip():
        element.text = None


def _share_style(group: ElementTree.Element) -> None:
    """Markers that all look alike say so once, in the group around them."""
    markers = group.findall(f"{{{SVG}}}use")
    styles = {each.get("style") for each in markers}
    if len(markers) > 1 and len(styles) == 1 and group.get("style") is None:
        for each in markers:
            group.set("style", each.attrib.pop("style"))


def _unwrap(element: ElementTree.Element) -> None:
    """What stands in a group that says nothing stands without it; an empty one is none."""
    for child in list(element):
        _unwrap(child)
        if child.tag == GROUP and not child.attrib:
            place = list(element).index(child)
            element[place : place + 1] = list(child)


def _cut(root: ElementTree.Element, strip_pt: float) -> None:
    """Take the title strip off the top; the page sets the size."""
    _, _, width, height = (float(part) for part in root.attrib["viewBox"].split())
    root.set("viewBox", f"0 {strip_pt:g} {width:g} {height - strip_pt:g}")
    del root.attrib["width"], root.attrib["height"]


def _describe(root: ElementTree.Element, chart: Chart) -> None:
    root.set("role", "img")
    root.set("aria-labelledby", f"{chart.name}-title {chart.name}-desc")
    for position, (tag, text) in enumerate((("title", chart.title), ("desc", chart.caption))):
        element = ElementTree.Element(f"{{{SVG}}}{tag}", {"id": f"{chart.name}-{tag}"})
        element.text = text
        root.insert(position, element)
