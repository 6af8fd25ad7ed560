#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A way to a registry that breaks: TCP to HOST:PORT over a free loopback port, printed. A connection that carried more than BYTES
in one direction is reset, so often; the next ones last.

    cutting_proxy.py HOST:PORT BYTES TIMES"""
import asyncio
import socket
import struct
import sys

(host, port), limit, left = sys.argv[1].split(":"), int(sys.argv[2]), int(sys.argv[3])


async def pass_on(reader, writer, reset):
    global left
    moved = 0
    while data := await reader.read(1 << 16):
        moved += len(data)
        if left > 0 and moved > limit:
            left -= 1
            print(f"reset after {moved} bytes", file=sys.stderr, flush=True)
            return reset()
        writer.write(data)
        await writer.drain()
    writer.close()


async def serve(reader, writer):
    up_reader, up_writer = await asyncio.open_connection(host, port)

    def reset():
        for one in (writer, up_writer):
            one.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            one.transport.abort()

    await asyncio.gather(pass_on(reader, up_writer, reset), pass_on(up_reader, writer, reset), return_exceptions=True)


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    print("127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
