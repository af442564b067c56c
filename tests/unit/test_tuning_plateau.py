"""Which finalists cannot be told apart from the best, and which of them is taken."""

from loadtests.tuning.score import Objective, Score
from loadtests.tuning.setting import Setting
from reports.tuning.knee import Scored
from reports.tuning.plateau import plateau_of

OBJECTIVE = Objective(p99_ms=100.0)
SMALL, LARGE = Setting(8), Setting(16)


def passes(*late_at_the_top: int, late_below: int = 0) -> list[Scored]:
    """Two loads 16% apart, 3000 requests each; each pass has so many late at the higher one."""
    return [
        Scored(unit, Score(rate, 3000, late, 0))
        for unit, top in enumerate(late_at_the_top)
        for rate, late in ((340.0, late_below), (400.0, top))
    ]


def test_a_few_late_requests_more_in_every_pass_are_no_difference() -> None:
    plateau = plateau_of({SMALL: passes(60, 80), LARGE: passes(57, 76)}, OBJECTIVE)
    assert plateau is not None
    assert plateau.best == LARGE
    assert plateau.members == (SMALL, LARGE)
    assert plateau.taken == SMALL
    assert plateau.alternate == LARGE


def test_what_is_surely_worse_is_not_on_it() -> None:
    plateau = plateau_of(
        {SMALL: passes(2500, 2800, 2600, late_below=1500), LARGE: passes(30, 60, 20)}, OBJECTIVE
    )
    assert plateau is not None
    assert plateau.members == (LARGE,)
    assert plateau.taken == LARGE
    assert plateau.alternate is None


def test_without_a_finalist_that_met_the_objective_there_is_none() -> None:
    assert plateau_of({SMALL: passes(3000, 3000, late_below=3000)}, OBJECTIVE) is None
    assert plateau_of({}, OBJECTIVE) is None
