"""Load and check stored samples: Parquet in, data frames out, StorageError when damaged."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from loadtests.errors import StorageError
from loadtests.store import folder_name
from loadtests.trials import SAMPLE_SCHEMA

Floats = npt.NDArray[np.float64]

NULLABLE = {pa.int64(): pd.Int64Dtype()}
"""Nanoseconds may be null and must not pass through float64, which rounds them."""


def sample_file(folder: Path, scenario: str, load: str, round_number: int) -> Path:
    """Where a run keeps the samples of one scenario at one load in one round."""
    return folder / "samples" / folder_name(scenario) / f"{load}-{round_number}.parquet"


def read_samples(files: Sequence[Path]) -> pd.DataFrame:
    """All rows of `files` in SAMPLE_SCHEMA, in order. Raises StorageError naming a bad file."""
    tables = [_read_checked(file) for file in files]
    table = pa.concat_tables(tables) if tables else SAMPLE_SCHEMA.empty_table()
    frame: pd.DataFrame = table.to_pandas(types_mapper=NULLABLE.get)
    return frame


def _read_checked(file: Path) -> pa.Table:
    try:
        table = pq.read_table(file, partitioning=None)
        return table.select(SAMPLE_SCHEMA.names).cast(SAMPLE_SCHEMA)
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _damaged(file, error) from error


def count_rows(file: Path) -> dict[int, int]:
    """Stored samples per trial. Raises StorageError when the file is damaged."""
    try:
        trial = pq.read_table(file, columns=["trial"], partitioning=None)["trial"]
    except (OSError, KeyError, pa.ArrowException) as error:
        raise _damaged(file, error) from error
    trials, counts = np.unique(trial.to_numpy(), return_counts=True)
    return dict(zip(trials.tolist(), counts.tolist(), strict=True))


def read_telemetry(file: Path) -> tuple[pd.DataFrame | None, list[str]]:
    """Telemetry, or None with a note saying why; no verdict rests on it."""
    try:
        frame: pd.DataFrame = pq.read_table(file, partitioning=None).to_pandas()
    except FileNotFoundError:
        return None, []
    except (OSError, pa.ArrowException) as error:
        return None, [f"{file.name} cannot be read ({_first_line(error)}); charts lack it."]
    return frame, []


def _damaged(file: Path, error: Exception) -> StorageError:
    return StorageError(
        f"{file} is not a readable sample file ({_first_line(error)}).",
        hint="Restore it from a copy, or remove it: its trials are then left out, and said to be.",
    )


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
