"""Why to believe a run: nothing is said that does not hold for this run."""

import pytest

from reports.trust import why_to_believe
from tests.support.sample_summary import comparison, manifest, scenario, summary

SPEC = {"run": {"block_s": 30.0}, "arm": [{"name": "sync"}, {"name": "async"}], "scenario": []}


def narrow(candidate: str = "async"):
    return comparison(
        "capacity_per_s",
        "faster",
        9.0,
        (5.0, 13.0),
        scenario().loads[0],
        candidate=candidate,
        scope="these instances",
    )


def test_the_length_of_a_block_is_that_of_the_spec() -> None:
    text = why_to_believe(summary(), manifest(spec=SPEC))
    assert "Arms are loaded in turn, 30 s each" in text
    assert "several instances" in text


@pytest.mark.parametrize("several", [False, True])
def test_one_instance_is_not_called_several(several: bool) -> None:
    others = scenario().comparisons if several else ()
    compared = (narrow("there"), *others)
    text = why_to_believe(summary(scenario(comparisons=compared)), manifest(spec=SPEC))
    assert "Every arm runs as several instances" not in text
    assert "one instance only" in text
    assert ("Where there and sync are compared" in text) is several


def test_one_arm_takes_no_turns() -> None:
    alone = {**SPEC, "arm": [{"name": "sync"}]}
    text = why_to_believe(summary(scenario(comparisons=())), manifest(spec=alone))
    assert text == "The arm is loaded in many short trials, 30 s each."
