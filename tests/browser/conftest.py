"""A real Chromium (the machine's own, never one that is downloaded), driven by Playwright.

Playwright rather than code of our own: people hover, press keys, tap, download and print, and it
does all of that as they do.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NoReturn

import pytest

try:
    from playwright.sync_api import Browser, Page, sync_playwright
except ImportError:  # no wheel of it for this machine
    sync_playwright = None

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--no-sandbox", "--disable-quic", "--disable-background-networking")
WAY_OUT = "install it (Debian: apt-get install chromium) and run `make test`"


@dataclass
class Visit:
    """A page that is shown, with what it asked for and what the browser complained about."""

    page: Page
    requested: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def value(self, expression: str, argument: Any = None) -> Any:
        """The value of a JavaScript expression or function in the page."""
        return self.page.evaluate(expression, argument)

    def watch(self) -> None:
        """Keep what the page asks for and what is said about it."""
        self.page.on("request", lambda request: self.requested.append(request.url))
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))


Show = Callable[..., Visit]


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """One browser for all tests of pages; it is gone before others run an event loop."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None or sync_playwright is None:
        _do_without("Chromium" if path is None else "Playwright")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield found
        found.close()


def _do_without(what: str) -> NoReturn:
    """In CI a page that nobody looked at is a failure."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is missing: {WAY_OUT}", pytrace=False)
    pytest.skip(f"no {what} on this machine: {WAY_OUT}")


@pytest.fixture
def show(browser: Browser) -> Iterator[Show]:
    """Shows an address: `show(url, width=390, color_scheme="dark", media="print", …)`."""
    contexts = []

    def shown(url: str, *, width: int = 1280, media: str = "screen", **how: Any) -> Visit:
        size = {"width": width, "height": 900}
        context = browser.new_context(viewport=size, is_mobile=width < 500, **how)
        contexts.append(context)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        visit = Visit(context.new_page())
        visit.watch()
        visit.page.emulate_media(media=media)
        visit.page.set_default_timeout(10_000)
        visit.page.goto(url)
        return visit

    yield shown
    for context in contexts:
        context.close()
