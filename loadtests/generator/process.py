"""The generator's process: pins itself, waits for orders on an inherited socket, ends with its
controller. Started by `loadtests.generator_client` as `python -m loadtests.generator.process FD
[CPU …]`."""

from __future__ import annotations

import locust  # first: it makes the standard library cooperative  # isort: skip

import gc
import logging
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path

import gevent
from gevent.queue import Queue

from loadtests.errors import BenchError, EnvironmentNotReady
from loadtests.generator.conductor import Conductor
from loadtests.generator.protocol import (
    Frame,
    error_frame,
    order_in,
    outcome_frame,
    receive_frame,
    scenarios_in,
    send_frame,
    share_in,
    targets_in,
)
from loadtests.priority import GENERATOR, ahead_of_others

log = logging.getLogger("generator")


def main(arguments: list[str]) -> None:
    """Serve the controller until it is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the controller's to handle
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
    controller = socket.socket(fileno=int(arguments[0]))
    try:
        _prepare_process({int(core) for core in arguments[1:]})
        frames = _frames_until_controller_is_gone(controller)
        conductor = _set_up(frames.get(), controller, frames)
        with ahead_of_others(GENERATOR) as real_time:
            facts = {"locust": locust.__version__, "real_time": real_time}
        send_frame(controller, Frame({"kind": "ready", **facts}))
        _serve(controller, frames, conductor)
    except Exception as error:
        log.exception("the generator ends")
        with suppress(OSError):
            send_frame(controller, error_frame(_mendable(error)))
        sys.stderr.flush()
        os._exit(1)


def _prepare_process(cores: set[int]) -> None:
    if cores:
        os.sched_setaffinity(0, cores)
    _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most_files, most_files))


def _set_up(frame: Frame, controller: socket.socket, frames: Queue) -> Conductor:
    share, folder = share_in(frame), Path(frame.header["folder"])
    several = {"agree": lambda: _agree(controller, frames)} if share.of > 1 else {}
    conductor = Conductor(targets_in(frame), scenarios_in(frame), folder, share, **several)
    gc.collect()
    gc.freeze()  # what is loaded now stays; later collections look at a trial's leavings only
    gc.disable()  # the conductor collects between trials
    return conductor


def _frames_until_controller_is_gone(controller: socket.socket) -> Queue:
    """Frames as they arrive, read beside the trials, so that a closed socket ends the process at
    once."""
    frames = Queue()

    def read() -> None:
        try:
            while True:
                frames.put(receive_frame(controller))
        except (EOFError, OSError):
            os._exit(0)

    gevent.spawn(read)
    return frames


def _serve(controller: socket.socket, frames: Queue, conductor: Conductor) -> None:
    while True:
        frame: Frame = frames.get()
        if frame.kind == "close":
            conductor.close()
            os._exit(0)
        try:
            answer = outcome_frame(conductor.run(order_in(frame)))
        except BenchError as error:
            answer = error_frame(error)
        send_frame(controller, answer)


def _agree(controller: socket.socket, frames: Queue) -> int:
    """Say when a trial can start here and wait to be told when all processes start it.

    Raises BenchError when it does not take place, because another process cannot.
    """
    send_frame(controller, Frame({"kind": "prepared"}))
    told: Frame = frames.get()
    if told.kind == "start":
        return int(told.header["start_ns"])
    if told.kind == "close":
        os._exit(0)
    raise BenchError("The trial was called off.")


def _mendable(error: Exception) -> BenchError:
    if isinstance(error, BenchError):
        return error
    return EnvironmentNotReady(f"The load generator failed: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
