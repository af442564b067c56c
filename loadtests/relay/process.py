"""The relay's process, until TERM: `python -m loadtests.relay.process PORT HOST PORT DELAY_NS`."""

from __future__ import annotations

import gc
import json
import signal
import socket
import sys
from types import FrameType

from loadtests.priority import RELAY, ahead_of_others
from loadtests.relay.engine import BACKLOG, Engine, resolve


def main(arguments: list[str]) -> None:
    """Listen on a port of this machine, relay to another until TERM, then tell what was done."""
    port, host, upstream_port, one_way_ns = arguments
    try:
        upstream = resolve(host, int(upstream_port))
        listener = socket.create_server(("127.0.0.1", int(port)), backlog=BACKLOG)
    except OSError as error:
        sys.exit(f"127.0.0.1:{port} to {host}:{upstream_port}: {error}")
    engine = Engine(listener, upstream, int(one_way_ns))
    signal.signal(signal.SIGTERM, _end)
    gc.collect()
    gc.freeze()
    try:
        with ahead_of_others(RELAY):
            engine.run()
    except SystemExit:
        print(json.dumps(told(engine)), flush=True)


def told(engine: Engine) -> dict[str, float | int | None]:
    """What a relay did, as the last line of its log has it."""
    late = engine.lateness
    return {
        "connections": engine.connections,
        "passed_on": late.count,
        "late_p50_ms": late.percentile_ms(0.5),
        "late_p99_ms": late.percentile_ms(0.99),
    }


def _end(_number: int, _frame: FrameType | None) -> None:
    raise SystemExit


if __name__ == "__main__":
    main(sys.argv[1:])
