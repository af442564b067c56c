"""`bench up`: the database and one instance of every arm, until Ctrl-C."""

from __future__ import annotations

import json as json_module
import signal
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from loadtests.spec import load_spec
from scripts.console import say
from scripts.session import Session, open_session, sizes_here
from scripts.stopping import SIGNALS

LOOK_EVERY_S = 1.0


def up_command(source: str, overrides: tuple[str, ...], *, json: bool) -> int:
    """Bring everything up, say where, wait for Ctrl-C or TERM; returns the exit code."""
    spec = load_spec(source, overrides=overrides)
    sizes = replace(sizes_here(spec), instances=1)
    ended = threading.Event()
    with (
        tempfile.TemporaryDirectory(prefix="bench-up-") as folder,
        open_session(spec, sizes, run="up", log_folder=Path(folder)) as session,
    ):
        for number in SIGNALS:
            signal.signal(number, lambda *_: ended.set())
        print(_as_json(session) if json else _as_lines(session), flush=True)
        say("Up. Ctrl-C ends it.")
        while not ended.wait(LOOK_EVERY_S):
            session.check()
    return 0


def _as_lines(session: Session) -> str:
    return "\n".join(f"{i.target.arm} {i.target.url}" for i in session.instances)


def _as_json(session: Session) -> str:
    distance = session.distance
    return json_module.dumps(
        {
            "arms": {i.target.arm: i.target.url for i in session.instances},
            "database": session.database.masked_url(),
            **({"distance": distance.facts()} if distance else {}),
        }
    )
