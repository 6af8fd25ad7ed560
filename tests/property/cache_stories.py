#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The caching bugs of kaniko, buildah and docker's classic builder (their trackers and change logs), each as a story that must
end well here. cache_stories.py BINARY BASE_LAYOUT WORK [STORY]"""
import os
import shutil
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor

from story import story, tell_all

# --- kaniko --------------------------------------------------------------------------------------------------------------


@story
def kaniko_key_parts_joined_by_a_dash(t):
    t.dockerfile("FROM busybox", 'ENV A="x" B="y-z"', 'RUN ["sh", "-c", "echo $A+$B >/f"]')
    t.build()
    t.dockerfile("FROM busybox", 'ENV A="x-y" B="z"', 'RUN ["sh", "-c", "echo $A+$B >/f"]')
    t.build()
    t.ran("RUN")
    t.file("f", "x-y+z\n")
    t.dockerfile("FROM busybox", 'RUN ["echo", "a-b", "c"]')
    t.build()
    t.dockerfile("FROM busybox", 'RUN ["echo", "a", "b-c"]')
    t.build()
    t.ran("RUN")


@story
def kaniko_a_file_name_absorbs_its_neighbour(t):
    t.dockerfile("FROM scratch", "COPY d /d/")
    t.write("d/a", "b"), t.write("d/c", "")
    t.build()
    t.remove("d/a"), t.write("d/ab", "")
    t.build()
    t.ran("COPY")
    t.remove("d/ab"), t.remove("d/c"), t.write("d/a", ""), t.write("d/bc", "")
    t.build()
    t.ran("COPY")
    t.equal(sorted(os.listdir(t.path("out/d"))), ["a", "bc"])


@story
def kaniko_a_changed_arg_hits_by_the_text_of_the_line(t):
    t.dockerfile("FROM busybox", "ARG A", "WORKDIR /w/$A", "COPY $A.txt /c/$A/", "RUN echo $A >/ran", "RUN cat <<F >/doc", "v $A", "F")
    t.write("1.txt", "same"), t.write("2.txt", "same")
    t.build("--build-arg", "A=1")
    t.build("--build-arg", "A=2")
    t.ran("WORKDIR", "COPY", "RUN echo", "RUN cat")
    t.there("w/2", "c/2/2.txt")
    t.not_there("w/1", "c/1")
    t.file("ran", "2\n"), t.file("doc", "v 2\n")


@story
def kaniko_a_changed_env_hits_by_the_text_of_the_line(t):
    for value in ("1", "2"):
        t.dockerfile("FROM busybox AS base", f"ENV E={value}", "FROM base", "ENV F=$E", "RUN echo $F >/f", "COPY <<D /$F/d", "$E", "D")
        t.build()
        t.file("f", f"{value}\n"), t.file(f"{value}/d", f"{value}\n")


@story
def kaniko_dockerignore_filters_what_comes_from_a_stage(t):
    t.dockerfile("FROM busybox AS a", "RUN mkdir /s && echo 1 >/s/x.log", "FROM scratch", "COPY --from=a /s /s/")
    t.write("../Dockerfile.dockerignore", "**/*.log\n")
    t.build()
    t.file("s/x.log", "1\n")
    t.dockerfile("FROM busybox AS a", "RUN mkdir /s && echo 2 >/s/x.log", "FROM scratch", "COPY --from=a /s /s/")
    t.build()
    t.file("s/x.log", "2\n")


@story
def kaniko_time_labels_and_annotations_of_the_base_are_in_the_key(t):
    for number in ("1", "2"):
        t.dockerfile("FROM busybox", f"LABEL n={number}", f'CMD ["{number}"]', f"MAINTAINER {number}")
        layout, _ = t.image("--annotation", f"n={number}", name=f"base{number}")
        t.name("base", layout)
        t.dockerfile("FROM base", "COPY x /x", "RUN cat /x >/y")
        t.write("x", "x")
        _, made = t.image()
        t.equal(made["config"]["config"]["Labels"], {"n": number})
    t.cached("COPY", "RUN")


@story
def kaniko_a_base_with_other_files_under_the_same_name(t):
    for number in ("1", "2"):
        t.dockerfile("FROM busybox", f"COPY <<F /etc/v", number, "F")
        t.name("base", t.image(name=f"base{number}")[0])
        t.dockerfile("FROM base", "RUN cat /etc/v >/y", "FROM busybox", "COPY --from=base /etc/v /v", "COPY --from=0 /y /y")
        t.build()
        t.file("y", f"{number}\n"), t.file("v", f"{number}\n")


@story
def kaniko_a_renamed_file_collides(t):
    t.dockerfile("FROM scratch", "COPY . /in/")
    t.write("a", "text")
    t.build()
    os.rename(t.path("ctx/a"), t.path("ctx/b"))
    t.build()
    t.ran("COPY")
    t.there("in/b"), t.not_there("in/a")
    t.dockerfile("FROM scratch", "COPY a* b* /in/x")
    t.build()
    t.write("a", "text"), t.remove("b")
    t.build()
    t.file("in/x", "text")


@story
def kaniko_whiteouts_become_files_in_a_cached_copy(t):
    for _ in range(2):
        t.dockerfile("FROM busybox AS a", "RUN rm /etc/group && rm -r /var && mkdir /var && echo 1 >/var/n", "FROM scratch",
                     "COPY --from=a /etc /etc/", "COPY --from=a /var /var/")
        t.build()
        t.not_there("etc/group", "etc/.wh.group", "var/.wh..wh..opq", "var/tmp")
        t.there("etc/passwd", "var/n")
    t.cached("COPY --from=a /etc", "COPY --from=a /var")


@story
def kaniko_an_arg_leaks_into_a_sibling_stage(t):
    t.dockerfile("FROM busybox AS a", "ARG V=1", "RUN echo $V >/a", "FROM busybox AS b", "RUN echo ${V:-none} >/b && env | grep ^V= >/env; true",
                 "FROM busybox", "COPY --from=a /a /", "COPY --from=b /b /env /")
    t.build("--build-arg", "V=2")
    t.file("a", "2\n"), t.file("b", "none\n"), t.file("env", "")
    t.build("--build-arg", "V=3")
    t.ran("RUN echo 3"), t.cached("RUN echo ${V:-none}")


@story
def kaniko_a_run_that_changes_nothing(t):
    t.dockerfile("FROM busybox", "RUN true", "RUN echo x >/x")
    _, first = t.image()
    _, second = t.image()
    t.cached("RUN true", "RUN echo")
    t.equal(first, second)
    t.equal(len(first["layers"]), 3)


@story
def kaniko_onbuild_of_a_base_that_changed(t):
    for number in ("1", "2"):
        t.dockerfile("FROM busybox", f"ONBUILD RUN echo {number} >/onbuild", "ONBUILD COPY f /f")
        t.name("base", t.image(name=f"base{number}")[0])
        t.write("f", number)
        t.dockerfile("FROM base", "RUN cat /onbuild >/seen")
        t.build()
        t.file("seen", f"{number}\n"), t.file("f", number)


@story
def kaniko_stages_by_number_and_in_capitals(t):
    for number in ("1", "2"):
        t.dockerfile("FROM busybox AS Build", f"RUN echo {number} >/x", "FROM build", "COPY --from=0 /x /zero", "COPY --from=bUILD /x /name")
        t.build()
        t.file("zero", f"{number}\n"), t.file("name", f"{number}\n")


@story
def kaniko_sticky_bits_links_and_attributes_through_a_cached_copy(t):
    t.write("d/sticky/f", "f"), os.chmod(t.path("ctx/d/sticky"), 0o1777)
    os.link(t.write("d/one", "1", 0o4755), t.path("ctx/d/two"))
    os.setxattr(t.path("ctx/d/one"), "user.k", b"v")
    t.link("d/link", "one")
    t.dockerfile("FROM busybox AS a", "COPY d /d/", "FROM scratch", "COPY --from=a /d /d/")
    _, first = t.image()
    shutil.rmtree(t.path("root"))
    for _ in range(2):
        _, made = t.image()
        t.equal(made, first)
    t.cached("COPY d", "COPY --from")
    layer = first["layers"][0]
    t.equal(layer["d/sticky"][1], "0o1777")
    t.equal((layer["d/one"][1], layer["d/one"][8]), ("0o4755", (("SCHILY.xattr.user.k", "v"),)))
    t.equal((layer["d/two"][0], layer["d/two"][5], layer["d/link"][5]), ("1", "d/one", "one"))


@story
def kaniko_a_copied_file_keeps_its_mtime(t):
    os.utime(t.write("f", "f"), (1_000_000_000, 1_000_000_000))
    t.dockerfile("FROM busybox AS a", "COPY f /f", "FROM busybox", "COPY --from=a /f /f", "RUN stat -c %Y /f >/time")
    for _ in range(2):
        t.build()
        t.file("time", "1000000000\n")


@story
def kaniko_a_symbolic_chmod(t):
    t.write("f", "f", 0o640)
    for change, mode in (("u+x", "740"), ("g+w,o=r", "664"), ("a=rX", "444"), ("600", "600")):
        t.dockerfile("FROM busybox", f"COPY --chmod={change} f /f", "RUN stat -c %a /f >/mode")
        t.build()
        t.ran("COPY")
        t.file("mode", f"{mode}\n")


@story
def kaniko_user_with_a_group(t):
    for user, ids in (("nobody", "65534:65534"), ("nobody:users", "65534:100"), ("1:daemon", "1:1"), ("1:2", "1:2"), ("root", "0:0")):
        t.dockerfile("FROM busybox", f"USER {user}", "RUN echo $(id -u):$(id -g) >/tmp/id")
        t.build()
        t.ran("RUN")
        t.file("tmp/id", f"{ids}\n")


@story
def kaniko_heredocs_expand_or_do_not(t):
    for mark, text in (("F", "v 1\n"), ("'F'", "v $A\n"), ('"F"', "v $A\n")):
        t.dockerfile("FROM busybox", "ARG A=1", f"COPY <<{mark} /f", "v $A", "F", f"RUN cat <<{mark} >/g", "v $A", "F")
        t.build()
        t.file("f", text)


@story
def kaniko_a_heredoc_with_another_text(t):
    for text in ("one", "two", "one"):
        t.dockerfile("FROM busybox", "COPY <<F <<G /d/", text, "F", "same", "G", "RUN <<F", f"echo {text} >/ran", "F", "RUN cat /d/F >/seen")
        t.build()
        t.file("d/F", f"{text}\n"), t.file("ran", f"{text}\n"), t.file("seen", f"{text}\n")
    t.cached("COPY", "RUN <<F", "RUN cat")


@story
def kaniko_the_root_of_an_archive_changes_the_destination(t):
    t.write("in/f", "f"), os.chmod(t.path("ctx/in"), 0o700)
    with tarfile.open(t.path("ctx/x.tar"), "w") as archive:
        archive.add(t.path("ctx/in"), ".")
    t.dockerfile("FROM busybox", "RUN mkdir -m 755 /dest && chown 3:4 /dest", "ADD x.tar /dest/", "RUN stat -c '%a %u' /dest >/mode")
    for _ in range(2):
        t.build()
        t.there("dest/f")
        t.file("mode", "755 3\n")


@story
def kaniko_an_archive_with_other_contents(t):
    for text in ("one", "two"):
        t.write("f", text)
        with tarfile.open(t.path("ctx/x.tar"), "w") as archive:
            archive.add(t.path("ctx/f"), "f")
        t.dockerfile("FROM scratch", "ADD x.tar /d/")
        t.build()
        t.file("d/f", text)


# --- buildah -------------------------------------------------------------------------------------------------------------


@story
def buildah_stale_bind_mount_from_a_stage(t):
    for number in ("1", "2"):
        t.dockerfile("FROM busybox AS a", f"RUN echo {number} >/x", "FROM busybox", "RUN --mount=type=bind,from=a,target=/m cat /m/x >/y",
                     "RUN --mount=type=bind,from=a,source=/x,target=/f cat /f >/z")
        t.build()
        t.file("y", f"{number}\n"), t.file("z", f"{number}\n")


@story
def buildah_stale_bind_mount_of_the_context(t):
    t.dockerfile("FROM busybox", "RUN --mount=type=bind,source=d,target=/m cat /m/* >/y; ls -ln /m | cut -c1-10 >/modes")
    t.write("d/f", "1\n"), t.write("other", "")
    t.build()
    t.write("other", "is not mounted")
    t.build()
    t.cached("RUN")
    t.rewrite("d/f", "2\n")
    t.build()
    t.file("y", "2\n")
    os.chmod(t.path("ctx/d/f"), 0o600)
    t.build()
    t.ran("RUN")


@story
def buildah_parallel_builds_miss_the_cache(t):
    t.dockerfile("FROM busybox AS a", "RUN echo a >/a", "FROM busybox AS b", "RUN echo b >/b", "FROM busybox", "COPY --from=a /a /", "COPY --from=b /b /")

    def one(number):
        return subprocess.run(t.command("-t", f"image{number}"), env=t.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT).returncode

    with ThreadPoolExecutor() as pool:
        t.equal(set(pool.map(one, range(4))), {0})
    t.build()
    t.cached("RUN echo a", "RUN echo b", "COPY --from=a", "COPY --from=b")


@story
def buildah_an_argument_that_no_command_names(t):
    t.dockerfile("FROM busybox", "ARG A", "COPY f /f", "RUN env | grep ^A= >/env; true", "RUN true")
    t.write("f", "f")
    t.build("--build-arg", "A=1")
    t.build("--build-arg", "A=2")
    t.cached("COPY"), t.ran("RUN env", "RUN true")
    t.file("env", "A=2\n")
    t.build()
    t.ran("RUN env")
    t.file("env", "")
    t.build("--build-arg", "HTTP_PROXY=http://127.0.0.1:1", "--build-arg", "no_proxy=x")
    t.cached("RUN env", "RUN true")


@story
def buildah_an_argument_behind_the_step(t):
    t.dockerfile("FROM busybox", "RUN echo before >/f", "ARG A", "RUN echo $A >/g")
    t.build("--build-arg", "A=1")
    t.build("--build-arg", "A=2")
    t.cached("RUN echo before"), t.ran("RUN echo 2")


# --- docker's classic builder --------------------------------------------------------------------------------------------


@story
def docker_cve_2024_24557_config_is_taken_from_another_image(t):
    t.write("f", "f")
    seen = []
    for line in ("", "HEALTHCHECK CMD true", "ONBUILD RUN true", "STOPSIGNAL 9", "VOLUME /v", "EXPOSE 80", "USER 5", 'SHELL ["/s"]'):
        t.dockerfile("FROM scratch", line, "COPY f /f")
        _, made = t.image()
        seen.append(repr(made["config"]["config"]))
    t.equal(len(set(seen)), len(seen))


# --- step key rules ------------------------------------------------------------------------------------------------------


def each_is_a_step_of_its_own(t, title, variants, *, write=None):
    """Every variant runs once, and is found again when it comes back."""
    for variant in variants:
        t.dockerfile(*variant)
        t.build()
        t.ran(title)
    for variant in variants:
        t.dockerfile(*variant)
        t.build()
        t.cached(title)


@story
def rule_what_a_command_is_given(t):
    run = "RUN echo x >/tmp/x"
    each_is_a_step_of_its_own(t, "echo x", [
        ("FROM busybox", run),
        ("FROM busybox", "ENV A=1 B=2", run),
        ("FROM busybox", "ENV B=2 A=1", run),
        ("FROM busybox", "ENV A=1", run),
        ("FROM busybox", "ARG A=2", run),
        ("FROM busybox", "USER 7", run),
        ("FROM busybox", "USER 7:7", run),
        ("FROM busybox", 'SHELL ["/bin/sh", "-ec"]', run),
        ("FROM busybox", 'RUN ["sh", "-c", "echo x >/tmp/x"]'),
        ("FROM busybox", "RUN --network=none echo x >/tmp/x"),
        ("FROM busybox", "WORKDIR /w", run),
        ("FROM busybox", "WORKDIR /tmp", run),
    ])


@story
def rule_what_a_step_is_mounted(t):
    mounts = ["type=tmpfs,target=/m", "type=tmpfs,target=/n", "type=tmpfs,target=/m,size=1000000", "type=cache,target=/m", "type=cache,target=/m,id=x",
              "type=cache,target=/m,sharing=locked", "type=cache,target=/m,sharing=private", "type=cache,target=/m,ro", "type=cache,target=/m,mode=700",
              "type=cache,target=/m,uid=5", "type=cache,target=/m,gid=5", "type=bind,source=d,target=/m", "type=bind,source=d,target=/m,rw",
              "type=bind,source=e,target=/m", "type=bind,from=busybox,target=/m", "type=secret,id=a", "type=secret,id=b", "type=secret,id=a,target=/m",
              "type=secret,id=a,mode=0444", "type=secret,id=a,uid=5", "type=secret,id=a,env=A", "type=ssh", "type=ssh,id=other"]
    t.write("d/f", "1"), t.write("e/f", "2")
    each_is_a_step_of_its_own(t, "echo x", [("FROM busybox", f"RUN --mount={mount} echo x") for mount in mounts])


@story
def rule_the_same_bytes_in_another_place_are_the_same_mount(t):
    t.write("d/f", "1"), t.write("e/f", "1")
    t.dockerfile("FROM busybox", "ARG D", "FROM busybox", "RUN --mount=type=bind,source=d,target=/m cat /m/f >/f")
    t.build()
    shutil.copytree(t.path("ctx"), t.path("elsewhere"))
    t.build(context=t.path("elsewhere"))
    t.cached("RUN")


@story
def rule_flags_of_the_build_that_reach_a_step(t):
    t.dockerfile("FROM busybox", "RUN cat /etc/hosts >/hosts; ulimit -n >/limit; df -k /dev/shm | tail -n 1 >/shm")
    t.build()
    for flags in (["--add-host", "a:1.2.3.4"], ["--add-host", "a:1.2.3.5"], ["--ulimit", "nofile=99:100"], ["--ulimit", "nofile=99:101"],
                  ["--shm-size", "1m"], ["--network", "none"], ["--build-arg", "BUILDKIT_SANDBOX_HOSTNAME=h"]):
        t.build(*flags)
        t.ran("RUN")
        t.build(*flags)
        t.cached("RUN")
    for flags in (["--label", "a=b"], ["--jobs", "1"], ["-t", "name"], ["--annotation", "a=b"], ["--progress", "plain"], ["--target", "0"]):
        t.build(*flags)
        t.cached("RUN")


@story
def rule_how_files_are_copied(t):
    t.write("d/f", "1"), t.write("d/g.md", "2")
    lines = ["COPY d /d/", "COPY d /e/", "COPY d/f /d/", "COPY --chown=1:2 d /d/", "COPY --chown=1:3 d /d/", "COPY --chmod=700 d /d/",
             "COPY --chmod=701 d /d/", "COPY --exclude=*.md d /d/", "COPY --parents d /d/", "COPY --link d /d/", "COPY d/* /d/", "ADD d /d/"]
    for line in lines:
        t.dockerfile("FROM busybox", line, "RUN find /d | sort >/list; true")
        t.build()
    _, warm = t.image()
    shutil.rmtree(t.path("root"))
    t.equal(warm, t.image()[1])


@story
def rule_what_counts_of_a_file(t):
    t.dockerfile("FROM busybox", "COPY d /d/", "RUN find /d | sort >/list")
    path = t.write("d/f", "abc")
    t.build()

    def change(*calls, state="DONE"):
        for call in calls:
            call()
        t.build()
        t.expect(state, "COPY")

    change(lambda: t.rewrite("d/f", "abd"))
    change(lambda: os.chmod(path, 0o755))
    change(lambda: os.setxattr(path, "user.k", b"1"))
    change(lambda: os.setxattr(path, "user.k", b"2"))
    change(lambda: os.makedirs(t.path("ctx/d/empty")))
    change(lambda: os.chmod(t.path("ctx/d/empty"), 0o700))
    change(lambda: t.link("d/l", "f"))
    change(lambda: t.link("d/l", "g"))
    change(lambda: t.remove("d/l"), lambda: t.write("d/l", "g"))
    change(lambda: t.remove("d/l"), lambda: os.makedirs(t.path("ctx/d/l")))
    change(lambda: t.remove("d/l"), lambda: os.link(path, t.path("ctx/d/l")))
    change(lambda: t.remove("d/l"), lambda: shutil.copy2(path, t.path("ctx/d/l")))
    change(lambda: os.utime(path, (1, 1)), state="CACHED")
    change(lambda: os.chown(path, 5, 6), state="CACHED")  # what comes from a context belongs to root
    change(lambda: t.write("beside", ""), state="CACHED")
    change(lambda: t.remove("d/empty"), lambda: t.remove("d/l"), state="CACHED")  # as it was once
    change(lambda: os.chmod(t.path("ctx/d"), 0o700), state="CACHED")  # what is in it is copied, not itself


@story
def rule_a_changed_ignore_file(t):
    t.dockerfile("FROM scratch", "COPY . /in/")
    t.write("a", "1"), t.write("b", "2")
    for ignore, there in (("", ["a", "b"]), ("b\n", ["a"]), ("a\n", ["b"]), ("*\n!a\n", ["a"]), ("# b\n", ["a", "b"])):
        t.write("../Dockerfile.dockerignore", ignore)
        t.build()
        t.equal(sorted(os.listdir(t.path("out/in"))), there)


@story
def rule_platforms_are_apart(t):
    t.write("amd64", "a"), t.write("arm64", "b"), t.write("f", "f")
    t.dockerfile("FROM scratch", "ARG TARGETARCH", "COPY $TARGETARCH /arch", "COPY f /f")
    t.build("--platform", "linux/amd64")
    t.file("arch", "a")
    t.build("--platform", "linux/arm64")
    t.file("arch", "b")
    t.build("--platform", "linux/amd64")
    t.file("arch", "a")
    t.cached("COPY amd64", "COPY f")


@story
def rule_secret_values_are_in_no_key_and_ids_are(t):
    def run(identity, value):
        t.dockerfile("FROM busybox", f"RUN --mount=type=secret,id={identity} wc -c </run/secrets/{identity} >/n")
        with open(t.path("secret"), "w", encoding="utf-8") as out:
            out.write(value)
        t.build("--secret", f"id={identity},src={t.path('secret')}")

    run("a", "1")
    run("a", "22")
    t.cached("RUN")
    run("b", "22")
    t.ran("RUN")


@story
def rule_what_an_agent_holds_is_in_no_key(t):
    t.dockerfile("FROM busybox", "RUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo x >/x")
    for state, number in (("DONE", 1), ("CACHED", 2)):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", t.path(f"key{number}")], check=True)
        t.build("--ssh", f"default={t.path(f'key{number}')}")
        t.expect(state, "RUN")


@story
def rule_the_machine_is_in_no_key(t):
    t.dockerfile("FROM busybox", "WORKDIR /w", "RUN hostname >/h; nproc >/n; cat /proc/sys/kernel/hostname >/k")
    t.build()
    t.prefix = ["unshare", "--uts", "sh", "-c", 'hostname elsewhere && exec taskset -c 0 "$@"', "-"]
    t.build()
    t.cached("WORKDIR", "RUN")


if __name__ == "__main__":
    os.umask(0o022)
    tell_all(*sys.argv[1:4], sys.argv[4] if len(sys.argv) > 4 else None)
