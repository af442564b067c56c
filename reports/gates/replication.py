"""PURE: whether there is enough to claim anything: instances, blocks and answers."""

from __future__ import annotations

import numpy as np

from reports.gates.check import Check
from reports.measures import LoadData, Pairing
from reports.percentiles import enough_beyond, fewest_samples

FEWEST_PAIRS = 3
FEWEST_BLOCKS = 3
JUDGED = 0.95


def enough_data(data: LoadData, pairing: Pairing, arms: tuple[str, str]) -> Check:
    """Enough units behind an interval, and enough answers behind a percentile.

    Never fails: too little makes an interval wide or absent, which is what its verdict says. But
    then nothing vouches for the units being alike, and that could not be checked.
    """
    of_instances = pairing.scope == "program"
    units = pairing.instances if of_instances else len(pairing.block)
    fewest = FEWEST_PAIRS if of_instances else FEWEST_BLOCKS
    name = "instance pairs" if of_instances else "blocks of one instance pair"
    detail = f"{units} {name}, {len(pairing.block)} blocks"
    ok: bool | None = True
    if units < fewest:
        ok, detail = None, f"{detail}: {fewest} or more tell how far they differ; start more"
    if data.facts.model == "open":
        counted = data.steady & np.isfinite(data.response_ms)
        answers = min(int((counted & data.of_arm(arm)).sum()) for arm in arms)
        detail += f", {answers} answers or more of each arm"
        if not enough_beyond(answers, JUDGED):
            ok = None
            detail += f": p95 needs {fewest_samples(JUDGED)}; raise the rate, block_s or rounds"
    return ok, float(units), float(fewest), detail
