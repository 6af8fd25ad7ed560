#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy that keeps every byte for a while, as a long line does: what comes leaves MILLISECONDS later, in both directions.

    delay_proxy.py HOST:PORT MILLISECONDS        prints the address that it listens on"""
import asyncio
import sys

delay = float(sys.argv[2]) / 1000
host, port = sys.argv[1].rsplit(":", 1)


async def carry(reader, writer):
    loop, waiting = asyncio.get_running_loop(), asyncio.Queue()

    async def deliver():
        while True:
            when, data = await waiting.get()
            await asyncio.sleep(max(0, when - loop.time()))
            if not data:
                writer.write_eof()
                return
            writer.write(data)
            await writer.drain()

    task = asyncio.create_task(deliver())
    try:
        while True:
            data = await reader.read(1 << 16)
            waiting.put_nowait((loop.time() + delay, data))
            if not data:
                break
        await task
    except OSError:
        task.cancel()


async def connection(reader, writer):
    await asyncio.sleep(2 * delay)  # the handshake's round trip
    try:
        far_reader, far_writer = await asyncio.open_connection(host, int(port))
    except OSError:
        writer.close()
        return
    await asyncio.gather(carry(reader, far_writer), carry(far_reader, writer))
    for each in (writer, far_writer):
        each.close()


async def main():
    server = await asyncio.start_server(connection, "127.0.0.1", 0)
    print("127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
