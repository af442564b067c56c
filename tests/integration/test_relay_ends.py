"""One end of a relayed connection on real sockets with buffers smaller than what is written."""

from __future__ import annotations

import random
import select
import socket
from collections.abc import Iterator

import pytest

from loadtests.relay.ends import CHUNK_BYTES, End

LIMIT_S = 20.0


@pytest.fixture
def pair() -> Iterator[tuple[End, socket.socket, select.epoll]]:
    """A connected end with a tiny send buffer, its peer, and the epoll it is watched by."""
    poller = select.epoll()
    with socket.create_server(("127.0.0.1", 0)) as server:
        ours = socket.create_connection(server.getsockname(), LIMIT_S)
        peer, _ = server.accept()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    peer.settimeout(LIMIT_S)
    end = End(poller, ours, connected=True)
    end.other = End(poller, socket.socket(), connected=False)
    yield end, peer, poller
    peer.close()
    end.close()
    end.other.close()
    poller.close()


def test_what_the_kernel_takes_in_parts_arrives_whole_and_its_end_last(
    pair: tuple[End, socket.socket, select.epoll],
) -> None:
    end, peer, poller = pair
    chunks = [random.Random(seed).randbytes(CHUNK_BYTES) for seed in range(64)]
    end.other.in_flight = 64 * CHUNK_BYTES
    for chunk in chunks:
        end.write(chunk)
    end.write(b"")
    assert end.unsent
    assert end.other.in_flight > 0
    received = b""
    while not end.write_ended:
        received += peer.recv(65536)
        if poller.poll(0):  # as the engine does when there is room
            end.flush()
    while part := peer.recv(65536):
        received += part
    assert received == b"".join(chunks)
    assert end.other.in_flight == 0
    assert not poller.poll(0)  # nothing is waited for any more


def test_a_closed_end_drops_what_waited_and_may_be_closed_again(
    pair: tuple[End, socket.socket, select.epoll],
) -> None:
    end, peer, _ = pair
    for _ in range(64):
        end.write(bytes(CHUNK_BYTES))
    end.close(reset=True)
    end.close()
    assert not end.unsent
    with pytest.raises(ConnectionResetError):
        read_to_the_end(peer)


def read_to_the_end(peer: socket.socket) -> None:
    while peer.recv(65536):
        pass
