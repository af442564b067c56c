"""Two twins side by side: equal ones pass, and each way of differing is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.sameness import judge
from loadtests.sameness.judge import Answer, Observed
from loadtests.sameness.record import Work
from loadtests.sameness.requests import OPERATIONS, generated

ASKS = generated(1, 5)
READ = Work(statements={"SELECT 1 ": 1, "ROLLBACK ": 2}, driver={"execute": 1, "rollback": 2})
ODD = Answer(422, (("content-type", "application/problem+json"),), b"{}")


def observed(name: str, **kept: object) -> Observed:
    found = Observed(
        name=name,
        interface=Answer(200, (), b"{}"),
        operations=tuple((Answer(each.status, (), b'{"id":1}'), READ) for each in OPERATIONS),
        generated=(ODD,) * len(ASKS),
        generated_work=READ,
        connection=None,
    )
    return replace(found, **kept)  # type: ignore[arg-type]


def with_first(answer: Answer | None = None, work: Work | None = None) -> Observed:
    """The async twin with another answer to, or other work for, the first operation."""
    twin = observed("async")
    first = (answer or twin.operations[0][0], work or twin.operations[0][1])
    return replace(twin, operations=(first, *twin.operations[1:]))


HERE = observed("sync")


def test_equal_twins_pass_and_say_how_much_was_compared() -> None:
    there = observed("async")
    assert judge.interface(HERE, there).ok
    work = judge.work(HERE, there, OPERATIONS)
    assert work.ok
    assert f"the same {3 * (len(OPERATIONS) + 1)} statements" in work.detail
    answers = judge.answers(HERE, there, OPERATIONS, ASKS)
    assert answers.ok
    assert f"{len(ASKS) + 5} of them errors" in answers.detail


def test_another_interface_is_seen_and_so_is_none() -> None:
    there = observed("async", interface=Answer(200, (), b"{ }"))
    assert judge.interface(HERE, there).ok is False
    gone = Answer(404, (), b"")
    both = [observed(name, interface=gone) for name in ("sync", "async")]
    assert judge.interface(*both).ok is False


@pytest.mark.parametrize(
    ("work", "said"),
    [
        (Work(statements={"SELECT 1 ": 2, "ROLLBACK ": 2}, driver=READ.driver),
         "get: SELECT 1  1× in sync, 2× in async"),
        (Work(statements={"SELECT 2 ": 1, "ROLLBACK ": 2}, driver=READ.driver), "SELECT 2"),
        (Work(statements=READ.statements, driver={"execute": 1, "rollback": 2, "ping": 1}),
         "driver's ping 0× in sync, 1× in async"),
        (Work(statements=None, driver={"execute": 2, "rollback": 2}), "driver's execute"),
        (Work(statements={}, driver=None), "SELECT 1"),
    ],
)  # fmt: skip
def test_other_work_is_seen_by_server_or_driver(work: Work, said: str) -> None:
    side = judge.work(HERE, with_first(work=work), OPERATIONS)
    assert side.ok is False
    assert said in side.detail


def test_other_work_for_generated_requests_is_seen() -> None:
    there = observed("async", generated_work=Work(statements={}, driver=READ.driver))
    side = judge.work(HERE, there, OPERATIONS)
    assert side.ok is False
    assert "the generated requests" in side.detail


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (Work(statements=None, driver=READ.driver), judge.NO_DIGESTS),
        (Work(statements=READ.statements, driver=None), judge.NOT_COUNTED),
        (Work(statements={}, driver=READ.driver), judge.UNDERCOUNTED),
    ],
)
def test_what_was_not_counted_proves_nothing(work: Work, why: str) -> None:
    """Nothing counted in either twin is equal, too."""
    both = [
        observed(
            name,
            operations=tuple((answer, work) for answer, _ in HERE.operations),
            generated_work=work,
        )
        for name in ("sync", "async")
    ]
    side = judge.work(both[0], both[1], OPERATIONS)
    assert (side.ok, side.detail) == (None, why)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (Answer(200, (), b'{"id":2}'), "get (GET /items/7): the bodies differ"),
        (Answer(200, (("allow", "GET"),), b'{"id":1}'), "the headers differ"),
        (Answer(404, (), b'{"id":1}'), "get: 404 in async, 200 expected"),
        (Answer(None, (), b"ConnectionResetError()"), "200 in sync, no answer in async"),
    ],
)
def test_other_answers_are_seen(answer: Answer, said: str) -> None:
    side = judge.answers(HERE, with_first(answer), OPERATIONS, ASKS)
    assert side.ok is False
    assert said in side.detail


def test_twins_that_fail_alike_do_not_pass() -> None:
    broken = tuple((Answer(500, (), b"{}"), READ) for _ in OPERATIONS)
    both = [observed(name, operations=broken) for name in ("sync", "async")]
    assert judge.answers(both[0], both[1], OPERATIONS, ASKS).ok is False
    silent = (Answer(None, (), b"gone"),) * len(ASKS)
    both = [observed(name, generated=silent) for name in ("sync", "async")]
    assert judge.answers(both[0], both[1], OPERATIONS, ASKS).ok is False


def test_the_moment_of_writing_is_set_aside_and_seeded_times_are_not() -> None:
    def at(moment: str) -> Answer:
        return Answer(200, (), f'{{"created_at":"{moment}","id":1}}'.encode())

    now = at("2026-11-01T12:00:00.123456")
    assert now.comparable == at("2026-11-01T12:00:01").comparable
    assert at("2026-01-01T00:00:00").comparable != now.comparable


def test_many_differences_are_told_briefly() -> None:
    assert judge.listed(["a", "b"]) == "a; b"
    assert judge.listed(list("abcdef")) == "a; b; c; d; and 2 more"
    assert judge.shortened("x" * 100) == "x" * 59 + "…"


class TestRequests:
    def test_the_same_seed_asks_the_same(self) -> None:
        assert generated(7, 50) == generated(7, 50)
        assert generated(7, 50) != generated(8, 50)

    def test_everything_that_is_asked_can_be_sent(self) -> None:
        for ask in (*generated(3, 500), *(operation.ask for operation in OPERATIONS)):
            assert ask.path.isascii()
            assert not set(ask.path) & set(" \r\n"), ask
            assert ask.path.startswith("/")

    def test_every_kind_of_request_is_drawn(self) -> None:
        kinds = {
            (ask.method, ask.path.split("?")[0].rpartition("/")[0]) for ask in generated(1, 80)
        }
        assert len(kinds) >= 9
