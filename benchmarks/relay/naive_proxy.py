"""What one would write first: an asyncio proxy that sleeps before it passes on; for comparison.

    python naive_proxy.py PORT UPSTREAM_PORT ONE_WAY_S

Chunks are not held up by those before them, so it needs a task and a timer for each.
"""

from __future__ import annotations

import asyncio
import sys


async def _pass_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, delay_s: float
) -> None:
    loop = asyncio.get_running_loop()
    while data := await reader.read(65536):
        loop.call_later(delay_s, writer.write, data)


async def _main(port: int, upstream_port: int, delay_s: float) -> None:
    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("127.0.0.1", upstream_port)
        await asyncio.gather(
            _pass_on(reader, far_writer, delay_s), _pass_on(far_reader, writer, delay_s)
        )
        writer.close()
        far_writer.close()

    server = await asyncio.start_server(relay, "127.0.0.1", port)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
