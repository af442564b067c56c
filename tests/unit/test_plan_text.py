"""What a person is told before and during a run speaks of what that run measures."""

import pytest

from loadtests.scenarios.catalogue import READ_ONE
from loadtests.scenarios.model import LoadSpec
from loadtests.schedule import Sizes
from loadtests.spec import Arm, Spec
from reports.summarise import Interim
from scripts.console import interim_line
from scripts.plan_text import plan_text

SIZES = Sizes(12, 2, 1, 60.0, 20.0, rounds_are_fixed=True)
OPEN = LoadSpec(model="open", rate_per_s=100.0)


def spec_of(*loads: LoadSpec) -> Spec:
    return Spec(
        arm=(Arm(name="sync", app="sync"), Arm(name="async", app="async")),
        scenario=tuple(
            READ_ONE.model_copy(update={"name": f"s{number}", "load": load})
            for number, load in enumerate(loads)
        ),
    )


@pytest.mark.parametrize("loads", [(LoadSpec(),), (OPEN, LoadSpec(model="closed", users=4))])
def test_a_plan_with_a_closed_load_says_what_capacity_it_resolves(
    loads: tuple[LoadSpec, ...],
) -> None:
    assert "smallest capacity change it expects to find: " in plan_text(spec_of(*loads), SIZES)


def test_a_plan_of_open_loads_only_promises_nothing_about_capacity() -> None:
    text = plan_text(spec_of(OPEN), SIZES)
    assert "capacity change" not in text
    assert "p95 varies more" in text


def test_interim_lines_name_candidate_measure_and_request() -> None:
    line = interim_line(Interim("read-one", "mine", "response_ms.p95", "read", -24.1, 5.2))
    assert line.split() == ["mine", "read-one", "p95", "of", "read", "−24%", "±5.2"]
    early = interim_line(Interim("read-one", "mine", "capacity_per_s", None, None, None))
    assert early.split() == ["mine", "read-one", "capacity", "no", "interval", "yet"]
