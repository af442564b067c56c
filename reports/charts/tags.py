"""What a page can do with a drawing: which marks are an arm's, and what each of them says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from matplotlib.artist import Artist
from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Tag:
    """Of one artist: the arm's place among the run's arms (the baseline is 0), and what each of its
    points says when it is pointed at, in the order in which they were drawn."""

    arm: int | None
    tips: tuple[str, ...]


_TAGS: WeakKeyDictionary[Figure, dict[str, Tag]] = WeakKeyDictionary()
"""By the identifier that the artist's group has in the SVG."""


def tag(artist: Artist, arm: int | None = None, tips: Sequence[str] = ()) -> None:
    """Remember what an artist that stands in a figure shows.

    An artist with several tips must draw exactly as many markers; one with a single tip may be
    anything (a bar, an interval). Raises ValueError for an artist of no figure.
    """
    figure = artist.get_figure(root=True)
    if not isinstance(figure, Figure):
        raise ValueError("an artist can be tagged once it stands in a figure")
    tags = _TAGS.setdefault(figure, {})
    name = f"tag-{len(tags)}"
    tags[name] = Tag(arm, tuple(tips))
    artist.set_gid(name)


def tags_of(figure: Figure) -> Mapping[str, Tag]:
    """The figure's tags by the identifiers of their groups."""
    return _TAGS.get(figure, {})
