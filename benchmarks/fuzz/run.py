"""Generated requests against both twins: `python -m benchmarks.fuzz.run --cases 5000 --seed 1`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks.fuzz.campaign import PHASES, Findings, explore
from tests.support.twins import private_server, running_twin

TWINS = ("sync", "async")
ROWS = 100
CASES_PER_EXAMPLE = 20
"""About how many requests come of one example: operations times phases. Too few is an error."""


@contextmanager
def twins(folder: Path) -> Iterator[dict[str, str]]:
    """Both twins on equal data of their own; by name, their URLs."""
    with ExitStack() as stack:
        database = stack.enter_context(private_server(folder))
        urls = {}
        for name in TWINS:
            database.make_schema(f"fuzz_{name}", rows=ROWS)
            url = database.url(f"fuzz_{name}")
            urls[name] = stack.enter_context(running_twin(name, url, pool_size=5)).url
        yield urls


def table(findings: Findings) -> str:
    """Markdown: requests by phase and status."""
    statuses = sorted({status for _, status in findings.answered})
    lines = [
        f"| phase | requests | {' | '.join(map(str, statuses))} |",
        f"|---|---|{'---|' * len(statuses)}",
    ]
    for phase in PHASES:
        counts = [findings.answered[phase, status] for status in statuses]
        lines.append(f"| {phase} | {sum(counts)} | {' | '.join(map(str, counts))} |")
    totals = [sum(findings.answered[phase, status] for phase in PHASES) for status in statuses]
    return "\n".join([*lines, f"| all | {sum(totals)} | {' | '.join(map(str, totals))} |"])


def report(name: str, findings: Findings) -> str:
    """What one run found."""
    parts = [
        f"## Document of the {name} twin, every request sent to both",
        table(findings),
        f"5xx: {findings.server_errors()} · checks failed: {len(findings.failures)} · "
        f"answers that differ between the twins: {len(findings.differences)}",
        *findings.failures,
        *map(str, findings.differences[:20]),
    ]
    return "\n\n".join(parts)


def main() -> None:
    """Each twin in turn is the one whose answers Schemathesis checks; exit 1 on any finding."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=5000, help="requests to each twin, at least")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    ok = True
    for name, other in (TWINS, TWINS[::-1]):
        with tempfile.TemporaryDirectory() as folder, twins(Path(folder)) as urls:
            examples = -(-chosen.cases // CASES_PER_EXAMPLE)
            findings = explore(urls[name], urls[other], seed=chosen.seed, examples=examples)
        print(report(name, findings), flush=True)
        clean = not (findings.server_errors() or findings.failures or findings.differences)
        ok &= clean and findings.requests >= chosen.cases
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
