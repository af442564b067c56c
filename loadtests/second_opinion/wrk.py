"""Loads one server with wrk for a moment."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import BaseModel, NonNegativeInt, ValidationError

from loadtests.errors import EnvironmentNotReady
from loadtests.generator.messages import messages_for
from loadtests.priority import GENERATOR, ahead_of_others
from loadtests.scenarios.model import Scenario
from loadtests.second_opinion.plan import TURN_S
from loadtests.second_opinion.script import WINDOW_S, lua_script
from loadtests.trials import Target

START_AND_END_S = 15.0


@dataclass(frozen=True, slots=True)
class Counted:
    """What wrk counted: good answers per second, and requests that got none."""

    per_s: float
    failed: int


class _Told(BaseModel):
    """The script's last line."""

    good: NonNegativeInt
    failed: NonNegativeInt


def wrk_is_installed() -> bool:
    """Whether wrk can be run here as we run it (the script is passed in memory: Linux)."""
    return shutil.which("wrk") is not None and hasattr(os, "memfd_create")


def load_with_wrk(scenario: Scenario, target: Target, seed: int) -> Counted:
    """The scenario's requests from its number of users for TURN_S, each on one connection.

    wrk runs on the calling thread's cores, and like our generator before its neighbours where the
    system allows it. Raises EnvironmentNotReady when it fails.
    """
    messages = messages_for(scenario.request, target.url, target.headers)
    script = lua_script(scenario.request, messages, seed)
    place = urlsplit(target.url)
    url = f"{place.scheme}://{place.netloc.rpartition('@')[2]}/"
    return _counted(_run(url, scenario.load.users, math.ceil(scenario.timeout_s), script))


def _run(url: str, users: int, timeout_s: int, script: str) -> str:
    """What wrk says."""
    try:
        with _in_memory(script) as descriptor:
            command = [
                *("wrk", "-t1", f"-c{users}", f"-d{TURN_S}s", "--timeout", f"{timeout_s}s"),
                *("-s", f"/proc/self/fd/{descriptor}", url),
            ]
            with ahead_of_others(GENERATOR):  # inherited
                process = subprocess.Popen(
                    command, pass_fds=[descriptor], stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
                    text=True, errors="replace",
                )  # fmt: skip
            return _said(process, TURN_S + START_AND_END_S)
    except OSError as error:
        raise EnvironmentNotReady(f"wrk could not be run: {error.strerror or error}.") from error


@contextmanager
def _in_memory(script: str) -> Iterator[int]:
    """A descriptor of the script, which may hold a token and so never is a file on a disk."""
    descriptor = os.memfd_create("wrk.lua")
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(script.encode())
        yield descriptor
    finally:
        os.close(descriptor)


def _said(process: subprocess.Popen[str], within_s: float) -> str:
    try:
        said, _ = process.communicate(timeout=within_s)
    except BaseException as error:
        process.kill()
        process.communicate()
        if isinstance(error, subprocess.TimeoutExpired):
            raise EnvironmentNotReady(f"wrk did not end within {within_s:g} s.") from error
        raise
    if process.returncode:
        raise EnvironmentNotReady(f"wrk failed (exit code {process.returncode}): {_last(said)}")
    return said


def _counted(said: str) -> Counted:
    try:
        told = _Told.model_validate_json(_last(said))
    except ValidationError as error:
        raise EnvironmentNotReady(f"wrk did not say what it counted: {_last(said)}") from error
    return Counted(per_s=told.good / WINDOW_S, failed=told.failed)


def _last(said: str) -> str:
    return next((line for line in reversed(said.splitlines()) if line.strip()), "nothing")
