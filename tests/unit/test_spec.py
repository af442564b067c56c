"""Specs: what is read, what is refused, and how the refusal reads."""

from pathlib import Path

import pytest

from loadtests.errors import SpecError
from loadtests.spec import load_spec, profile_names
from loadtests.spec_errors import line_of

MINIMAL = """
[[arm]]
name = "sync"
app = "sync"

[[scenario]]
name = "read-one"
"""


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "my.toml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def refusal(tmp_path: Path, text: str, *overrides: str) -> str:
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, text), overrides=overrides, environ={})
    return str(caught.value)


@pytest.mark.parametrize("profile", profile_names())
def test_every_profile_is_valid(profile: str) -> None:
    spec = load_spec(profile, environ={})
    assert all(len(spec.arms_of(scenario)) == 2 for scenario in spec.scenario)


def test_the_contract_s_profiles_exist() -> None:
    assert {"smoke", "quick", "standard", "full", "specimens"} <= set(profile_names())


def test_a_built_in_scenario_brings_its_requests(tmp_path: Path) -> None:
    spec = load_spec(write(tmp_path, MINIMAL), environ={})
    assert spec.scenario[0].request[0].path == "/items/{key}"
    assert spec.scenario[0].judged_request == "read"


def test_the_contract_s_example_of_own_arms_and_requests(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    spec = load_spec(
        write(
            tmp_path,
            """
[[arm]]
name = "mine"
command = "uvicorn shop.main:app --port {port}"
cwd = "shop"
env = { DATABASE_URL = "{database_url}", POOL = "{pool_size}" }
ready = "/health"
reset = "./reset.sh"
git_ref = "main"
[[arm]]
name = "staging"
url = "http://127.0.0.1:9000"
headers = { Authorization = "env:STAGING_TOKEN" }
[[scenario]]
name = "my-mix"
load = { model = "open", rate_per_s = 200, arrivals = "poisson" }
timeout_s = 10
[[scenario.request]]
name = "read"
method = "GET"
path = "/items/{key}"
keys = { from = 1, to = 10000 }
weight = 3
[[scenario.request]]
name = "create"
method = "POST"
path = "/objects/items"
json = { name = "n-{key}", price = 100 }
keys = { from = 1, to = 5 }
expect_status = [201]
""",
        ),
        environ={},
    )
    assert [arm.kind for arm in spec.arm] == ["command", "url"]
    assert spec.scenario[0].writes
    assert spec.scenario[0].request[1].expect_status == (201,)


@pytest.mark.parametrize(
    ("replace", "by", "expected"),
    [
        ('app = "sync"', 'app = "sync"\nworkers = 0', 'my.toml:5: arm "sync" workers'),
        ('app = "sync"', 'app = "sync"\ncolour = 1', 'my.toml:5: arm "sync" colour: unknown key'),
        ('app = "sync"', 'app = "sinc"', "'sinc' is not built in"),
        ('app = "sync"', 'app = "sync"\ndriver = "asyncmy"', "does not fit app 'sync'"),
        ('app = "sync"', 'app = "sync"\nurl = "http://x"', "exactly one of app, command, url"),
        ('app = "sync"', 'command = "server"', "use {port}"),
        ('app = "sync"', 'command = "server {prot}"', "unknown placeholder {prot}"),
        ('app = "sync"', 'command = "server {port"', "command"),
        ('name = "read-one"', 'name = "nope"', "'nope' is not built in"),
        (
            'name = "read-one"',
            'name = "read-one"\nload = { model = "open", rate_per_s = -1 }',
            'my.toml:8: scenario "read-one" load rate_per_s',
        ),
        ('name = "read-one"', 'name = "read-one"\nload = { model = "open" }', "needs rate_per_s"),
        ('name = "sync"', 'name = "a b"', 'arm "a b" name'),
        ('[[scenario]]\nname = "read-one"', "", "my.toml: scenario: at least one is needed"),
        (MINIMAL, 'scenario = "read-one"\n[[arm]]\nname = "s"\napp = "sync"', "[[scenario]]"),
        ('name = "sync"', 'name = "sync', "not valid TOML"),
        ('app = "sync"', 'app = "sync"\nworkers = "4"', 'my.toml:5: arm "sync" workers'),
        ('app = "sync"', 'app = "sync"\nworkers = true', 'my.toml:5: arm "sync" workers'),
        ('app = "sync"', 'app = "sync"\npool_timeout_s = inf', "finite"),
        ('app = "sync"', 'url = "http://h:99999"', "host or port"),
        ('app = "sync"', 'url = "http://[::1"', "host or port"),
        ('app = "sync"', 'url = "http://h/?token=x"', "never sent"),
        ('app = "sync"', 'url = "http://h"\nreset = "a \'b"', "reset cannot be split"),
        ('app = "sync"', 'url = "http://h"\nreset = " "', "reset is empty"),
        ('name = "read-one"', 'name = ["x"]', "my.toml:7: scenario"),
        ('name = "read-one"', "", "name: missing"),
        (
            'name = "read-one"',
            'name = "read-one"\nload = { model = "open", rate_per_s = inf }',
            "my.toml:8",
        ),
        (
            'name = "read-one"',
            'name = "x"\n[[scenario.request]]\nname = "r"\npath = "/"\njson = { at = 2026-01-01 }',
            "cannot be sent as JSON",
        ),
        ("\n[[arm]]", "[run]\nbudget_s = inf\n[[arm]]", "my.toml:2: run budget_s"),
        (
            "\n[[arm]]",
            '[run]\ndatabase = "mysql://u:p@h:99999/"\n[[arm]]',
            "my.toml:2: run database",
        ),
    ],
)
def test_a_wrong_spec_is_refused_by_file_line_and_key(
    tmp_path: Path, replace: str, by: str, expected: str
) -> None:
    assert replace in MINIMAL
    message = refusal(tmp_path, MINIMAL.replace(replace, by))
    assert "my.toml" in message
    assert expected in message


@pytest.mark.parametrize("seed", [None, 7])
@pytest.mark.parametrize("environ", [{}, {"BENCH_DATABASE_URL": "mysql://u@h/"}])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[[run]]\nseed = 1\n" + MINIMAL, "my.toml:1: run must be written as one [run] table"),
        ("run = 3\n" + MINIMAL, "my.toml:1: run must be written"),
        ('arm = [1]\n[[scenario]]\nname = "read-one"', "my.toml:1: arm must be written as [[arm]]"),
    ],
)
def test_tables_of_the_wrong_kind_are_refused_whatever_is_typed_beside_them(
    tmp_path: Path, text: str, expected: str, environ: dict[str, str], seed: int | None
) -> None:
    with pytest.raises(SpecError) as caught:
        load_spec(write(tmp_path, text), overrides=["arm.x.workers=1"], seed=seed, environ=environ)
    assert expected in str(caught.value)


def test_what_was_typed_is_blamed_and_not_the_file(tmp_path: Path) -> None:
    for override, expected in (
        ("arm.sync.workers=0", '--set arm.sync.workers: arm "sync" workers: '),
        ("run=3", "--set run: run must be written"),
        ("arm=[1]", "--set arm: arm must be written"),
        ("scenario.0.load={ model = 'open' }", "--set scenario.0.load: "),
        ("scenario.0.name=nope", "--set scenario.0.name: scenario 'nope'"),
        ("run.database=mysql://u:hunter2@h:99999/", "--set run.database: run database: "),
    ):
        message = refusal(tmp_path, MINIMAL, override)
        assert message.startswith(expected)
        assert "my.toml" not in message
        assert "hunter2" not in message
    beside = refusal(tmp_path, MINIMAL, "arm.sync.driver=asyncmy")
    assert "my.toml:2 (with --set arm.sync.driver): arm" in beside


def test_a_wrong_variable_is_blamed_without_its_password(tmp_path: Path) -> None:
    for url in ("mysql://u:hunter2@h:99999/", "postgres://u:hunter2@h/", "mysql://u:hunter2@"):
        with pytest.raises(SpecError) as caught:
            load_spec(write(tmp_path, MINIMAL), environ={"BENCH_DATABASE_URL": url})
        assert str(caught.value).startswith("BENCH_DATABASE_URL: run database: ")
        assert "hunter2" not in str(caught.value)
        assert ("auto, docker, local, none or mysql://" in str(caught.value)) == (url[0] == "p")
    with pytest.raises(SpecError, match="--seed -1: run seed"):
        load_spec(write(tmp_path, MINIMAL), seed=-1, environ={})


def test_one_wrong_number_is_one_line(tmp_path: Path) -> None:
    message = refusal(tmp_path, "[run]\ninstances = -1\n" + MINIMAL)
    assert message.splitlines()[0].endswith("run instances: Input should be greater than 0")
    assert len(message.splitlines()) == 2  # the problem and the hint


OBJECTIVE = "[run]\nobjective = { p99_ms = 3000 }\n"


def test_an_objective_is_below_the_timeout_of_what_is_under_open_load(tmp_path: Path) -> None:
    patient = OBJECTIVE + MINIMAL
    load_spec(write(tmp_path, patient), environ={})
    message = refusal(tmp_path, f"{patient}timeout_s = 3.0\n")
    assert message.startswith(str(tmp_path / "my.toml:2: run objective p99_ms: not below"))
    assert "the timeout of scenario 'read-one' (3 s)" in message


@pytest.mark.parametrize(
    ("before", "more"),
    [("", "timeout_s = 0.05\n"), (OBJECTIVE, 'timeout_s = 3.0\nload = { model = "closed" }\n')],
)
def test_an_objective_that_nobody_asked_for_or_needs_is_in_nobodys_way(
    tmp_path: Path, before: str, more: str
) -> None:
    load_spec(write(tmp_path, before + MINIMAL + more), environ={})


def test_an_arm_named_twice_is_refused(tmp_path: Path) -> None:
    assert "'sync' is named twice" in refusal(
        tmp_path, MINIMAL + '[[arm]]\nname="sync"\napp="async"'
    )


TWO_ARMS = MINIMAL.replace("[[scenario]]", '[[arm]]\nname = "b"\napp = "async"\n\n[[scenario]]')


def test_a_scenario_names_its_arms_and_its_baseline(tmp_path: Path) -> None:
    text = TWO_ARMS + 'arms = ["b", "sync"]\n[[scenario]]\nname = "crud-mix"\n'
    spec = load_spec(write(tmp_path, text), environ={})
    named, of_all = spec.scenario
    assert [arm.name for arm in spec.arms_of(named)] == ["b", "sync"]
    assert [arm.name for arm in spec.arms_of(of_all)] == ["sync", "b"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ('arms = ["sync", "c"]', "my.toml:12: scenario \"read-one\" arms: no arm is called 'c'"),
        ('arms = ["b", "b"]', "my.toml:12: scenario \"read-one\" arms: arm 'b' is named twice"),
        ("arms = []", 'my.toml:12: scenario "read-one" arms: at least one is needed'),
        ('arms = ["sync"]', "my.toml:7: arm \"b\" name: no scenario is for arm 'b'"),
        ("expect_errors = true", "expect_errors needs a closed load"),
        ("block_s = 0", 'my.toml:12: scenario "read-one" block_s'),
    ],
)
def test_arms_that_cannot_be_are_refused_by_line(tmp_path: Path, more: str, expected: str) -> None:
    assert expected in refusal(tmp_path, f"{TWO_ARMS}{more}\n")


def test_a_baseline_is_never_expected_to_fail(tmp_path: Path) -> None:
    more = 'arms = ["b", "sync"]\nload = { model = "closed" }\nexpect_errors = true\nblock_s = 3\n'
    spec = load_spec(write(tmp_path, TWO_ARMS + more), environ={})
    [scenario] = spec.scenario
    assert not spec.expects_errors(scenario, "b")
    assert spec.expects_errors(scenario, "sync")
    assert (spec.block_s_of(scenario), spec.run.block_s) == (3.0, 1.0)


def test_a_specimen_without_a_gate_has_none_unless_it_is_given_one(tmp_path: Path) -> None:
    text = MINIMAL.replace('app = "sync"', 'app = "sync-ungated"')
    assert load_spec(write(tmp_path, text), environ={}).arm[0].admission == -1
    given = load_spec(write(tmp_path, text), overrides=["arm.sync.admission=3"], environ={})
    assert given.arm[0].admission == 3
    assert load_spec(write(tmp_path, MINIMAL), environ={}).arm[0].admission == 0


def test_a_missing_file_lists_the_profiles() -> None:
    with pytest.raises(SpecError, match="smoke"):
        load_spec("no-such-profile", environ={})
    with pytest.raises(SpecError) as misspelt:
        load_spec("quik", environ={})
    assert misspelt.value.hint.startswith("Did you mean quick?")


@pytest.mark.parametrize("value", ["-1", "nan", "inf", "1001"])
def test_a_distance_that_cannot_be_is_refused(tmp_path: Path, value: str) -> None:
    assert "database_rtt_ms" in refusal(tmp_path, MINIMAL, f"run.database_rtt_ms={value}")


def test_a_distance_needs_a_database_of_ours_and_reaches_every_arm(tmp_path: Path) -> None:
    far = f"[run]\ndatabase_rtt_ms = 2.0\n{MINIMAL}"
    assert load_spec(write(tmp_path, far), environ={}).run.database_rtt_ms == 2.0
    assert 'database = "none"' in refusal(tmp_path, far, "run.database=none")
    for arm in ('url = "http://127.0.0.1:9000"', 'command = "server {port}"'):
        message = refusal(tmp_path, f'{far}[[arm]]\nname = "mine"\n{arm}\n')
        assert "'mine' does not take {database_url}" in message
    told = 'command = "server {port}"\nenv = { URL = "{database_url}" }'
    load_spec(write(tmp_path, f'{far}[[arm]]\nname = "mine"\n{told}\n'), environ={})


def test_overrides_reach_tables_arms_by_name_and_by_position(tmp_path: Path) -> None:
    spec = load_spec(
        write(tmp_path, MINIMAL),
        overrides=["run.block_s=0.5", "arm.sync.pool_size=20", "scenario.0.timeout_s=3"],
        seed=7,
        environ={},
    )
    assert (spec.run.block_s, spec.run.seed) == (0.5, 7)
    assert (spec.arm[0].pool_size, spec.scenario[0].timeout_s) == (20, 3)


@pytest.mark.parametrize(
    ("override", "expected"),
    [("block_s", "KEY=VALUE"), ("arm.nope.workers=2", "'nope'"), ("run.nope=2", "unknown key")],
)
def test_a_wrong_override_is_named(tmp_path: Path, override: str, expected: str) -> None:
    assert expected in refusal(tmp_path, MINIMAL, override)


def test_the_environment_s_database_replaces_auto_only(tmp_path: Path) -> None:
    environ = {"BENCH_DATABASE_URL": "mysql://u:p@127.0.0.1/x"}
    path = write(tmp_path, MINIMAL)
    assert load_spec(path, environ=environ).run.database == environ["BENCH_DATABASE_URL"]
    local = load_spec(path, environ=environ, overrides=["run.database=local"])
    assert local.run.database == "local"


def test_a_password_never_shows_in_a_spec_s_repr(tmp_path: Path) -> None:
    spec = load_spec(
        write(tmp_path, MINIMAL), environ={"BENCH_DATABASE_URL": "mysql://u:hunter2@127.0.0.1/x"}
    )
    assert "hunter2" not in repr(spec)


def test_line_of_counts_tables_of_the_same_name() -> None:
    text = "[[a]]\nx = 1\n[[a]]\n[[a.b]]\ny = 1\n[[a.b]]\ny = 2\n"
    assert line_of(text, ("a", 1, "b", 1, "y")) == 7
    assert line_of(text, ("a", 0, "x")) == 2
    assert line_of(text, ("a", 1, "missing")) == 3
