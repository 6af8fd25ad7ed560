# SPDX-License-Identifier: Apache-2.0
"""A program on a terminal of its own, as a person in front of it has it: type, read, change the window's size."""
import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios
import time


class Terminal:
    def __init__(self, *argv):
        self.pid, self.screen = pty.fork()
        if self.pid == 0:
            os.execvp(argv[0], argv)

    def resize(self, rows, columns):
        fcntl.ioctl(self.screen, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, keys):
        os.write(self.screen, keys.encode())

    def expect(self, pattern, seconds=30):
        """Reads until the pattern has come, without the escape sequences."""
        seen, end = "", time.monotonic() + seconds
        while not re.search(pattern, re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]\r?", "", seen)):
            if not select.select([self.screen], [], [], max(0, end - time.monotonic()))[0]:
                sys.exit(f"expected {pattern!r}, saw {seen!r}")
            seen += self.read()

    def read(self):
        try:
            return os.read(self.screen, 4096).decode(errors="replace")
        except OSError:
            sys.exit("the program closed its terminal")

    def ask(self, line, answer, prompt):
        self.type(line + "\n")
        self.expect(re.escape(line) + r"\r\n" + answer + r"\r\n" + prompt)

    def end(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
