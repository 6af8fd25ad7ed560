# SPDX-License-Identifier: Apache-2.0
"""Random Dockerfiles. Each line is a text that needs nothing of the others but the directory /w of its stage, so lines can be
edited, dropped and swapped. Commands depend on files, arguments and environment only: no clock, no chance, no inode numbers."""
from dataclasses import dataclass, field

# What a command sees of a tree: types, modes, owners, names of one file, targets, contents.
LIST = "find {0} 2>/dev/null | sort | while read -r f; do stat -c '%N %f %u %g' \"$f\"; [ -d \"$f\" ] || stat -c '%h %s' \"$f\"; done"
SUM = "find {0} -type f 2>/dev/null | sort | while read -r f; do echo \"$f\"; cat \"$f\"; done | cksum"
SOURCES = ("src", "src/", "lib", ".", "src/sub", "*.txt", "src/*.txt", "src/*", "s*/*", "lib/keep", "src/a.txt", "src/sub/*", "o*")
DESTS = ("/w/", "/w/in/", "/w/in/deep/", "/w/$V0/", "sub/", "./", "/w/${V1:-none}/")
FILES = ("gen", "sum", "list", "in/gen", "out/a", "a.txt", "tmp")
VALUES = ("one", "two", "three", "a b", "")


@dataclass
class Stage:
    name: str
    base: str  # busybox, scratch or a stage
    lines: list


@dataclass
class Dockerfile:
    stages: list
    arguments: dict = field(default_factory=dict)  # defaults in front of the first stage
    ignore: tuple = ()

    def copy(self):
        return Dockerfile([Stage(s.name, s.base, list(s.lines)) for s in self.stages], dict(self.arguments), self.ignore)

    def text(self):
        lines = [f'ARG {name}="{value}"' for name, value in self.arguments.items()]
        for stage in self.stages:
            lines += [f"FROM {stage.base} AS {stage.name}", "WORKDIR /w", *stage.lines]
        return "\n".join(lines) + "\n"


def pick(rng, *choices):
    return rng.choice(choices)


def is_empty(stage, earlier):
    """Whether no command can run in the stage."""
    bases = {other.name: other.base for other in earlier}
    base = stage.base
    while base in bases:
        base = bases[base]
    return base == "scratch"


def copy_line(rng, stage, earlier):
    flags = []
    for flag, chance in (("--chown=" + pick(rng, "1:2", "3", "nobody", "1000:users"), 0.2), ("--parents", 0.15), ("--link", 0.2),
                         ("--chmod=" + pick(rng, "755", "600", "u+x", "g=rX", "1777"), 0.2),
                         ("--exclude=" + pick(rng, "*.txt", "sub", "**/*.md", "**/a*", "deep/.."), 0.2)):
        if rng.random() < chance:
            flags.append(flag)
    if "--link" in flags or is_empty(stage, earlier):  # there is no file that could say who that is
        flags = [flag for flag in flags if "nobody" not in flag and "users" not in flag]
    sources = rng.sample(SOURCES, pick(rng, 1, 1, 1, 2))
    if earlier and rng.random() < 0.45:
        flags.append(f"--from={rng.choice(earlier).name}")
        sources = [pick(rng, "/w", "/w/", "/w/*", "/w/in*", "/w/*.txt", "/./w/", "w/g*", "/w/./*")]
    elif rng.random() < 0.15:
        flags.append("--from=extra")
        sources = [pick(rng, ".", "*", "sub*", "d*", "/")]
    return f"COPY {' '.join(flags)} {' '.join(sources)} {rng.choice(DESTS)}"


def add_line(rng, stage, earlier):
    return f"ADD {pick(rng, '', '--chmod=640', '--chown=5:6')} {pick(rng, 'src/x.t*', rng.choice(SOURCES))} {rng.choice(DESTS)}"


def heredoc_copy(rng, stage, earlier):
    expand = pick(rng, "F", "'F'")
    return f"COPY {pick(rng, '', '--chmod=700')} <<{expand} {pick(rng, '/w/doc', '/w/in/doc')}\nv0=$V0 {rng.choice(VALUES)}\nF"


def into(file, look):
    """The output, written once all of it is there: a pipe into a file that the command looks at would be a race."""
    return f't=$({look}); echo "$t" >{file}'


def command(rng):
    """One command; many leave the same files whatever they read."""
    file, other, tree = rng.choice(FILES), rng.choice(FILES), pick(rng, "/w", "/w/in", "in src*", ".")
    return pick(
        rng,
        into(file, SUM.format(tree)), into("/w/" + file, LIST.format(tree)),
        into(file, f"cat {tree}/*.txt 2>/dev/null | wc -l"),  # often the same for another content
        into(file, f"find {tree} -type f | wc -l"),
        f"grep -q alpha {file} && echo yes >{other} || echo no >{other}",
        f"mkdir -p out && echo \"$V0 $V1 $E0\" >out/{pick(rng, 'a', 'b')}",
        into(file, "env | grep -v HOSTNAME | sort"),
        f"rm -rf {file}", "rm -rf in/sub out", f"mv {file} {other}", f"cp -R in {file}.d", f"ln {file} {other}.hard", f"ln -sf {file} lnk",
        f"chmod {pick(rng, '700', '4711', '755')} {file}", f"chown {pick(rng, '1:1', '0:5')} {file}",
        f"touch {file}",  # where it is there: nothing but times
        "true", "mkdir -p out", "id -u >who; pwd >>who; umask >>who", f"echo {rng.choice(VALUES)} >>{file}",
        f"mkfifo pipe; mknod dev c 1 {pick(rng, '3', '5')}", f"rm -rf {file}; mkdir {file}", f"rm -rf {file}; echo now a file >{file}",
        "rm -rf in; mkdir in; echo fresh >in/only", "chmod 750 /w", "rm -f /etc/group; cat /etc/passwd >in/passwd")


def mount(rng, earlier):
    """A mount and the command that looks at it."""
    source = pick(rng, "", ",source=src", ",source=lib/keep", ",source=src/sub", ",source=src/a.txt")
    if earlier and rng.random() < 0.5:
        source = f",from={rng.choice(earlier).name}" + pick(rng, "", ",source=w", ",source=/w")
    elif rng.random() < 0.2:
        source = ",from=extra"
    kind = rng.random()
    if kind < 0.6:
        look = pick(rng, SUM.format("/m"), LIST.format("/m"), "cat /m /m/* /m/w/* 2>/dev/null | wc -c", "ls /m | wc -l")
        return f"--mount=type=bind,target=/m{source}" + pick(rng, "", "", ",rw"), into(rng.choice(FILES), look)
    if kind < 0.8:
        return "--mount=type=tmpfs,target=/w/in", "echo gone >in/t; " + into(rng.choice(FILES), "ls in")
    return "--mount=type=cache,target=/cache" + pick(rng, "", ",id=other", ",sharing=locked"), "echo kept >/cache/x"


def run_line(rng, stage, earlier):
    if is_empty(stage, earlier):
        return env_line(rng, stage, earlier)
    flag, look = mount(rng, earlier) if rng.random() < 0.3 else ("", "")
    commands = ([look] if look else []) + [f"{{ {command(rng)}; }} 2>/dev/null" for _ in range(pick(rng, 1, 1, 2))]
    network = pick(rng, "", "", "", "", "--network=none")
    if rng.random() < 0.15:
        return f"RUN {flag} {network} <<F\n" + "\n".join(commands) + "\ntrue\nF"
    return f"RUN {flag} {network} " + "; ".join(commands) + "; true"


def env_line(rng, stage, earlier):
    name, value = pick(rng, "0", "1"), rng.choice(VALUES)
    return pick(rng, f'ARG V{name}="{value}"', f"ARG V{name}", f"ARG G{name}", f'ENV E{name}="{value}"', f'ENV V{name}="{value}-$V0"', f"ENV E{name}=$G{name}x")


def state_line(rng, stage, earlier):
    user = "USER 0" if is_empty(stage, earlier) else pick(rng, "USER 1000:1000", "USER nobody", "USER 0", "USER root")
    shell = 'SHELL ["/bin/sh", "-%s"]' % pick(rng, "c", "ec", "uc")
    return pick(rng, user, shell, "WORKDIR " + pick(rng, "/w/in", "/w", "out", "$V0"), "WORKDIR /w")


def config_line(rng, stage, earlier):
    word = rng.choice(("one", "two"))
    return pick(rng, f'LABEL l="{word}"', f'CMD ["{word}"]', f"ENTRYPOINT {word}", f"EXPOSE {pick(rng, 80, 81)}", f"VOLUME /v{word}",
                f"HEALTHCHECK CMD {word}", "HEALTHCHECK NONE", f"STOPSIGNAL {pick(rng, 'TERM', 9)}", f"MAINTAINER {word}",
                f"ONBUILD RUN echo {word} >>/w/onbuild", f"ONBUILD COPY lib /w/{word}/", f"ONBUILD ENV E1={word}")


KINDS = (copy_line, copy_line, copy_line, copy_line, run_line, run_line, run_line, run_line, run_line, add_line, heredoc_copy, env_line,
         env_line, state_line, config_line)


def random_line(rng, stage, earlier):
    return rng.choice(KINDS)(rng, stage, earlier)


def random_dockerfile(rng):
    made = Dockerfile([], {"G0": rng.choice(VALUES), "G1": rng.choice(VALUES)}, random_ignore(rng))
    for number in range(pick(rng, 1, 2, 2, 3, 3, 4)):
        bases = ["busybox"] * 4 + ["scratch"] + [stage.name for stage in made.stages]
        stage = Stage(f"s{number}", rng.choice(bases), [])
        stage.lines = [random_line(rng, stage, made.stages) for _ in range(rng.randrange(1, 7))]
        made.stages.append(stage)
    if is_empty(made.stages[-1], made.stages):
        made.stages[-1].base = "busybox"
    return made


def random_ignore(rng):
    return tuple(rng.sample(("*.md", "**/sub", "other", "!src/sub/a.txt", ".hidden", "src/*.txt", "**/deep", "!src/a.txt"), pick(rng, 0, 0, 1, 2, 3)))


# --- edits ---------------------------------------------------------------------------------------------------------------


def edit(dockerfile, rng):
    """One change of one line, or of where a stage starts, the arguments or the ignore file."""
    number = rng.randrange(len(dockerfile.stages))
    stage, earlier = dockerfile.stages[number], dockerfile.stages[:number]
    at = rng.randrange(len(stage.lines) + 1)
    kind = pick(rng, "insert", "insert", "delete", "replace", "replace", "swap", "twice", "base", "argument", "ignore", "word")
    if kind == "insert" or not stage.lines:
        stage.lines.insert(at, random_line(rng, stage, earlier))
    elif kind == "base":
        stage.base = rng.choice(["busybox"] * 2 + [other.name for other in earlier])
    elif kind == "argument":
        dockerfile.arguments[pick(rng, "G0", "G1")] = rng.choice(VALUES)
    elif kind == "ignore":
        dockerfile.ignore = random_ignore(rng)
    else:
        at = min(at, len(stage.lines) - 1)
        line = stage.lines.pop(at)
        if kind == "replace":
            stage.lines.insert(at, random_line(rng, stage, earlier))
        elif kind == "swap":
            stage.lines.insert(rng.randrange(len(stage.lines) + 1), line)
        elif kind == "twice":
            stage.lines[at:at] = [line, line]
        elif kind == "word":
            for old, new in (("/w/in", "/w/other"), ("one", "two"), ("alpha", "beta"), ("755", "711"), ("src", "lib"), (">", ">>")):
                if old in line:
                    line = line.replace(old, new, 1)
                    break
            stage.lines.insert(at, line)
    return f"{kind} in {stage.name}"
