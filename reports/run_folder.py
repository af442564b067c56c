"""A stored run as values: manifest, journal, samples and telemetry read from its folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import ValidationError

from loadtests.errors import StorageError
from loadtests.inspection import Inspection
from loadtests.manifest import kind_of, read_manifest
from loadtests.sameness.record import Proof
from loadtests.scenarios.model import Scenario
from loadtests.second_opinion.record import Opinion
from loadtests.spec import Spec
from loadtests.trials import SAMPLE_SCHEMA
from reports.measures import JUDGED, LoadData, load_data
from reports.model import LoadFacts, Status
from reports.run_journal import (
    arms_apart,
    inspections_of,
    load_facts,
    loads_of_spec,
    opinion_of,
    proofs_of,
    rates_of,
    read_events,
    round_frame,
    status_of,
)
from reports.samples import read_samples, read_telemetry, sample_file
from reports.trial_frame import (
    trial_frame,
    unreadable_trials,
    with_row_counts,
    without_disturbed,
)

FINISHED = ("finished",)
MOST_KEPT = 3_000_000
"""Samples (some 100 bytes each) that are kept for those who ask again."""


@dataclass(frozen=True)
class StoredRun:
    """One run's folder, read and checked; samples are read on demand.

    `trials` holds one row per trial event of the journal (columns TRIAL_COLUMNS and `rows`, the
    number of stored samples); unknown numbers are NaN. `state` is `finished`, `invalid`,
    `abandoned`, `disturbed`: its block was dropped because something stood still, or `unstored`:
    finished, but its samples are not in the folder. `telemetry` has the columns of
    TELEMETRY_SCHEMA, or is None. `notes` say openly what is missing, damaged or left out.
    """

    folder: Path
    manifest: dict[str, Any]
    spec: Spec
    trials: pd.DataFrame
    rounds: pd.DataFrame
    """One row per round event that is its round's last: `round`, `state`."""
    telemetry: pd.DataFrame | None
    status: Status
    notes: tuple[str, ...]
    rates: Mapping[str, Mapping[str, Any]]
    """The last `rates` event of each scenario."""
    proofs: tuple[Proof, ...]
    """What each session of the run saw when it looked whether the twins are the same."""
    distances: tuple[Mapping[str, Any], ...] = ()
    """The `distance` events: what was measured at each start, where a distance was asked for."""
    inspections: tuple[Inspection, ...] = ()
    """What was looked at between rounds: resources, settings, tables."""
    opinion: Opinion | None = None
    """What wrk saw beside our generator, or why it was not asked; None in a run without an end."""
    _kept: dict[tuple[str, str], LoadData] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, folder: Path) -> StoredRun:
        """Read a run's folder. Raises UsageError when it is none, StorageError when damaged."""
        return load_run(folder)

    @property
    def run(self) -> str:
        """The run's name."""
        return str(self.manifest["run"])

    @property
    def scenarios(self) -> tuple[str, ...]:
        """Scenario names in the order of the spec."""
        return tuple(scenario.name for scenario in self.spec.scenario)

    @property
    def arms(self) -> tuple[str, ...]:
        """All arm names, the run's baseline first."""
        names = [arm.name for arm in self.spec.arm]
        return (self.baseline, *(name for name in names if name != self.baseline))

    @property
    def baseline(self) -> str:
        """The arm that every other is compared with where a scenario does not name its own."""
        return str(self.manifest.get("baseline") or self.spec.arm[0].name)

    @property
    def placement(self) -> dict[str, tuple[int, ...]]:
        """Cores of generator, apps, database and relay; empty where nothing was pinned."""
        told = self.manifest.get("placement") or {}
        return {
            party: tuple(told.get(party) or ())
            for party in ("generator", "apps", "database", "relay")
        }

    @property
    def measured_instances(self) -> dict[str, frozenset[int]]:
        """The instances of each arm that any trial loaded."""
        return {
            str(arm): frozenset(int(each) for each in numbers)
            for arm, numbers in self.trials.groupby("arm")["instance"]
        }

    @property
    def cores(self) -> int:
        """Cores of the machine; 1 where that is not known."""
        host = self.manifest.get("host") or {}
        return int(host.get("cores") or 1)

    def arms_of(self, scenario: str) -> tuple[str, ...]:
        """Names of the arms that a scenario is for, its baseline first."""
        return self.scenario(scenario).arms or self.arms

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """Every baseline with each candidate it is compared with, in the order of the spec."""
        arms = (self.arms_of(scenario) for scenario in self.scenarios)
        return tuple(dict.fromkeys((base, each) for base, *others in arms for each in others))

    def scenario(self, name: str) -> Scenario:
        """The scenario called `name` as the spec has it."""
        return self.spec.scenario_named(name)

    def loads(self, scenario: str) -> tuple[LoadFacts, ...]:
        """The scenario's loads in order; empty when the run ended before its rates were known."""
        if event := self.rates.get(scenario):
            loads = event.get("loads") or ()
            return tuple(load_facts(entry) for entry in loads if "load" in entry)
        return loads_of_spec(self.spec.scenario_named(scenario))

    def trials_of(self, scenario: str, load: str, states: Sequence[str] = FINISHED) -> pd.DataFrame:
        """The trials of one scenario at one load, by default the finished ones only."""
        chosen = (self.trials["scenario"] == scenario) & (self.trials["load"] == load)
        return self.trials[chosen & self.trials["state"].isin(states)]

    def samples(
        self,
        scenario: str,
        load: str,
        states: Sequence[str] = FINISHED,
        columns: Sequence[str] = tuple(SAMPLE_SCHEMA.names),
    ) -> pd.DataFrame:
        """Samples across rounds, by default of finished trials only; read anew each time.

        `columns` are of SAMPLE_SCHEMA, `trial` among them: what is not asked for is not read.
        Times are nullable Int64 in ns, words are categories. Raises StorageError when a file is
        damaged.
        """
        rounds = sorted(set(self.trials.loc[self.trials["scenario"] == scenario, "round"]))
        files = [sample_file(self.folder, scenario, load, int(each)) for each in rounds]
        everything = read_samples([file for file in files if file.exists()], columns)
        wanted = everything["trial"].isin(self.trials_of(scenario, load, states)["trial"])
        return everything if wanted.all() else everything[wanted]

    def measured(self, scenario: str, facts: LoadFacts) -> LoadData:
        """Finished trials and samples of one scenario at one load, as arrays.

        Kept while the samples of all that is kept are MOST_KEPT or fewer: beyond, a place is read
        again whenever it is asked for, so that memory holds one at a time.
        """
        place = (scenario, facts.load)
        if place in self._kept:
            return self._kept[place]
        trials = self.trials_of(scenario, facts.load)
        samples = self.samples(scenario, facts.load, columns=JUDGED)
        data = load_data(facts, self.scenario(scenario).timeout_s, trials, samples)
        if sum(len(each.row) for each in self._kept.values()) + len(data.row) <= MOST_KEPT:
            self._kept[place] = data
        return data


def load_run(folder: Path) -> StoredRun:
    """Read a run's folder. Raises UsageError when it is none, StorageError when it is damaged."""
    manifest = read_manifest(folder)
    spec = _read_spec(manifest, folder)
    if manifest.get("baseline") not in (None, *(arm.name for arm in spec.arm)):
        raise _damaged(folder / "manifest.json", "its baseline is none of its arms")
    events, torn = read_events(folder / "journal.jsonl")
    lost = unreadable_trials(events)
    trials, missing = with_row_counts(trial_frame(events), folder)
    status, ending = status_of(events)
    trials, dropped = without_disturbed(trials, events)
    rates, odd = rates_of(events)
    proofs, unreadable = proofs_of(events)
    inspections, unknown = inspections_of(events)
    opinion, unread = opinion_of(events)
    telemetry, telemetry_notes = read_telemetry(folder / "telemetry.parquet")
    return StoredRun(
        folder=folder,
        manifest=manifest,
        spec=spec,
        trials=trials,
        rounds=round_frame(events),
        telemetry=telemetry,
        status=status,
        notes=(
            *ending,
            *torn,
            *lost,
            *(arms_apart(spec, trials) if kind_of(manifest) == "run" else ()),
            *odd,
            *missing,
            *telemetry_notes,
            *unreadable,
            *unknown,
            *dropped,
            *unread,
        ),
        distances=tuple(event for event in events if event["event"] == "distance"),
        rates=rates,
        proofs=proofs,
        inspections=inspections,
        opinion=opinion,
    )


def _read_spec(manifest: Mapping[str, Any], folder: Path) -> Spec:
    try:
        return Spec.model_validate(manifest.get("spec"))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "spec"
        raise StorageError(
            f"{folder / 'manifest.json'} cannot be used: spec: {where}: {first['msg']}.",
            hint="If another version made it, report it with that one (the manifest names its "
            "commit); else restore it from a copy.",
        ) from error


def _damaged(path: Path, why: object) -> StorageError:
    return StorageError(
        f"{path} cannot be used: {why}.",
        hint="Restore it from a copy, or measure again with bench run.",
    )
