"""A run's folder: manifest, samples and telemetry, each file whole or absent."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from loadtests.errors import StorageError, UsageError
from loadtests.journal import Journal, storage_error
from loadtests.trials import SAMPLE_SCHEMA

TELEMETRY_SCHEMA = pa.schema(
    [
        ("t_ns", pa.int64()),
        ("scenario", pa.string()),
        ("load", pa.string()),
        ("arm", pa.string()),
        ("instance", pa.int32()),
        ("cpu_s", pa.float64()),
        ("rss_mb", pa.float64()),
        ("threads", pa.int32()),
        ("connections", pa.int32()),
        ("in_flight", pa.int32()),
        ("steal_pct", pa.float64()),
        ("pressure_pct", pa.float64()),
        ("at", pa.string()),
        ("trial", pa.int32()),
    ]
)

ANSWERS = {"selftest": "selftest.json", "compare": "compare.json"}
"""What the folders of commands are known by that leave an answer and no manifest."""
SELFTEST_FILE = ANSWERS["selftest"]
LEFT_OVER = frozenset(
    {"journal.jsonl", "samples", "telemetry.parquet", "logs", "log.txt", "error.txt"}
)
"""What is in a folder of ours of which nothing came."""
RESULTS = "results"
"""Where runs are kept unless they are told elsewhere."""


class RunStore:
    """Writes one run's folder (see docs/commands.md for its layout)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            (folder / "samples").mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise storage_error(folder, error) from error
        self.journal = Journal(folder / "journal.jsonl")

    def write_manifest(self, manifest: Mapping[str, Any]) -> None:
        """Write `manifest.json`."""
        text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
        write_atomically(self.folder / "manifest.json", text.encode())

    def write_samples(
        self, scenario: str, load: str, round_number: int, tables: Sequence[pa.Table]
    ) -> None:
        """Write the samples of one scenario at one load in one round."""
        folder = self.folder / "samples" / folder_name(scenario)
        path = folder / f"{load}-{round_number}.parquet"
        table = pa.concat_tables(tables).cast(SAMPLE_SCHEMA)
        try:
            folder.mkdir(exist_ok=True)
            _write_parquet(path, table)
        except OSError as error:
            raise storage_error(path, error) from error

    def write_telemetry(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write `telemetry.parquet` anew with all rows so far."""
        path = self.folder / "telemetry.parquet"
        try:
            _write_parquet(path, pa.Table.from_pylist(list(rows), schema=TELEMETRY_SCHEMA))
        except OSError as error:
            raise storage_error(path, error) from error

    def read_telemetry(self) -> list[dict[str, Any]]:
        """The rows that an earlier session of this run wrote; raises StorageError when damaged."""
        path = self.folder / "telemetry.parquet"
        if not path.exists():
            return []
        try:
            rows: list[dict[str, Any]] = pq.read_table(path, partitioning=None).to_pylist()
        except (OSError, pa.ArrowException) as error:
            raise StorageError(
                f"{path} cannot be read ({error}).",
                hint="Move it away: telemetry of the earlier session is then missing from charts.",
            ) from error
        return rows

    def close(self) -> None:
        """Close the journal."""
        self.journal.close()


def folder_name(scenario: str) -> str:
    """A scenario's name as a folder's: anything but letters, digits, `.`, `_`, `-` is escaped."""
    safe = "".join(
        c if c.isascii() and (c.isalnum() or c in "._-") else f"%{ord(c):x}" for c in scenario
    )
    return f"%{safe}" if safe.startswith(".") else safe


@contextmanager
def whole_or_absent(path: Path) -> Iterator[Path]:
    """Where to write a file in the block: beside it, to be renamed after the block, so that readers
    see the old one or the new one, however many write it at once. Raises OSError."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield beside
        beside.replace(path)
    finally:
        with suppress(OSError):  # the folder itself may be what is wrong
            beside.unlink(missing_ok=True)


def _write_parquet(path: Path, table: pa.Table) -> None:
    with whole_or_absent(path) as beside:
        pq.write_table(table, beside, compression="zstd")


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file as `whole_or_absent` does. Raises StorageError."""
    try:
        with whole_or_absent(path) as beside:
            beside.write_bytes(data)
    except OSError as error:
        raise storage_error(path, error) from error


def new_run_folder(out: Path | None, run: str) -> Path:
    """`out`, or `<RESULTS>/<run>`; raises UsageError when it already holds a run, a selftest, or
    anything else that is not ours: charts there would be replaced."""
    folder = out or Path(RESULTS) / run
    if (folder / SELFTEST_FILE).exists():
        raise UsageError(
            f"{folder} already holds a selftest.",
            hint="Choose another --out, or leave it out for a folder of its own in results/.",
        )
    if (folder / "manifest.json").exists():
        raise UsageError(
            f"{folder} already holds a run.",
            hint=f"Choose another --out, or go on with it: bench run --resume {folder}",
        )
    refuse_filled(folder)
    return folder


def refuse_filled(folder: Path) -> None:
    """Raise UsageError where a folder holds anything but what a start of ours has left there,
    StorageError where it cannot be looked into."""
    try:
        strange = sorted(p.name for p in folder.iterdir()) if folder.is_dir() else []
    except OSError as error:
        raise storage_error(folder, error) from error
    strange = [name for name in strange if name not in LEFT_OVER]
    if strange:
        raise UsageError(
            f"{folder} is not empty ({strange[0]}): what is in it could be replaced.",
            hint="Choose another --out, or leave it out for a folder of its own in results/.",
        )
