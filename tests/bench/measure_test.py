#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the bench measures with: commands at once, memory, the far line."""
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import measure
import memory
import series
from line import Counters, Line


class Folder(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)


class Sink:
    """A server that answers with a byte to each byte 'e' and swallows all others."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection:
            while received := connection.recv(1 << 16):
                connection.sendall(b"!" * received.count(b"e"))


class LongLine(Folder):
    def setUp(self):
        super().setUp()
        self.sink = Sink()
        self.addCleanup(self.sink.listener.close)

    def line(self, rtt_ms, mbit):
        line = Line(self.sink.address, rtt_ms, mbit, self.folder / "counters")
        self.addCleanup(line.stop)
        line.start()
        return line

    def connect(self, line):
        host, port = line.address.split(":")
        connection = socket.create_connection((host, int(port)))
        self.addCleanup(connection.close)
        return connection

    def send(self, line, content):
        """Until the last byte has been answered; the seconds."""
        start, connection = time.monotonic(), self.connect(line)
        connection.sendall(content + b"e")
        self.assertEqual(connection.recv(1), b"!")
        return time.monotonic() - start

    def test_each_byte_takes_a_round_trip_and_a_connection_one_more(self):
        connection = self.connect(self.line(60, 1000))
        times = []
        for _ in range(2):
            start = time.monotonic()
            connection.sendall(b"e")
            self.assertEqual(connection.recv(1), b"!")
            times.append(time.monotonic() - start)
        self.assertGreaterEqual(times[0], 0.119)
        self.assertGreaterEqual(times[1], 0.059)

    def test_connections_share_the_bandwidth_of_a_direction(self):
        line = self.line(0, 80)  # 10 MB/s
        alone = self.send(line, bytes(1_000_000))
        self.assertGreaterEqual(alone, 0.09)
        results = []
        clients = [threading.Thread(target=lambda: results.append(self.send(line, bytes(1_000_000)))) for _ in range(3)]
        for client in clients:
            client.start()
        for client in clients:
            client.join()
        self.assertGreaterEqual(max(results), 0.28)

    def test_what_went_over_it_is_counted(self):
        line = self.line(0, 1000)
        self.send(line, bytes(100_000))
        before = line.counters()
        self.assertEqual(before, Counters(100_001, 1, 1))
        self.send(line, b"")
        self.assertEqual(line.counters() - before, Counters(1, 1, 1))

    def test_who_goes_round_the_line_is_found_out(self):
        self.assertEqual(series.check_traffic(Counters(1_000_000, 500_000), 900_000, 0), 1.5)
        with self.assertRaises(ValueError):
            series.check_traffic(Counters(800_000, 500_000), 900_000, 0)

    def test_the_end_of_what_is_sent_arrives(self):
        connection = self.connect(self.line(10, 1000))
        connection.sendall(b"eee")
        connection.shutdown(socket.SHUT_WR)
        with connection.makefile("rb") as answer:
            self.assertEqual(answer.read(), b"!!!")


class Measuring(Folder):
    def test_clients_at_once_do_not_wait_for_each_other(self):
        gate = self.folder / "gate"
        os.mkfifo(gate)
        clients = [[["sh", "-c", f"echo open > {gate}"], ["true"]], [["sh", "-c", f"cat {gate}"]]]  # neither ends without the other
        wall, _ = measure.run_command(measure.AtOnce(clients), self.folder / "log", dict(os.environ), 20)
        self.assertLess(wall, 20)
        self.assertIn("open", (self.folder / "log-1").read_text())

    def test_one_client_that_fails_is_enough(self):
        with self.assertRaises(measure.Failed):
            measure.run_command(measure.AtOnce([[["true"]], [["false"]]]), self.folder / "log", dict(os.environ), 20)

    def test_the_memory_of_a_tool_is_that_of_all_its_processes(self):
        hold = "import sys; held = b'x' * (40 << 20); print(flush=True); sys.stdin.read()"
        tools = [subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(2)]
        for tool in tools:
            tool.stdout.readline()
        (self.folder / "cgroup.procs").write_text("".join(f"{pid}\n" for pid in (*(tool.pid for tool in tools), os.getpid())))
        with memory.Watch(self.folder) as watch:
            end = time.monotonic() + 10
            while not watch.peak_mb and time.monotonic() < end:
                time.sleep(0.01)
        for tool in tools:
            tool.communicate()
        self.assertGreater(watch.peak_mb, 80)
        self.assertLess(watch.peak_mb, 120)


if __name__ == "__main__":
    unittest.main()
