"""The desk of the known-answer server, and what is read off the wire."""

from __future__ import annotations

import struct

from loadtests.selftest.behaviour import Behaviour, Fate, Service, Stall
from loadtests.selftest.desk import Desk
from loadtests.selftest.record import LOG_COLUMNS, NEVER
from loadtests.selftest.wire import filter_program, paired

MS = 1_000_000
FIVE_MS = Service("constant", 0.005)


def log_of(desk: Desk) -> list[dict[str, int]]:
    return [dict(zip(LOG_COLUMNS, row, strict=True)) for row in desk.log().tolist()]


def test_everybody_at_once_or_one_after_the_other() -> None:
    for one, due_ms in ((False, [5, 6, 25]), (True, [5, 10, 25])):
        desk = Desk(Behaviour(FIVE_MS, one_at_a_time=one), seed=1)
        for key, at_ms in enumerate((0, 1, 20)):
            desk.take_in(key, connection=7, now_ns=at_ms * MS)
        assert [row["due_ns"] // MS for row in log_of(desk)] == due_ms
        assert desk.next_ns == 5 * MS


def test_an_answer_that_is_late_does_not_make_the_next_one_late() -> None:
    desk = Desk(Behaviour(FIVE_MS, one_at_a_time=True), seed=1)
    desk.take_in(0, 1, 0)
    assert desk.due(4 * MS) is None
    assert desk.due(9 * MS) == (0, 1, Fate.ANSWERED)
    desk.ended(0, 9 * MS)
    desk.take_in(1, 2, 6 * MS)
    first, second = log_of(desk)
    assert (first["due_ns"], first["end_ns"]) == (5 * MS, 9 * MS)
    assert (second["start_ns"], second["due_ns"], second["end_ns"]) == (6 * MS, 11 * MS, NEVER)


def test_what_is_never_answered_is_in_the_log_and_in_nobody_s_way() -> None:
    desk = Desk(Behaviour(FIVE_MS, one_at_a_time=True, unanswered_share=1.0), seed=1)
    desk.take_in(0, 1, 0)
    assert desk.next_ns is None
    assert log_of(desk)[0]["due_ns"] == NEVER


def test_a_stall_is_counted_from_the_first_request() -> None:
    desk = Desk(Behaviour(FIVE_MS, stall=Stall(2.0, 1.0)), seed=1)
    desk.take_in(0, 1, 1000 * MS)
    desk.take_in(1, 1, 1500 * MS)
    assert desk.stall_ns == (3000 * MS, 4000 * MS)


def test_what_is_due_when_a_stall_begins_is_answered_after_it() -> None:
    desk = Desk(Behaviour(FIVE_MS, stall=Stall(0.005, 0.020)), seed=1)
    desk.take_in(0, 1, 0)
    desk.take_in(1, 2, 1 * MS)
    assert desk.stall_until_ns(4 * MS) is None
    assert desk.due(7 * MS) is None
    assert desk.stall_until_ns(7 * MS) == 25 * MS
    assert desk.stall_until_ns(25 * MS) is None
    assert [desk.due(25 * MS), desk.due(25 * MS)] == [
        (0, 1, Fate.ANSWERED),
        (1, 2, Fate.ANSWERED),
    ]


def test_what_is_due_before_a_stall_is_answered_before_it() -> None:
    desk = Desk(Behaviour(FIVE_MS, stall=Stall(0.006, 0.020)), seed=1)
    desk.take_in(0, 1, 0)
    assert desk.due(7 * MS) == (0, 1, Fate.ANSWERED)
    assert desk.next_ns == 6 * MS


def test_requests_and_answers_on_the_wire_are_paired_by_connection() -> None:
    packets = [
        (100, 40001, True, b"GET /11 HTTP/1.1\r\n"),
        (110, 40002, True, b"GET /12 HTTP/1.1\r\n"),
        (150, 40002, False, b"HTTP/1.1 200 OK"),
        (160, 40001, False, b"HTTP/1.1 200 OK"),
        (161, 40001, False, b"the rest of it"),
        (170, 40001, True, b"GET /13 HTTP/1.1\r\n"),
    ]
    wire = paired(packets, wall_ahead_ns=50)
    assert wire.key.tolist() == [12, 11]
    assert wire.asked_ns.tolist() == [60, 50]
    assert wire.answered_ns.tolist() == [100, 110]


def accepts(packet: bytes, port: int) -> bool:
    """Runs the filter as bpf(4) describes its instructions."""
    program = list(struct.iter_unpack("=HBBI", filter_program(port)))
    at = accumulator = index = 0
    while True:
        code, if_true, if_false, operand = program[at]
        at += 1
        if code == 0x30:
            accumulator = packet[operand]
        elif code == 0x48:
            [accumulator] = struct.unpack_from("!H", packet, index + operand)
        elif code == 0xB1:
            index = 4 * (packet[operand] & 0xF)
        elif code == 0x15:
            at += if_true if accumulator == operand else if_false
        else:
            assert code == 0x06
            return operand > 0


def test_the_filter_lets_one_port_s_packets_pass() -> None:
    def packet(protocol: int, source: int, destination: int, options: int = 0) -> bytes:
        header = bytearray(20 + options)
        header[0] = 0x40 + len(header) // 4
        header[9] = protocol
        return bytes(header) + struct.pack("!HH", source, destination)

    assert accepts(packet(6, 8000, 5), 8000)
    assert accepts(packet(6, 5, 8000, options=8), 8000)
    assert not accepts(packet(6, 5, 8001), 8000)
    assert not accepts(packet(17, 5, 8000), 8000)
