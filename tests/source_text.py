# SPDX-License-Identifier: Apache-2.0
"""Reading our C++ sources without a compiler: which files there are, and their text with comments, strings and
preprocessor lines blanked (same length, same line breaks), so that brackets can be counted."""
import os
import re

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SOURCE_FOLDERS = ("snapshotter", "solver", "frontend", "builder", "cmd", "tests")
BLANKED = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"
    r'|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*',
    re.S | re.M)


def source_files():
    """Our .h and .cc files, relative to the root."""
    for folder in SOURCE_FOLDERS:
        for where, _, names in sorted(os.walk(os.path.join(ROOT, folder))):
            for name in sorted(names):
                if name.endswith((".h", ".cc")):
                    yield os.path.relpath(os.path.join(where, name), ROOT)


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


def blank(text):
    """The text with everything that is not code replaced by spaces."""
    return BLANKED.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1
