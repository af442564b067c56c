"""The arrows between the rooms go one way."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ALLOWED = {
    "apps": {"apps"},
    "loadtests": {"loadtests"},
    "reports": {"reports", "loadtests"},
    "scripts": {"scripts", "loadtests", "reports"},
}
SHAPES_FOR_REPORTS = {
    "loadtests.environment.connections",
    "loadtests.errors",
    "loadtests.inspection",
    "loadtests.journal",
    "loadtests.manifest",
    "loadtests.sameness.record",
    "loadtests.scenarios.model",
    "loadtests.second_opinion.record",
    "loadtests.secrets",
    "loadtests.selftest.behaviour",
    "loadtests.selftest.record",
    "loadtests.spec",
    "loadtests.spreads",
    "loadtests.store",
    "loadtests.trials",
    "loadtests.tuning.hazards",
    "loadtests.tuning.past",
    "loadtests.tuning.race",
    "loadtests.tuning.score",
    "loadtests.tuning.setting",
    "loadtests.tuning.space",
    "loadtests.tuning.spec",
    "loadtests.tuning.stages",
    "loadtests.tuning.start",
    "loadtests.tuning.world",
}
PURE = [
    "loadtests/arm.py",
    "loadtests/environment/server_settings.py",
    "loadtests/spec_model.py",
    "loadtests/plan.py",
    "loadtests/schedule.py",
    "loadtests/division.py",
    "loadtests/spreads.py",
    "loadtests/arrivals.py",
    "loadtests/trials.py",
    "loadtests/inspection.py",
    "loadtests/sharing.py",
    "loadtests/generator_count.py",
    "loadtests/second_opinion/plan.py",
    "loadtests/second_opinion/record.py",
    "loadtests/second_opinion/script.py",
    "loadtests/sameness/judge.py",
    "loadtests/sameness/record.py",
    "loadtests/sameness/requests.py",
    "loadtests/relay/delay_line.py",
    "loadtests/selftest/behaviour.py",
    "loadtests/selftest/cases.py",
    "loadtests/selftest/desk.py",
    "loadtests/selftest/plan.py",
    "loadtests/selftest/record.py",
    "loadtests/environment/connections.py",
    "loadtests/environment/placement.py",
    "loadtests/wall_time.py",
    *(
        f"loadtests/tuning/{name}.py"
        for name in (
            *(
                "checks",
                "hazards",
                "newcomers",
                "past",
                "race",
                "replay",
                "room",
                "score",
                "setting",
            ),
            *("space", "spec", "stages", "start", "world"),
        )
    ),
    "reports/ability.py",
    "reports/statistics.py",
    "reports/spreads.py",
    "reports/estimates.py",
    *(
        f"reports/compare/{name}.py"
        for name in (
            *("arms", "claims", "judge", "labels", "loads", "meetings", "questions", "ratio"),
            *("sentences", "setup", "tables"),
        )
    ),
    "reports/resolution.py",
    "reports/fairness.py",
    *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "reports" / "gates").glob("*.py")),
    "reports/csv_tables.py",
    *(
        f"reports/slowdown/{name}.py"
        for name in ("decide", "demand", "markdown", "model", "planned", "words")
    ),
    "reports/same_work.py",
    "reports/second_opinion.py",
    "reports/selftest/closed_checks.py",
    "reports/selftest/judge.py",
    "reports/selftest/match.py",
    "reports/selftest/model.py",
    "reports/selftest/noise.py",
    "reports/selftest/open_checks.py",
    "reports/selftest/theory.py",
    "reports/selftest/wire_checks.py",
    *(
        f"reports/tuning/{name}.py"
        for name in (
            "along",
            "changes",
            "charts/grid",
            "choose",
            "connections",
            "decide",
            "explain",
            "fair",
            "findings",
            "found",
            "hazards",
            "judge",
            "knee",
            "means",
            "model",
            "nearest",
            "numbers",
            "paired",
            "paste",
            "plateau",
            "record",
            "roles",
            "say",
            "score",
            "sentences",
            "tables",
            "terms",
            "turned",
        )
    ),
    "reports/verdicts.py",
]
IMPURE_MODULES = {"time", "os", "random", "socket", "subprocess", "datetime"}


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def modules(room: str) -> list[Path]:
    return sorted((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("room", sorted(ALLOWED))
def test_a_room_imports_only_what_it_may(room: str) -> None:
    assert modules(room)
    for path in modules(room):
        rooms = {name.split(".")[0] for name in imports(path)} & set(ALLOWED)
        assert rooms <= ALLOWED[room], path


def test_benchmarks_may_use_everything_and_only_tests_use_them() -> None:
    assert modules("benchmarks")
    for room in ALLOWED:
        for path in modules(room):
            assert "benchmarks" not in {name.split(".")[0] for name in imports(path)}, path


def test_reports_know_only_the_shapes_of_the_harness() -> None:
    for path in modules("reports"):
        used = {name for name in imports(path) if name.startswith("loadtests")}
        assert used <= SHAPES_FOR_REPORTS, path


@pytest.mark.parametrize("path", PURE)
def test_the_core_is_pure(path: str) -> None:
    names = {name.split(".")[0] for name in imports(ROOT / path)}
    assert not names & IMPURE_MODULES


def test_the_controller_never_imports_locust() -> None:
    for path in [*modules("scripts"), ROOT / "loadtests" / "run.py"]:
        assert not {name.split(".")[0] for name in imports(path)} & {"locust", "gevent"}, path
