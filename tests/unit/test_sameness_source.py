"""The twins' source is the same, whole file by whole file, and the checker sees every drift."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import apps
from loadtests.sameness.source import SEAM, source_differences, text_differences

APPS = Path(apps.__file__).parent
MODULES = sorted(path.name for path in (APPS / "sync_app").glob("*.py"))
SEAM_NAMES = {"create_async_engine", "async_sessionmaker", "AsyncSession", "AsyncIterator"}


def text(twin: str, module: str) -> str:
    return (APPS / f"{twin}_app" / module).read_bytes().decode()


@pytest.fixture
def copies(tmp_path: Path) -> tuple[Path, Path]:
    for twin in ("sync_app", "async_app"):
        shutil.copytree(APPS / twin, tmp_path / twin, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path / "sync_app", tmp_path / "async_app"


def test_the_twins_differ_in_the_awaiting_and_the_seam_only() -> None:
    assert source_differences(APPS / "sync_app", APPS / "async_app") == []
    assert {"__init__.py", "database.py", "main.py", "routes.py"} <= set(MODULES)


def test_the_seam_is_in_two_modules_and_small() -> None:
    assert set(SEAM) == {"__init__.py", "database.py"}
    assert sum(map(len, SEAM.values())) == 7


@pytest.mark.parametrize("twin", ["sync", "async"])
@pytest.mark.parametrize("module", MODULES)
def test_a_file_cut_off_anywhere_is_seen(twin: str, module: str) -> None:
    """At every character: comparing line by line with `zip` would pass most of them."""
    whole = {"sync": text("sync", module), "async": text("async", module)}
    for end in range(len(whole[twin])):
        cut = {**whole, twin: whole[twin][:end]}
        assert list(text_differences(module, cut["sync"], cut["async"])), end


@pytest.mark.parametrize("twin", ["sync_app", "async_app"])
@pytest.mark.parametrize("module", MODULES)
def test_a_module_that_is_missing_or_more_is_seen(
    copies: tuple[Path, Path], twin: str, module: str
) -> None:
    folder = copies[0].parent / twin
    other = {"sync_app": "async_app", "async_app": "sync_app"}[twin]
    (folder / module).rename(folder / "extra.py")
    found = source_differences(*copies)
    assert {f"extra.py is in {twin} only", f"{module} is in {other} only"} == set(found)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        ("routes.py", "item is None", "not item"),
        ("routes.py", "status_code=201", "status_code=200"),
        ("routes.py", "await session.refresh(item)", "pass"),
        ("routes.py", "        await pause(ms)\n", ""),
        ("routes.py", "session() as session:", "session() as session, database.session():"),
        ("routes.py", "\n", "\r\n"),
        ("database.py", "settings.pool_timeout_s", "settings.pool_timeout_s * 2"),
        ("database.py", "create_async_engine(engine", "create_async_engine(1 and engine"),
        ("database.py", "**engine_options(settings)", "**engine_options(settings), echo=True"),
        ("database.py", "class_=AsyncSession", "class_=AsyncSession, autobegin=False"),
        ("main.py", "settings, Database, router", "settings, Database, APIRouter()"),
        ("__init__.py", 'NAME = "async"', 'NAME = "asynchronous"'),
    ],
)  # fmt: skip
def test_drift_is_seen_wherever_it_is(
    copies: tuple[Path, Path], module: str, old: str, new: str
) -> None:
    path = copies[1] / module
    before = path.read_bytes().decode()
    assert old in before
    path.write_bytes(before.replace(old, new, 1).encode())
    assert len(source_differences(*copies)) >= 1


def test_a_difference_is_told_with_its_line(copies: tuple[Path, Path]) -> None:
    path = copies[0] / "main.py"
    path.write_text(path.read_text() + "print('hello')\n")
    number = len(text("sync", "main.py").splitlines()) + 1
    assert source_differences(*copies) == [
        f"main.py, line {number}: sync has \"print('hello')\", async has nothing"
    ]


def test_two_empty_folders_are_no_proof(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert source_differences(tmp_path / "a", tmp_path / "b") == ["there is no source in a"]


def test_only_database_modules_name_the_seam() -> None:
    for path in [*APPS.glob("*_app/*.py"), *APPS.glob("common/*.py")]:
        code = re.sub(r"`.*?`", "", path.read_text(encoding="utf-8"))
        found = {name for name in SEAM_NAMES if re.search(rf"\b{name}\b", code)}
        if path.parent.name == "common":
            found -= {"AsyncIterator"}  # the shared factory's lifespan is a coroutine anyway
        assert not found or path.name == "database.py", f"{path} names {found}"
