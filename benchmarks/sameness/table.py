"""Prints as Markdown what every operation costs each twin on one server, and if that is equal."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from loadtests.errors import BenchError
from loadtests.sameness.check import check_sameness
from loadtests.sameness.record import Proof
from loadtests.spec import load_spec
from reports.facts import FLAVOURS
from reports.fairness import fairness
from reports.markdown import HOW_COUNTED, markdown_table
from scripts.session import Session, open_session, sizes_here

PACKAGES = {"mysqldb": ("mysqlclient", "mysqlclient-static")}
"""Where a driver's package is called otherwise."""
WAYS = ("auto", "local", "docker")


def main() -> int:
    """Bring up one instance of each twin, look, print; 4 when they are not the same."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--database", choices=WAYS, default="auto", help="auto takes BENCH_DATABASE_URL where set"
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", dest="overrides",
        help="as bench run has it, for example arm.async.driver=asyncmy",
    )  # fmt: skip
    chosen = parser.parse_args()
    spec = load_spec(
        "smoke",
        overrides=[
            f"run.database={chosen.database}",
            "run.durability=relaxed",
            *chosen.overrides,
        ],
    )
    sizes = replace(sizes_here(spec), instances=1)
    with (
        tempfile.TemporaryDirectory(prefix="bench-sameness-") as folder,
        open_session(spec, sizes, run="sameness", log_folder=Path(folder)) as session,
    ):
        proof = check_sameness(session.instances, session.database, spec.run.seed)
        print("\n".join(_lines(session, proof)).rstrip())
    alike = all(side.ok for sides in proof.arms.values() for _, side in sides)
    return 0 if alike else 4


def _lines(session: Session, proof: Proof) -> Iterator[str]:
    section = fairness([proof])
    assert section is not None
    database = session.database
    yield from (f"## {FLAVOURS[str(database.flavour)]} {database.version}", "")
    yield from ("; ".join(_arm(name, told) for name, told in session.arms().items()) + ".", "")
    yield from markdown_table(section.sides)
    yield from (HOW_COUNTED, "")
    yield from markdown_table(section.work)
    yield from (section.connection, "", "Every statement:", "")
    yield from markdown_table(section.digests)


def _arm(name: str, told: dict[str, dict[str, str]]) -> str:
    driver = str(told["driver"])
    names = PACKAGES.get(driver, (driver,))
    versions = [told["versions"][each] for each in names if each in told["versions"]]
    return f"{name}: SQLAlchemy {told['versions']['sqlalchemy']}, {driver} {' '.join(versions)}"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BenchError as error:
        sys.exit(str(error))
