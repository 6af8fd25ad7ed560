#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# install.sh PACKAGE…: Debian's own packages, whatever other sources and preferences this machine has.
set -eu
here=$(dirname "$0")
set -- -q -y --no-install-recommends -o "Dir::Etc::PreferencesParts=$here/preferences" -o Dpkg::Options::=--force-unsafe-io "$@"
export DEBIAN_FRONTEND=noninteractive
apt-get -q update
apt-get install "$@"
rm -rf /var/log/apt /var/log/dpkg.log /var/log/alternatives.log
