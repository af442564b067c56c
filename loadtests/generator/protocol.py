"""What the controller and its processes say to each other: frames over a socket; and what they
mean to a generator: orders in, outcomes out.

A frame is two lengths (4 and 8 bytes, big-endian), a JSON header and a payload; an outcome's
payload is its samples as one Arrow IPC stream. No Locust here: both ends import this.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from loadtests.errors import BenchError, EnvironmentNotReady, SpecError
from loadtests.scenarios.model import Scenario
from loadtests.sharing import Share
from loadtests.trials import ClosedLoad, OpenLoad, Target, TrialOrder, TrialOutcome

_LENGTHS = struct.Struct(">IQ")
_ERRORS: dict[str, type[BenchError]] = {
    error.__name__: error for error in (BenchError, EnvironmentNotReady, SpecError)
}


@dataclass(frozen=True, slots=True)
class Frame:
    """One message: `header["kind"]` says which."""

    header: dict[str, Any]
    payload: bytes = b""

    @property
    def kind(self) -> str:
        """setup, trial, start, cancel, close; ready, prepared, outcome, error; of a known-answer
        server: begin, end, close; ready, begun, log."""
        return str(self.header["kind"])


def send_frame(connection: Any, frame: Frame) -> None:
    """Write a frame to a blocking (or gevent) socket."""
    header = json.dumps(frame.header).encode()
    connection.sendall(_LENGTHS.pack(len(header), len(frame.payload)) + header)
    connection.sendall(frame.payload)


def receive_frame(connection: Any) -> Frame:
    """Read a frame. Raises EOFError when the other end is gone, TimeoutError as the socket says."""
    header_length, payload_length = _LENGTHS.unpack(_exactly(connection, _LENGTHS.size))
    header = json.loads(_exactly(connection, header_length))
    return Frame(header, _exactly(connection, payload_length))


def _exactly(connection: Any, count: int) -> bytes:
    data = bytearray(count)
    view = memoryview(data)
    while view:
        received = connection.recv_into(view)
        if not received:
            raise EOFError("the other end has closed the connection")
        view = view[received:]
    return bytes(data)


def setup_frame(
    targets: Sequence[Target], scenarios: Sequence[Scenario], folder: str, share: Share
) -> Frame:
    """Everything the generator needs to know before the first trial."""
    return Frame(
        {
            "kind": "setup",
            "targets": [dataclasses.asdict(target) for target in targets],
            "scenarios": [scenario.model_dump(by_alias=True) for scenario in scenarios],
            "folder": folder,
            "share": dataclasses.asdict(share),
        }
    )


def share_in(frame: Frame) -> Share:
    """The share of a setup frame."""
    return Share(**frame.header["share"])


def targets_in(frame: Frame) -> list[Target]:
    """The targets of a setup frame."""
    return [_target(facts) for facts in frame.header["targets"]]


def scenarios_in(frame: Frame) -> list[Scenario]:
    """The scenarios of a setup frame."""
    return [Scenario.model_validate(facts) for facts in frame.header["scenarios"]]


def _target(facts: dict[str, Any]) -> Target:
    headers = tuple((name, value) for name, value in facts["headers"])
    return Target(**{**facts, "headers": headers})


def trial_frame(order: TrialOrder) -> Frame:
    """An order on its way to the generator."""
    facts = dataclasses.asdict(order)
    return Frame({"kind": "trial", "model": type(order.load).__name__, "order": facts})


def order_in(frame: Frame) -> TrialOrder:
    """The order of a trial frame."""
    facts = frame.header["order"]
    model = ClosedLoad if frame.header["model"] == ClosedLoad.__name__ else OpenLoad
    return TrialOrder(
        **{**facts, "load": model(**facts["load"]), "target": _target(facts["target"])}
    )


def outcome_frame(outcome: TrialOutcome) -> Frame:
    """An outcome on its way to the controller."""
    facts = {
        field.name: getattr(outcome, field.name)
        for field in dataclasses.fields(outcome)
        if field.name != "samples"
    }
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, outcome.samples.schema) as writer:
        writer.write_table(outcome.samples)
    return Frame({"kind": "outcome", "outcome": facts}, sink.getvalue().to_pybytes())


def outcome_in(frame: Frame) -> TrialOutcome:
    """The outcome of an outcome frame."""
    with pa.ipc.open_stream(frame.payload) as reader:
        return TrialOutcome(samples=reader.read_all(), **frame.header["outcome"])


def error_frame(error: BenchError) -> Frame:
    """An error that a person can mend, on its way to the controller."""
    return Frame(
        {
            "kind": "error",
            "error": type(error).__name__,
            "message": error.message,
            "hint": error.hint,
        }
    )


def error_in(frame: Frame) -> BenchError:
    """The error of an error frame."""
    error = _ERRORS.get(frame.header["error"], BenchError)
    return error(frame.header["message"], hint=frame.header["hint"])
