"""What share of the spread belongs to instances, and what to their database connections.

python -m benchmarks.instances.components TURNS.jsonl …
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd

Floats = npt.NDArray[np.float64]
QUANTITIES: dict[str, Callable[[pd.DataFrame], pd.Series]] = {
    "requests per second": lambda turns: turns["answers"] / turns["wall_s"],
    "app CPU per request": lambda turns: turns["app_cpu_s"] / turns["answers"],
    "database CPU per request": lambda turns: turns["database_cpu_s"] / turns["answers"],
}
RESAMPLES = 2000


def effects(turns: pd.DataFrame, value: pd.Series) -> pd.DataFrame:
    """Log of each turn's value over its cycle's mean: cycles by instances.

    Columns are (condition, number). What the machine does to a whole cycle is taken out.
    """
    logs = turns.assign(log=np.log(value.clip(lower=1e-9)))
    table = logs.pivot(index="cycle", columns=["condition", "number"], values="log")
    return table.sub(table.mean(axis=1), axis=0)


def between_sd(first: Floats, second: Floats) -> float:
    """The sd of what stays with an instance: √ of the covariance of two halves of the cycles.

    `first`, `second`: an instance's mean effect in either half; the noise of the two halves is
    independent, so that it adds nothing to their covariance. Negative estimates count as 0.
    """
    return float(np.sqrt(max(0.0, np.cov(first, second)[0, 1])))


def halves(table: pd.DataFrame, by: Callable[[int], bool]) -> tuple[pd.Series, pd.Series]:
    """Mean effects over the cycles for which `by` holds, and over the others."""
    chosen = np.array([by(cycle) for cycle in table.index])
    return table[chosen].mean(), table[~chosen].mean()


def interval(first: pd.Series, second: pd.Series) -> tuple[float, float, float]:
    """Between-instance sd with a 95% bootstrap interval over instances."""
    random = np.random.default_rng(1)
    values = np.column_stack([first.to_numpy(), second.to_numpy()])
    drawn = [
        between_sd(*values[random.integers(len(values), size=len(values))].T)
        for _ in range(RESAMPLES)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    return between_sd(*values.T), float(low), float(high)


def rows(turns: pd.DataFrame) -> list[str]:
    """Markdown: per quantity and condition, what stays with an instance."""
    said = [
        "| quantity | instances | n | sd between | from turn to turn |",
        "|---|---|---|---|---|",
    ]
    middle = turns["cycle"].nunique() // 2
    for quantity, of in QUANTITIES.items():
        table = effects(turns, of(turns))
        noise = float(table.std().mean())
        for condition in table.columns.levels[0]:
            mine = table[[condition]]
            first, second = halves(mine, lambda cycle: cycle % 2 == 0)
            said.append(_row(quantity, condition, first, second, noise))
        numbers = table.columns.get_level_values("number")
        for name, kept in (("kept its connections", 1), ("opened new ones", 0)):
            mine = table.loc[:, numbers % 2 == kept]
            first, second = halves(mine, lambda cycle: cycle < middle)
            said.append(_row(quantity, f"{name} (first half against second)", first, second, noise))
    return said


def _row(quantity: str, name: str, first: pd.Series, second: pd.Series, noise: float) -> str:
    sd, low, high = interval(first, second)
    words = f"{100 * sd:.1f}% [{100 * low:.1f}, {100 * high:.1f}]"
    return f"| {quantity} | {name} | {len(first)} | {words} | {100 * noise:.0f}% |"


def main() -> None:
    """Print one table per file."""
    for path in sys.argv[1:]:
        print(f"\n{path}\n")
        print("\n".join(rows(pd.read_json(path, lines=True))))


if __name__ == "__main__":
    main()
