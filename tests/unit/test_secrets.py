"""Passwords, tokens and header values are masked; what is no secret stays readable."""

import pytest

from loadtests.secrets import (
    masked_command,
    masked_env,
    masked_json,
    masked_override,
    masked_path,
    masked_url,
)


@pytest.mark.parametrize(
    "override",
    [
        "run.database=mysql://me:hunter2@h/",
        'run.database="mysql://me:hunter2@h/"',
        "run.database=mysql://me:hun/ter2@h/",
        'run={ database = "mysql://me:hunter2@h/" }',
        "arm.x.headers.Authorization=Bearer hunter2",
        'arm.x.headers={ Authorization = "hunter2" }',
        "arm.x.env.TOKEN=hunter2",
        'arm.x.env.DB="mysql://u:hunter2@h:{port}/"',
        "arm.x.url=http://me:hunter2@h",
        'arm=[{ name = "x", url = "http://h", headers = { A = "hunter2" } }]',
        "scenario.s.request.r.headers.A=hunter2",
        "scenario.s.request.r.path=/x?api_key=hunter2",
        'scenario.s.request.r.json={ password = "hunter2" }',
        "scenario.s.request.r.json.password=hunter2",
    ],
)
def test_an_override_is_stored_without_its_secret(override: str) -> None:
    masked = masked_override(override)
    assert "hunter2" not in masked
    assert "ter2" not in masked
    assert "***" in masked
    assert masked.partition("=")[0] == override.partition("=")[0]


@pytest.mark.parametrize(
    "override",
    [
        "run.block_s=0.5",
        "run.database=local",
        "arm.x.headers.Authorization=env:TOKEN",
        'scenario.s.load={ model = "open", rate_per_s = 5 }',
        "scenario.s.request.r.keys={ from = 1, to = 5 }",
        "scenario.s.request.r.path=/items?page={key}&author=me",
    ],
)
def test_an_override_without_a_secret_stays(override: str) -> None:
    assert masked_override(override) == override


def test_a_command_line_is_masked_in_both_forms() -> None:
    words = ["bench", "run", "smoke", "--set", "arm.x.env.A=hunter2", "--set=arm.x.env.B=hunter2"]
    masked = masked_command([*words, "--out", "a b"])
    assert "hunter2" not in masked
    assert masked.endswith("--out 'a b'")
    assert masked.count("***") == 2


def test_queries_and_bodies_lose_what_looks_like_a_secret_only() -> None:
    assert masked_path("/items?token=abc&page={key}&key={key}") == (
        "/items?token=***&page={key}&key={key}"
    )
    assert masked_path("/items/{key}") == "/items/{key}"
    body = {"user": "me", "password": "p", "nested": [{"apiKey": "k", "n": 1}]}
    assert masked_json(body) == {
        "user": "me",
        "password": "***",
        "nested": [{"apiKey": "***", "n": 1}],
    }


def test_a_placeholder_beside_a_password_does_not_save_it() -> None:
    assert masked_env({"A": "mysql://u:hunter2@h:{port}/", "B": "{database_url}"}) == {
        "A": "mysql://u:***@h:{port}/",
        "B": "{database_url}",
    }
    assert masked_url("http://[::1") == "***"
