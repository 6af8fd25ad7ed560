# SPDX-License-Identifier: Apache-2.0
"""What is measured: W1 to W13 here, those after them in strain.py. A workload is a Dockerfile, a function that fills its context, and
its phases in order. `{busybox}`, `{debian}`, `{layered}` … in a Dockerfile are base images in the registry."""
import data
import loop_app
import strain
from phases import (COLD, COLD_NONE, COLD_OCI, Phase, Workload, build, change_first, cold, empty_target, lines, push, restore_first,
                    restore_last, touch_first, warm, write_last)


def fill_numbered(context):
    for number in range(1, 8):
        data.put(context / f"f{number}.txt", f"file {number}\n")


def fill_push(context):
    data.tree(context / "src", 2000, 100_000_000, 9)
    data.big_file(context / "blob.dat", 200_000_000, 19)


HELLO = lines("FROM {busybox}", "COPY hello.txt /hello.txt", "RUN echo built > /built.txt", 'CMD ["cat", "/hello.txt"]')
TWENTY = lines("FROM {busybox}", *(f"ENV V{n}={n}" for n in range(1, 6)),
               *(f"COPY f{n}.txt /app/f{n}.txt\nRUN cat /app/f{n}.txt > /app/out{n}" for n in range(1, 8)),
               "WORKDIR /app", 'CMD ["sh"]')
PARALLEL = lines(*(f"FROM {{busybox}} AS s{n}\nRUN sleep 2 && dd if=/dev/zero bs=1M count=128 2>/dev/null | sha256sum > /out{n} "
                   f"&& echo {n} >> /out{n}" for n in range(1, 9)),
                 "FROM {busybox}", *(f"COPY --from=s{n} /out{n} /r/out{n}" for n in range(1, 9)))
FIFTY = lines("FROM {busybox}", *(f"RUN echo {n} > /f{n}" for n in range(1, 51)))
PACKAGES = lines(
    "FROM {debian}",
    "RUN cd /tmp && find /usr/bin /usr/lib /usr/share -xdev -type f -print0 | sort -z | xargs -0 cat > one \\",
    " && cat one one one one one > all && for part in 0 1 2 3 4 5 6 7 8 9; do mkdir -p /opt/pkg/$part \\",
    " && tail -c +$((part * 31457280 + 1)) all | head -c 31457280 | split -b 62915 -a 3 -d - /opt/pkg/$part/f; done \\",
    " && rm one all",
    "RUN ls -R /opt/pkg | wc -l > /count")
PIPELINE = lines(
    "FROM {debian} AS deps",
    "RUN mkdir /deps && for n in 1 2 3 4 5; do cat /usr/lib/*-linux-gnu/*.so* > /deps/d$n; done",
    "RUN sleep 1 && sha256sum /deps/* > /deps/sums",
    "FROM {debian} AS build", "COPY --from=deps /deps /deps", "COPY src /src",
    "RUN mkdir /result && find /src -type f | sort | xargs cat | sha256sum > /result/bin && sleep 1",
    "FROM {busybox}", "COPY --from=build /result /result", "RUN cat /result/bin > /final")
UNUSED = lines(*(f"FROM {{busybox}} AS unused{n}\nRUN sleep 3 && echo {n} > /u{n}" for n in range(1, 6)),
               "FROM {busybox} AS used", "RUN echo used > /used", "FROM {busybox}", "COPY --from=used /used /used")

ALL = (
    Workload("w1", "hello: COPY, RUN on a small base", HELLO,
             (COLD, warm(), COLD_OCI, COLD_NONE, warm("warm-none", "none")),
             fill=lambda context: data.put(context / "hello.txt", "hello world\n")),
    Workload("w2", "20 steps", TWENTY, (COLD, warm()), fill=fill_numbered),
    Workload("w3", "COPY of 20,000 files, 200 MB", lines("FROM {busybox}", "COPY src /src"),
             (COLD, warm("noop"), Phase("touch1", build(), edit=touch_first), Phase("change1", build(), edit=change_first), COLD_OCI),
             fill=lambda context: data.tree(context / "src", 20_000, 200_000_000, 3), restore=restore_first),
    Workload("w4", "COPY of one file of 1 GiB", lines("FROM {busybox}", "COPY big.dat /big.dat"),
             (cold("cold-oci-gzip", "oci"), cold("cold-oci-zstd", "oci-zstd"), cold("cold-push-gzip", "push", prepare=empty_target),
              COLD_NONE, cold("cold-store")),
             fill=lambda context: data.big_file(context / "big.dat", 1 << 30, 4)),
    Workload("w5", "8 independent stages", PARALLEL, (COLD,)),
    Workload("w6", "50 tiny RUN steps", FIFTY, (COLD, COLD_NONE)),
    Workload("w7", "RUN that writes 5,000 files, 300 MB", PACKAGES, (COLD, COLD_OCI, COLD_NONE)),
    Workload("w8", "base of 10 layers, 1 GiB", lines("FROM {layered}", "RUN ls /data > /count"), (COLD, COLD_NONE)),
    Workload("w9", "push, and push again with one line changed",
             lines("FROM {debian}", "COPY blob.dat /blob.dat", "COPY src /src", "COPY last.txt /last.txt"),
             (Phase("build", build("blobs"), fresh=True, prepare=empty_target), Phase("push", push),
              Phase("repush", build("push"), edit=write_last)),
             fill=fill_push, restore=restore_last),
    Workload("w10", "the cache goes to a registry and comes back", PIPELINE,
             (Phase("cold-export", build(cache_to="cache"), fresh=True, prepare=empty_target),
              Phase("import", build(cache_from="cache"), fresh=True, needs=("cold-export",)),
              Phase("import-none", build("none", cache_from="cache"), fresh=True, needs=("cold-export",))),
             fill=lambda context: data.tree(context / "src", 1000, 20_000_000, 10)),
    Workload("w11", "five of seven stages are not used", UNUSED, (COLD,)),
    Workload("w12", "a container that does nothing", lines("FROM {busybox}", 'CMD ["sh"]'),
             (Phase("run", lambda scene: scene.peer.run(scene.tag, ["true"]), fresh=True, repeat=10,
                    prepare=lambda scene: scene.make_runnable(["true"])),), has_tree=False),
    Workload("w13", "an application: edit one source, build, run", loop_app.DOCKERFILE,
             (Phase("cold", loop_app.build_and_run, fresh=True, edit=loop_app.edit, verify=loop_app.verify),
              Phase("edit", loop_app.build_and_run, edit=loop_app.edit, verify=loop_app.verify, repeat=5)),
             fill=loop_app.fill, restore=loop_app.restore),
    *strain.ALL,
)
BY_NAME = {workload.name: workload for workload in ALL}
