"""Captures packet times on the loopback interface, where the system lets us (CAP_NET_RAW)."""

from __future__ import annotations

import ctypes
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from loadtests.selftest.record import WireTimes

LOOPBACK = "lo"
ETH_P_IP = 0x0800
_SO_ATTACH_FILTER, _SO_TIMESTAMPNS, _SO_RCVBUFFORCE = 26, 35, 33
_SOL_PACKET, _PACKET_STATISTICS = 263, 6
BUFFER_BYTES = 32 * 2**20
SNAP_BYTES = 256
LOOK_EVERY_S = 0.05
_TIMESPEC = struct.Struct("@qq")
_ASKED = re.compile(rb"^[A-Z]+ /(\d+) ")
NS_PER_S = 1_000_000_000


@dataclass
class Capture:
    """Packets with a payload to or from one port, as they passed: instant, peer's port, payload."""

    port: int
    packets: list[tuple[int, int, bool, bytes]] = field(default_factory=list)
    """Instant (ns of the wall clock), the client's port, whether it is a request, payload."""
    dropped: int = 0
    why_not: str = ""
    wall_ahead_ns: int = 0

    def times(self) -> WireTimes:
        """When each key's request and answer passed, in ns of `time.monotonic_ns`."""
        if self.why_not:
            return WireTimes(why_not=self.why_not)
        if self.dropped:
            return WireTimes(why_not=f"{self.dropped} packets were not kept up with")
        return paired(self.packets, self.wall_ahead_ns)


def paired(packets: list[tuple[int, int, bool, bytes]], wall_ahead_ns: int) -> WireTimes:
    """PURE: each request with the first packet of the answer to it on the same connection."""
    rows: list[tuple[int, int, int]] = []
    open_requests: dict[int, tuple[int, int]] = {}
    for at_ns, client, is_request, payload in packets:
        if is_request and (found := _ASKED.match(payload)):
            open_requests[client] = (int(found[1]), at_ns - wall_ahead_ns)
        elif not is_request and client in open_requests:
            key, asked_ns = open_requests.pop(client)
            rows.append((key, asked_ns, at_ns - wall_ahead_ns))
    table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
    return WireTimes(table[:, 0], table[:, 1], table[:, 2])


@contextmanager
def captured(port: int) -> Iterator[Capture]:
    """Capture within the block; where it is not allowed the capture says why and stays empty."""
    capture = Capture(port)
    try:
        sock = _open(port)
    except OSError as error:
        capture.why_not = f"not allowed here ({error.strerror or error})"
    if capture.why_not:
        yield capture
        return
    ended = threading.Event()
    reader = threading.Thread(target=_read, args=(sock, capture, ended), daemon=True)
    before_ns = _wall_ahead_ns()
    reader.start()
    try:
        yield capture
    finally:
        ended.set()
        reader.join()
        capture.dropped = _dropped(sock)
        capture.wall_ahead_ns = (before_ns + _wall_ahead_ns()) // 2
        sock.close()


def _open(port: int) -> socket.socket:
    """A packet socket for one TCP port, stamping packets in the kernel. Raises OSError."""
    if not sys.platform.startswith("linux"):
        raise OSError("no packet sockets on this system")
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
    try:
        _attach_filter(sock, port)
        sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        try:
            sock.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, BUFFER_BYTES)
        except PermissionError:  # only root may go beyond the system's limit
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        sock.bind((LOOPBACK, ETH_P_IP))
        sock.settimeout(LOOK_EVERY_S)
    except OSError:
        sock.close()
        raise
    return sock


def filter_program(port: int) -> bytes:
    """PURE: classic BPF that lets TCP packets from or to `port` pass (see bpf(4)): four numbers an
    instruction: code, where to go if true, if false, operand. The packet begins with its IP header.
    """
    instructions = (
        (0x30, 0, 0, 9),  # load the IP protocol
        (0x15, 0, 6, 6),  # TCP, else refuse
        (0xB1, 0, 0, 0),  # X = length of the IP header
        (0x48, 0, 0, 0),  # load the source port
        (0x15, 2, 0, port),
        (0x48, 0, 0, 2),  # load the destination port
        (0x15, 0, 1, port),
        (0x06, 0, 0, SNAP_BYTES),  # accept
        (0x06, 0, 0, 0),  # refuse
    )
    return b"".join(struct.pack("=HBBI", *each) for each in instructions)


def _attach_filter(sock: socket.socket, port: int) -> None:
    program = ctypes.create_string_buffer(filter_program(port))
    length = (len(program) - 1) // 8
    described = struct.pack("@HP", length, ctypes.addressof(program))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, described)


def _read(sock: socket.socket, capture: Capture, ended: threading.Event) -> None:
    space = socket.CMSG_SPACE(_TIMESPEC.size)
    while True:
        try:
            packet, ancillary, _, _ = sock.recvmsg(SNAP_BYTES, space)
        except TimeoutError:
            if ended.is_set():
                return
            continue
        for level, kind, value in ancillary:
            if level == socket.SOL_SOCKET and kind == _SO_TIMESTAMPNS:
                seconds, nanoseconds = _TIMESPEC.unpack(value[: _TIMESPEC.size])
                _keep(capture, seconds * NS_PER_S + nanoseconds, packet)


def _keep(capture: Capture, at_ns: int, packet: bytes) -> None:
    header = 4 * (packet[0] & 0x0F)
    source, destination = struct.unpack_from("!HH", packet, header)
    payload = packet[header + 4 * (packet[header + 12] >> 4) :]
    if payload:
        is_request = destination == capture.port
        client = source if is_request else destination
        capture.packets.append((at_ns, client, is_request, payload))


def _dropped(sock: socket.socket) -> int:
    """Packets that found the socket's buffer full (packet(7), PACKET_STATISTICS)."""
    _, dropped = struct.unpack("@II", sock.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
    return int(dropped)


def _wall_ahead_ns() -> int:
    """The wall clock, in which the kernel stamps packets, minus the monotonic clock."""
    tries = []
    for _ in range(20):
        before_ns = time.monotonic_ns()
        wall_ns = time.time_ns()
        after_ns = time.monotonic_ns()
        tries.append((after_ns - before_ns, wall_ns - (before_ns + after_ns) // 2))
    return min(tries)[1]
