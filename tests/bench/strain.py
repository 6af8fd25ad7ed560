# SPDX-License-Identifier: Apache-2.0
"""W14 to W21: what strains a builder. Many clients, many stages, many files, much in one layer, many layers, a far registry, a
machine that starts with nothing."""
import re

import data
import loop_app
from phases import (COLD, Phase, Workload, build, build_at_once, change_first, cold, empty_target, lines, push_far, restore_first,
                    restore_last, warm, write_last)

CLIENTS, STAGES, LAYERS, PIECES = 10, 64, 127, 20
GIB = 1 << 30

SHARED = lines("FROM {debian}", "COPY src /src", "RUN find /src -type f | sort | xargs cat | sha256sum > /sum && sleep 1",
               "RUN cat /usr/lib/*-linux-gnu/*.so* > /libraries && sha256sum /libraries > /libraries.sum && sleep 1",
               "RUN cat /sum /libraries.sum > /sums")
FAN = lines("FROM {busybox} AS base", "RUN seq 1 1000 > /numbers",
            *(f"FROM base AS s{n}\nRUN sleep 0.1 && {{{{ cat /numbers; echo {n}; }}}} | sha256sum > /out{n}" for n in range(1, STAGES + 1)),
            "FROM {busybox}", *(f"COPY --from=s{n} /out{n} /r/out{n}" for n in range(1, STAGES + 1)), "RUN cat /r/* > /all")
# Half noise, as in W4. Each turn is longer than the window of any compressor.
HUGE = lines("FROM {busybox}", "RUN --mount=type=bind,source=seed.dat,target=/seed.dat \\",
             f" for turn in $(seq {5 * GIB // (64 << 20)}); do cat /seed.dat; done > /huge.dat")
DEEP = lines("FROM {busybox}", *(f"RUN echo {n} > /f{n}" for n in range(2, LAYERS + 1)))
ON_TOP = lines("FROM {deep}", "RUN cat /f* > /all && rm /f2 && echo changed > /f3")
FAR = lines("FROM {far_pieces}", "COPY src /src", "RUN ls /data > /count", "COPY last.txt /last.txt")


def pieces_pulled(scene):
    return 0, 0.95 * scene.inputs.compressed_size("pieces")


def pieces_pushed(scene):
    return 0.7 * scene.inputs.compressed_size("pieces"), 0  # whoever compresses anew may do so better


def something_pushed(scene):
    return 500, 0


def verify_cached(output, number):
    """What the first build left in the registry was used, in the words of any of the tools."""
    if not re.search(r"CACHED|Using cach|Cache pulled", output):
        raise ValueError("no step came from the cache in the registry")


def fill_far(context):
    data.tree(context / "src", 1000, 15_000_000, 20)


ALL = (
    Workload("w14", f"{CLIENTS} equal builds at once", SHARED,
             (Phase("cold", build_at_once(CLIENTS), fresh=True), Phase("warm", build_at_once(CLIENTS), repeat=3)),
             fill=lambda context: data.tree(context / "src", 1000, 20_000_000, 14)),
    Workload("w15", f"fan-out of {STAGES} stages", FAN, (COLD, warm())),
    Workload("w16", "COPY of 100,000 files, 200 MB", lines("FROM {busybox}", "COPY src /src"),
             (COLD, warm("noop"), Phase("change1", build(), edit=change_first)),
             fill=lambda context: data.tree(context / "src", 100_000, 200_000_000, 16), restore=restore_first),
    Workload("w17", "a layer of 5 GiB", HUGE, (cold("cold-oci", "oci"),), fill=lambda context: data.big_file(context / "seed.dat", 64 << 20, 17),
             by_name=True, disk_gb=13),
    Workload("w18", f"steps that make {LAYERS} layers", DEEP, (COLD, warm())),
    Workload("w19", f"a step on a base of {LAYERS} layers", ON_TOP, (COLD, warm())),
    Workload("w20", "pull and push over 50 ms and 100 Mbit/s", FAR,
             (Phase("pull", build(), fresh=True, prepare=empty_target, traffic=pieces_pulled),
              Phase("push", push_far, traffic=pieces_pushed),
              Phase("repush", build("push", far=True), edit=write_last, traffic=something_pushed)),
             fill=fill_far, restore=restore_last, pushed=True),
    Workload("w21", "a CI job from an empty state", loop_app.DOCKERFILE,
             (Phase("first", build("push", cache_to="cache"), fresh=True, prepare=empty_target),
              Phase("job", build("push", cache_from="cache", cache_to="cache"), fresh=True, edit=loop_app.edit, needs=("first",),
                    verify=verify_cached)),
             fill=loop_app.fill, restore=loop_app.restore, pushed=True),
)
