#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Which sources of a target share a translation unit where CMAKE_UNITY_BUILD is on (see unity.cmake).

Reads lines "target;source;source…" and prints one set_source_files_properties() per group. Two sources share a group only
if neither mentions a name that the other one defines for itself, in an unnamed namespace or as a macro: so each means in
company what it means alone, and nobody has to invent names because of a neighbour."""
import pathlib
import re
import sys

GROUP = 8  # sources in one translation unit: enough to make the headers cheap, few enough to keep two cores busy
UNNAMED = re.compile(r"^namespace \{$(.*?)^\}  // namespace$", re.M | re.S)
MACRO = re.compile(r"^#define (\w+)", re.M)
# At the start of a line, as clang-format leaves it: a type, or whatever stands before the first of ( { = ; [ of a declaration.
DEFINITION = re.compile(r"^(?:(?:struct|class|enum class|enum|union|using) (\w+)|(?!template|TEST)[A-Za-z][^\n(={;\[]*?\b(\w+) ?[(={;\[])", re.M)
MENTION = re.compile(r"(?<![\w.])(?<!->)(?<!std::)[A-Za-z_]\w*(?= ?[({<])|\b(?:k[A-Z]\w*|[A-Z]\w*)\b")


def defines(text):
    found = set(MACRO.findall(text))
    for part in UNNAMED.findall(text):
        found.update(a or b for a, b in DEFINITION.findall(part))
    return found


class Source:
    def __init__(self, path):
        text = pathlib.Path(path).read_text()
        self.path = path
        self.defined = defines(text)
        self.mentioned = set(MENTION.findall(text)) | self.defined

    def minds(self, other):
        return bool(self.defined & other.mentioned or other.defined & self.mentioned)


def groups_of(sources):
    size = -(-len(sources) // -(-len(sources) // GROUP))
    groups = []
    for source in sources:
        room = (g for g in groups if len(g) < size and not any(source.minds(other) for other in g))
        group = next(room, None)
        if group is None:
            group = []
            groups.append(group)
        group.append(source)
    return groups


def main():
    for line in sys.stdin:
        target, *paths = line.strip().split(";")
        for number, group in enumerate(groups_of([Source(path) for path in paths])):
            if len(group) > 1:
                print(f"set_source_files_properties({' '.join(s.path for s in group)} TARGET_DIRECTORY {target} PROPERTIES UNITY_GROUP {target}{number})")


main()
