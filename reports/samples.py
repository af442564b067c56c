"""Load and check stored samples: Parquet in, data frames out, StorageError when damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from loadtests.errors import StorageError
from loadtests.store import folder_name
from loadtests.trials import SAMPLE_SCHEMA

Floats = npt.NDArray[np.float64]

NULLABLE = {pa.int64(): pd.Int64Dtype()}
"""Nanoseconds may be null and must not pass through float64, which rounds them."""


ALWAYS_KNOWN = frozenset({"trial", "request", "arrival_ns", "status", "ok", "phase"})
"""Columns in which no row is empty, whatever became of its request."""


def sample_file(folder: Path, scenario: str, load: str, round_number: int) -> Path:
    """Where a run keeps the samples of one scenario at one load in one round."""
    return folder / "samples" / folder_name(scenario) / f"{load}-{round_number}.parquet"


def read_samples(
    files: Sequence[Path], columns: Sequence[str] = tuple(SAMPLE_SCHEMA.names)
) -> pd.DataFrame:
    """All rows of `files` in order, of the columns asked for; words are categories.

    Raises StorageError naming a bad file.
    """
    schema = pa.schema([_as_read(SAMPLE_SCHEMA.field(name)) for name in columns])
    tables = [_read_checked(file, schema) for file in files]
    table = pa.concat_tables(tables) if tables else schema.empty_table()
    frame: pd.DataFrame = table.to_pandas(
        types_mapper=NULLABLE.get, split_blocks=True, self_destruct=True
    )
    return frame


def _as_read(column: pa.Field) -> pa.Field:
    """A few words that stand in millions of rows are kept once, with a number in each row."""
    if column.type == pa.string():
        return column.with_type(pa.dictionary(pa.int32(), pa.string()))
    return column


def _read_checked(file: Path, schema: pa.Schema) -> pa.Table:
    words = [column.name for column in schema if pa.types.is_dictionary(column.type)]
    try:
        with pq.ParquetFile(file, read_dictionary=words) as stored:
            table = stored.read(schema.names)
        table = table.select(schema.names).cast(schema)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _damaged(file, str(error)) from error
    for name in ALWAYS_KNOWN.intersection(schema.names):
        if table[name].null_count:
            raise _damaged(file, f"{table[name].null_count} rows have no {name}")
    if {"arrival_ns", "done_ns"} <= set(schema.names):
        early = pc.sum(pc.less(table["done_ns"], table["arrival_ns"])).as_py() or 0
        if early:
            raise _damaged(file, f"{early} requests were answered before they were due")
    return table


def count_rows(file: Path) -> dict[int, int]:
    """Stored samples per trial. Raises StorageError when the file is damaged."""
    trial = _read_checked(file, pa.schema([SAMPLE_SCHEMA.field("trial")]))["trial"]
    trials, counts = np.unique(trial.to_numpy(), return_counts=True)
    return dict(zip(trials.tolist(), counts.tolist(), strict=True))


def read_telemetry(file: Path) -> tuple[pd.DataFrame | None, list[str]]:
    """Telemetry, or None with a note saying why; no verdict rests on it."""
    try:
        frame: pd.DataFrame = pq.read_table(file, partitioning=None).to_pandas()
    except FileNotFoundError:
        return None, []
    except (OSError, pa.ArrowException) as error:
        return None, [f"{file.name} cannot be read ({_first_line(str(error))}); charts lack it."]
    return frame, []


def _damaged(file: Path, why: str) -> StorageError:
    return StorageError(
        f"{file} is not a readable sample file ({_first_line(why)}).",
        hint="Restore it from a copy, or remove it: its trials are then left out, and said to be.",
    )


def _first_line(why: str) -> str:
    return (why.splitlines() or ["no reason given"])[0]
