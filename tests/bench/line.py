#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A long and narrow line to a server, as a TCP proxy: each direction carries so many bits a second, all connections together and in
turn, and what was sent arrives half a round trip later. A new connection costs a round trip before its first byte. There is no loss and no
slow start: a line of this kind at its best. Counters say what went over it.

    line.py HOST:PORT --rtt-ms 50 --mbit 100 --counters FILE        prints the address that it listens on"""
import argparse
import asyncio
import mmap
import os
import signal
import struct
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PIECE = 16 << 10
ON_THE_WAY = 256      # pieces of a connection, far more than the line holds
CREDIT = 0.005        # seconds that a sender may be late without losing bandwidth: timers are not exact
COUNTERS = struct.Struct("=QQQ")


@dataclass(frozen=True)
class Counters:
    up: int = 0           # bytes to the server
    down: int = 0
    connections: int = 0

    def __sub__(self, other):
        return Counters(self.up - other.up, self.down - other.down, self.connections - other.connections)

    def __add__(self, other):
        return Counters(self.up + other.up, self.down + other.down, self.connections + other.connections)


class Line:
    """The proxy as a process of the bench's."""

    def __init__(self, server, rtt_ms, mbit, counters):
        self.server, self.rtt_ms, self.mbit, self.file = server, rtt_ms, mbit, Path(counters)
        self.process, self.address = None, ""

    def start(self):
        self.file.write_bytes(bytes(COUNTERS.size))
        self.process = subprocess.Popen(
            [sys.executable, __file__, self.server, "--rtt-ms", str(self.rtt_ms), "--mbit", str(self.mbit), "--counters", self.file],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, process_group=0)
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise OSError(f"the line to {self.server} does not come up")

    def counters(self):
        return Counters(*COUNTERS.unpack(self.file.read_bytes()))

    def stop(self):
        if self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process.stdout.close()
            self.process = None


class Direction:
    """Shared by all connections, which take turns piece by piece."""

    def __init__(self, bytes_per_s, delay, count):
        self.bytes_per_s, self.delay, self.count = bytes_per_s, delay, count
        self.turn, self.free_at = asyncio.Lock(), 0.0

    async def send(self, size):
        """Returns when the last byte has left; the time of its arrival."""
        now = asyncio.get_running_loop().time
        async with self.turn:
            self.free_at = max(self.free_at, now() - CREDIT) + size / self.bytes_per_s
            self.count(size)
            if self.free_at > now():
                await asyncio.sleep(self.free_at - now())
            return max(self.free_at, now()) + self.delay


async def carry(reader, writer, direction):
    waiting = asyncio.Queue(ON_THE_WAY)
    delivery = asyncio.create_task(deliver(waiting, writer))
    try:
        while data := await reader.read(PIECE):
            await waiting.put((await direction.send(len(data)), data))
        await waiting.put((await direction.send(0), b""))
        await delivery
    finally:
        delivery.cancel()


async def deliver(waiting, writer):
    now = asyncio.get_running_loop().time
    while True:
        when, data = await waiting.get()
        if when > now():
            await asyncio.sleep(when - now())
        if not data:
            writer.write_eof()
            return
        writer.write(data)
        await writer.drain()


class Proxy:
    def __init__(self, options):
        self.host, port = options.server.rsplit(":", 1)
        self.port, self.rtt = int(port), options.rtt_ms / 1000
        self.table, self.counted = options.counters, [0, 0, 0]
        rate = options.mbit * 1e6 / 8
        self.up, self.down = (Direction(rate, self.rtt / 2, lambda size, index=index: self.count(index, size)) for index in (0, 1))

    def count(self, index, size):
        self.counted[index] += size
        COUNTERS.pack_into(self.table, 0, *self.counted)

    async def connection(self, reader, writer):
        self.count(2, 1)
        await asyncio.sleep(self.rtt)
        try:
            far_reader, far_writer = await asyncio.open_connection(self.host, self.port)
        except OSError:
            writer.close()
            return
        ways = [asyncio.create_task(carry(*way)) for way in ((reader, far_writer, self.up), (far_reader, writer, self.down))]
        done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
        for task in ways:
            task.cancel()
        for task in done:
            task.exception()  # a connection that broke is the clients' matter
        for each in (writer, far_writer):
            each.close()

    async def serve(self):
        server = await asyncio.start_server(self.connection, "127.0.0.1", 0, backlog=256)
        print("127.0.0.1:%d" % server.sockets[0].getsockname()[1], flush=True)
        await server.serve_forever()


def counters_of(path):
    """The file as memory: a reader sees each count at once."""
    handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        return mmap.mmap(handle, COUNTERS.size)
    finally:
        os.close(handle)


def outrun_builders():
    """A line does not become slower because the machine is busy."""
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(30))
    except OSError:
        pass  # without the right to it the line is as good as the machine is quiet


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", metavar="HOST:PORT")
    parser.add_argument("--rtt-ms", type=float, required=True)
    parser.add_argument("--mbit", type=float, required=True)
    parser.add_argument("--counters", type=counters_of, required=True, metavar="FILE")
    options = parser.parse_args()
    outrun_builders()
    asyncio.run(Proxy(options).serve())


if __name__ == "__main__":
    main()
