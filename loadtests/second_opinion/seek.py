"""The second opinion of a run: asked once its rounds are done, and written to its journal."""

from __future__ import annotations

from loadtests.errors import BenchError
from loadtests.rounds import partner
from loadtests.run_state import InterruptedByUser, Run, check_interruption
from loadtests.second_opinion.alternate import alternate
from loadtests.second_opinion.ours import counted
from loadtests.second_opinion.plan import TURN_S, NotPlanned, Plan
from loadtests.second_opinion.record import Opinion
from loadtests.second_opinion.wrk import Counted
from loadtests.trials import Target
from loadtests.unrecorded import unrecorded_trial


def seek_second_opinion(run: Run) -> None:
    """Load one instance of each arm with our generator and wrk in turn, and write down what both
    saw. The run is complete without it: what goes wrong on this machine or with wrk is only told.
    """
    if run.ask_wrk is None:
        return
    plan = run.sizes.second_opinion
    try:
        opinion = (
            Opinion(not_made=plan.reason) if isinstance(plan, NotPlanned) else _asked(run, plan)
        )
    except (InterruptedByUser, KeyboardInterrupt):
        opinion = Opinion(not_made="it was interrupted")
    except BenchError as error:
        opinion = Opinion(not_made=error.message)
    except OSError as error:
        opinion = Opinion(not_made=f"it could not be checked ({error})")
    run.store.journal.write("second-opinion", **opinion.model_dump(mode="json"))


def _asked(run: Run, plan: Plan) -> Opinion:
    run.watcher.say(f"Asking wrk for a second opinion, about {plan.seconds:.0f} s …")
    scenario, ask_wrk = run.spec.scenario_named(plan.scenario), run.ask_wrk
    assert ask_wrk is not None

    def ours(target: Target, seed: int) -> Counted:
        return counted(unrecorded_trial(run, scenario, target, TURN_S, seed))

    def wrks(target: Target, seed: int) -> Counted:
        check_interruption(run)
        found = ask_wrk(scenario, target, seed)
        run.bed.settle(target)  # wrk leaves without waiting for its last answers
        return found

    targets = {arm: partner(run, arm, run.origin.instance) for arm in plan.arms}
    for target in targets.values():  # puts tables back, if a trial before has written
        ours(target, run.spec.run.seed)
    return alternate(plan, targets, {"ours": ours, "wrk": wrks}, run.spec.run.seed)
