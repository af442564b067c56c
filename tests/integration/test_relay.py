"""The relay between real sockets and in front of a real database: bytes, order, ends, resets."""

from __future__ import annotations

import hashlib
import os
import random
import select
import signal
import socket
import socketserver
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from loadtests.environment.mysql import Address
from loadtests.environment.probes import InstanceProbe
from loadtests.environment.processes import free_port
from loadtests.environment.relay import Relay, running_relay
from loadtests.errors import EnvironmentNotReady
from loadtests.relay.ends import WINDOW_BYTES
from tests.integration.test_environment_processes import running, wait_until

RTT_MS = 4.0
LIMIT_S = 20.0
CUT_OFF = struct.pack("ii", 1, 0)


class Peer(socketserver.ThreadingTCPServer):
    """A real TCP server whose connections are handed to a function, each in a thread."""

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.serve = serve
        super().__init__(("127.0.0.1", 0), Handler)


class Handler(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        self.request.settimeout(LIMIT_S)
        assert isinstance(self.server, Peer)
        self.server.serve(self.request)


def echo(connection: socket.socket) -> None:
    """Back what comes, until its end."""
    while data := connection.recv(65536):
        connection.sendall(data)


@contextmanager
def relayed(
    folder: Path, serve: Callable[[socket.socket], None], rtt_ms: float = RTT_MS
) -> Iterator[Relay]:
    with Peer(serve) as peer:
        thread = threading.Thread(target=peer.serve_forever, args=(0.02,))
        thread.start()
        try:
            address = Address("127.0.0.1", peer.server_address[1], "", "")
            with running_relay(address, rtt_ms, cores=(), log_folder=folder) as relay:
                yield relay
        finally:
            peer.shutdown()
            thread.join()


def connect(relay: Relay) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", relay.port), LIMIT_S)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection: socket.socket, count: int) -> bytes:
    parts = []
    while count:
        part = connection.recv(min(count, 1 << 16))
        assert part, "it ended too early"
        parts.append(part)
        count -= len(part)
    return b"".join(parts)


def test_bytes_come_back_in_order_whatever_the_sizes_and_never_before_the_delay(
    tmp_path: Path,
) -> None:
    """Several connections at once, chunks from one byte to more than a read, interleaved."""
    generator = random.Random(7)
    sizes = [1, 7, 1_400, 20, 65_536, 3, 70_000, 16_384]
    with relayed(tmp_path, echo) as relay, ExitStack() as stack:
        peers = [stack.enter_context(closing(connect(relay))) for _ in range(5)]
        sent = dict.fromkeys(peers, b"")
        for size in sizes * 3:
            peer = generator.choice(peers)
            chunk = generator.randbytes(size)
            peer.sendall(chunk)
            sent[peer] += chunk
        for peer in peers:
            assert receive(peer, len(sent[peer])) == sent[peer]
        started_ns = time.monotonic_ns()
        peers[0].sendall(b"x")
        receive(peers[0], 1)
        took_ms = (time.monotonic_ns() - started_ns) / 1e6
        assert took_ms > RTT_MS - 0.3  # what leaves early, leaves by at most 0.15 ms a way


def test_big_payloads_arrive_whole_in_both_directions_at_once(tmp_path: Path) -> None:
    """40 MB each way at the same time: many times the window and the sockets' own buffers."""
    size = 40 * WINDOW_BYTES
    up, down = (random.Random(seed).randbytes(size) for seed in (1, 2))
    received: list[str] = []

    def serve(connection: socket.socket) -> None:
        sender = threading.Thread(target=connection.sendall, args=(down,))
        sender.start()
        received.append(hashlib.sha256(receive(connection, size)).hexdigest())
        sender.join()
        connection.sendall(b"!")

    with relayed(tmp_path, serve, 0.5) as relay, closing(connect(relay)) as client:
        sender = threading.Thread(target=client.sendall, args=(up,))
        sender.start()
        assert hashlib.sha256(receive(client, size)).digest() == hashlib.sha256(down).digest()
        sender.join()
        assert receive(client, 1) == b"!"
        assert received == [hashlib.sha256(up).hexdigest()]


def test_a_reader_that_stops_holds_its_sender_back_and_costs_bounded_memory(tmp_path: Path) -> None:
    """The sender stalls once window and socket buffers are full; then all of it arrives."""
    size = 64 * WINDOW_BYTES
    payload = random.Random(3).randbytes(size)
    go_on = threading.Event()
    digests: list[str] = []

    def serve(connection: socket.socket) -> None:
        assert go_on.wait(LIMIT_S)
        digests.append(hashlib.sha256(receive(connection, size)).hexdigest())
        connection.sendall(b"!")

    with relayed(tmp_path, serve) as relay, closing(connect(relay)) as client:
        client.setblocking(False)
        before = InstanceProbe(relay.child.pid).read().rss_mb
        sent = 0
        while select.select([], [client], [], 1.0)[1]:  # a whole second without room: it stalls
            sent += client.send(payload[sent : sent + 65536])
        assert sent < size // 2
        after = InstanceProbe(relay.child.pid).read().rss_mb
        assert before is not None
        assert after is not None
        assert after - before < 4 * WINDOW_BYTES / 2**20
        cpu_s = relay.cpu_s()
        assert not select.select([], [client], [], 0.5)[1]
        idle_s = relay.cpu_s()
        assert cpu_s is not None
        assert idle_s is not None
        assert idle_s - cpu_s < 0.1  # it waits, it does not spin
        go_on.set()
        client.settimeout(LIMIT_S)
        client.sendall(payload[sent:])
        assert receive(client, 1) == b"!"
    assert digests == [hashlib.sha256(payload).hexdigest()]


def test_half_closed_connections_still_answer(tmp_path: Path) -> None:
    def serve(connection: socket.socket) -> None:
        count = 0
        while data := connection.recv(65536):
            count += len(data)
        connection.sendall(str(count).encode())

    with relayed(tmp_path, serve) as relay, closing(connect(relay)) as client:
        client.sendall(b"x" * 300_000)
        client.shutdown(socket.SHUT_WR)
        assert client.recv(100) == b"300000"
        assert client.recv(100) == b""


def test_the_server_s_end_comes_after_its_last_bytes(tmp_path: Path) -> None:
    with (
        relayed(tmp_path, lambda connection: connection.sendall(b"y" * 200_000)) as relay,
        closing(connect(relay)) as client,
    ):
        assert receive(client, 200_000) == b"y" * 200_000
        assert client.recv(1) == b""


@pytest.mark.parametrize("who", ["client", "server"])
def test_a_reset_reaches_the_other_side(tmp_path: Path, who: str) -> None:
    seen: list[str] = []
    happened = threading.Event()

    def wait_for_it(connection: socket.socket) -> None:
        try:
            while connection.recv(100):
                pass
            seen.append("end")
        except ConnectionResetError:
            seen.append("reset")
        happened.set()

    def cut(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT_OFF)
        connection.close()

    def serve(connection: socket.socket) -> None:
        connection.sendall(b"hello")
        if who == "client":
            wait_for_it(connection)
        else:
            connection.recv(1)
            cut(connection)

    with relayed(tmp_path, serve) as relay, closing(connect(relay)) as client:
        assert receive(client, 5) == b"hello"
        if who == "client":
            cut(client)
        else:
            client.sendall(b"!")
            wait_for_it(client)
        assert happened.wait(LIMIT_S)
    assert seen == ["reset"]


def test_nobody_behind_the_relay_is_a_reset(tmp_path: Path) -> None:
    address = Address("127.0.0.1", free_port(), "", "")
    with (
        running_relay(address, RTT_MS, cores=(), log_folder=tmp_path) as relay,
        closing(connect(relay)) as client,
        pytest.raises(ConnectionResetError),
    ):
        client.recv(1)


def test_hundreds_of_connections_at_once_and_their_descriptors_are_given_back(
    tmp_path: Path,
) -> None:
    with relayed(tmp_path, echo) as relay:
        with ExitStack() as stack:
            clients = [stack.enter_context(closing(connect(relay))) for _ in range(300)]
            for turn in range(3):
                for number, client in enumerate(clients):
                    client.sendall(struct.pack("ii", turn, number))
                for number, client in enumerate(clients):
                    assert struct.unpack("ii", receive(client, 8)) == (turn, number)
            assert descriptors(relay) > 600
        wait_until(lambda: descriptors(relay) < 20)
        relay.check()


def descriptors(relay: Relay) -> int:
    return len(os.listdir(f"/proc/{relay.child.pid}/fd"))


def test_a_relay_that_ends_is_an_error_with_its_log_and_stays_away(tmp_path: Path) -> None:
    with relayed(tmp_path, echo) as relay:
        relay.check()
        os.kill(relay.child.pid, signal.SIGKILL)
        wait_until(lambda: not relay.child.alive())
        with pytest.raises(EnvironmentNotReady, match=r"relay to the database has ended .*-9"):
            relay.check()
        with pytest.raises(ConnectionRefusedError):
            connect(relay)


def test_a_host_that_cannot_be_found_is_told(tmp_path: Path) -> None:
    address = Address("no-such-host.invalid", 3306, "", "")
    with (
        pytest.raises(EnvironmentNotReady, match=r"did not start[\s\S]*no-such-host.invalid:3306"),
        running_relay(address, RTT_MS, cores=(), log_folder=tmp_path),
    ):
        pass


def test_it_tells_what_it_did_and_leaves_no_process(tmp_path: Path) -> None:
    with relayed(tmp_path, echo) as relay:
        with closing(connect(relay)) as client:
            for _ in range(20):
                client.sendall(b"x")
                receive(client, 1)
        cpu_s = relay.cpu_s()
        pid = relay.child.pid
    assert cpu_s is not None
    assert cpu_s > 0
    assert not running(pid)
    told = relay.told()
    assert told["connections"] == 1
    assert told["passed_on"] >= 40
    assert told["late_p50_ms"] <= told["late_p99_ms"]
