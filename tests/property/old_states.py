#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""State directories of earlier and of later schemas: an earlier one opens, has its images, and its steps are found; a later one is
refused by both numbers and not touched. The tables of each earlier schema are in testdata/states; their rows come from a build
with this mybuild, as far as the schema had a place for them.

    old_states.py --mybuild BINARY --base LAYOUT --work DIR --states testdata/states"""
import argparse
import contextlib
import glob
import os
import re
import shutil
import sqlite3
import subprocess
import sys

from state_world import Tally, World


def columns(database, table):
    return [row[1] for row in database.execute(f"PRAGMA {table}")]


def rewrite(root, sql):
    """Makes state.db anew with the tables of `sql` and what rows they can hold; returns their number."""
    path = os.path.join(root, "state.db")
    os.rename(path, path + ".now")
    for end in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(path + end, path + ".now" + end)
    count = 0
    with contextlib.closing(sqlite3.connect(path + ".now")) as now, contextlib.closing(sqlite3.connect(path, isolation_level=None)) as old:
        old.execute("PRAGMA journal_mode=WAL")
        with open(sql, encoding="utf-8") as text:
            old.executescript(text.read())
        tables = [row[0] for row in old.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")]
        for table in tables:
            names = [name for name in columns(old, f"table_info({table})") if name in columns(now, f"table_info({table})")]
            rows = now.execute(f"SELECT {','.join(names)} FROM {table}").fetchall()
            old.executemany(f"INSERT INTO {table}({','.join(names)}) VALUES({','.join('?' * len(names))})", rows)
            count += len(rows)
    for name in glob.glob(path + ".now*"):
        os.unlink(name)
    return count


def version(root, number=None):
    with contextlib.closing(sqlite3.connect(os.path.join(root, "state.db"))) as database:
        if number is not None:
            database.execute(f"PRAGMA user_version={number}")
        return database.execute("PRAGMA user_version").fetchone()[0]


def earlier(world, root, tally, where):
    listed = world.ask(root, "images", "--format", "{{.Repository}}:{{.Tag}}")
    tally.fault(where, listed.log.split() != ["img:0"] and f"images: {listed.code} {listed.log}")
    tally.fault(where, world.wrong_image(root, 0))
    tally.fault(where, world.wrong_build(root, 0))
    ran = re.findall(r"^#\d+ DONE ", world.ask(root, *world.build_words(0, "--progress", "plain")).log, re.M)
    steps = world.ask(root, *world.build_words(0))
    tally.fault(where, (not ran or steps.log.count(" CACHED\n") < 6) and f"steps are not found: {steps.log}")
    if world.has("fsck"):
        done = world.ask(root, "fsck")
        tally.fault(where, done.code and f"fsck: {done.code} {done.log}")
    tally.count("earlier schemas")


def later(world, root, tally, now):
    version(root, now + 1)
    for words in (["images"], ["du"], ["run", "img:0", "true"], world.build_words(0)):
        done = world.ask(root, *words)
        named = f"schema {now + 1}" in done.log and str(now) in done.log and os.path.join(root, "state.db") in done.log
        tally.fault(f"schema {now + 1}: {words[0]}", (done.code in (0, None) or not named) and f"{done.code}: {done.log}")
    tally.fault("a later schema", version(root) != now + 1 and "was changed")
    version(root, now)
    tally.fault("back from a later schema", world.wrong_image(root, 0))
    tally.count("later schema")


def main():
    parser = argparse.ArgumentParser()
    for name in ("--mybuild", "--base", "--work", "--states"):
        parser.add_argument(name, required=True)
    options = parser.parse_args()
    tally = Tally()
    world = World(options.mybuild, options.base, options.work, variants=1, files=8)
    whole, root = world.path("whole"), world.path("root")
    done = world.build(whole, 0)
    assert done.code == 0, done.log
    for sql in sorted(glob.glob(os.path.join(options.states, "schema-*.sql"))):
        shutil.rmtree(root, ignore_errors=True)
        subprocess.run(["cp", "-a", whole, root], check=True)
        rows = rewrite(root, sql)
        tally.fault(sql, rows < 10 and f"only {rows} rows")
        earlier(world, root, tally, os.path.basename(sql))
        tally.fault(sql, version(root) != version(whole) and "was not brought to the newest schema")
    later(world, whole, tally, version(whole))
    sys.exit(tally.end("states of other versions"))


if __name__ == "__main__":
    main()
