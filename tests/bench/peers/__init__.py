# SPDX-License-Identifier: Apache-2.0
"""The tools that are measured, one file each. A tool is a class with these members; its methods return commands (lists of
arguments), which the harness runs and times. What a tool has no way to do raises Cannot.

    name               the word for --peers
    by_name            it is measured only if --peers names it (default False)
    only               the workloads that it is measured on (default None: all)
    missing            why it cannot be used here, or None
    environment        of its commands
    daemon             pid of its daemon, or None
    version()          one line
    reset()            empties its state and, if it has a daemon, starts that anew and waits for it
    stop()             ends the daemon
    build(job)         builds job.context to job.output
    push(job)          pushes the image job.tag, built before, to job.output.where
    run(tag, argv)     runs argv in a new container of the image, removed at its end
"""
from peers.buildkit import BuildKit, BuildKitIgzip
from peers.containers import Buildah, Podman
from peers.docker import Docker, DockerIgzip
from peers.kaniko import Kaniko
from peers.mybuild import Mybuild, OneCore
from peers.place import Peer
from peers.runc import Runc

ALL = (Mybuild, OneCore, BuildKit, BuildKitIgzip, Docker, DockerIgzip, Podman, Buildah, Kaniko, Runc)
assert all(issubclass(peer, Peer) for peer in ALL)
NAMES = tuple(peer.name for peer in ALL)
