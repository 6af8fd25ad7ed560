#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A slow way to a server: TCP to HOST:PORT over a free loopback port, printed, with BYTES a second for all connections
together. Each Authorization header that goes to the server is a line on standard error.

    slow_proxy.py HOST:PORT BYTES"""
import asyncio
import re
import sys

(host, port), rate = sys.argv[1].split(":"), int(sys.argv[2])
AUTHORIZATION = re.compile(rb"\r\nauthorization: ([^\r]*)\r\n", re.IGNORECASE)
LONGEST_HEAD = 1 << 16
turn = asyncio.Lock()


def tell_logins(seen):
    """What is left to look at when more comes."""
    end = 0
    for match in AUTHORIZATION.finditer(seen):
        print(match.group(1).decode(errors="replace"), file=sys.stderr, flush=True)
        end = match.end() - 2
    return seen[end:][-LONGEST_HEAD:]


async def pass_on(reader, writer, is_request):
    seen = b""
    try:
        while data := await reader.read(1 << 14):
            seen = tell_logins(seen + data) if is_request else b""
            async with turn:
                await asyncio.sleep(len(data) / rate)
            writer.write(data)
            await writer.drain()
    finally:
        writer.close()


async def serve(reader, writer):
    up_reader, up_writer = await asyncio.open_connection(host, port)
    await asyncio.gather(pass_on(reader, up_writer, True), pass_on(up_reader, writer, False), return_exceptions=True)


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print("127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
