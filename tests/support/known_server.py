"""A server whose answers are known beforehand, and which keeps a log of every request."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TIMING = "Server-Timing: thread;dur=0.25, pool;dur=1.5, db;dur=2, total;dur=4.75"
BODY = b'{"id": 1}'
BIG = b"x" * 300_000


@dataclass(frozen=True)
class Logged:
    """One request as the server saw it."""

    at_ns: int
    connection: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class KnownServer:
    """Answers by path: /status/N, /hang, /drop, /close, /chunked, /big; all else gets 200."""

    def __init__(self) -> None:
        self.log: list[Logged] = []
        self.stalls_ns: list[tuple[int, int]] = []
        self._to_come: tuple[tuple[float, float], ...] = ()
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        opened = asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self._server = asyncio.run_coroutine_threadsafe(opened, self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    def stall_after_the_first_request(self, *stalls: tuple[float, float]) -> None:
        """The next request begins a series of stalls: (after how many seconds, for how many).

        In each nobody is served (the whole event loop blocks).
        """
        self._to_come = stalls

    def _stall(self, seconds: float) -> None:
        begin_ns = time.monotonic_ns()
        time.sleep(seconds)
        self.stalls_ns.append((begin_ns, time.monotonic_ns()))

    def paths(self) -> Counter[str]:
        return Counter(logged.path for logged in self.log)

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            number = self.connections
            while await self._answer_one(number, reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer_one(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.strip().split("\r\n")
        fields = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in fields}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        method, path, _ = first.split(" ")
        self.log.append(Logged(time.monotonic_ns(), number, method, path, headers, body))
        for after_s, seconds in self._to_come:
            self._loop.call_later(after_s, self._stall, seconds)
        self._to_come = ()
        return await self._respond(method, path, writer)

    async def _respond(self, method: str, path: str, writer: asyncio.StreamWriter) -> bool:
        if path == "/hang":
            await asyncio.sleep(3600)
        if path == "/drop":
            return False
        if path.startswith("/status/"):
            status = path.split("/")[2].partition("?")[0]
            extra = "Location: /elsewhere\r\n" if status == "302" else ""
            body = b"" if status == "204" else BODY
            length = "" if status == "204" else f"Content-Length: {len(body)}\r\n"
            writer.write(f"HTTP/1.1 {status} X\r\n{extra}{length}\r\n".encode() + body)
        elif path == "/chunked":
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            for part in (b"5\r\nhello\r\n", b"3\r\nyou\r\n", b"0\r\n\r\n"):
                writer.write(part)
                await writer.drain()
        elif path == "/big":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BIG) + BIG)
        else:
            closing = "Connection: close\r\n" if path == "/close" else ""
            head = f"HTTP/1.1 200 OK\r\n{TIMING}\r\n{closing}Content-Length: {len(BODY)}\r\n\r\n"
            writer.write(head.encode() + (b"" if method == "HEAD" else BODY))
        await writer.drain()
        return path != "/close"


@contextmanager
def known_server() -> Iterator[KnownServer]:
    server = KnownServer()
    try:
        yield server
    finally:
        server.close()
