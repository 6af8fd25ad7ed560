#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=600
# What Debian's programs do to a tree (users, diversions, set-id files, links, moved and replaced folders) is in our image as
# it is in the one that buildah makes of the same Dockerfile on the same base.
. "$(dirname "$0")/lib.sh"

need_debian
dockerfile <<'D'
FROM base
RUN groupadd -g 1900 app && useradd -u 1901 -g app -m -s /bin/bash app && usermod -L app
COPY --chown=app:app ["file", "ünïcode näme", "/srv/"]
RUN cd /srv && ln file hard && ln -s file soft && mkfifo pipe && cp /bin/ls ls && chmod 2755 ls && chmod u+s /usr/bin/env
RUN rm -rf /usr/share/doc && mkdir -p /usr/share/doc/new && rm /etc/issue && mkdir /etc/issue && touch /etc/issue/x
RUN mv /usr/games /usr/plays && mv /opt /opt2 && mkdir /opt && chmod 640 /srv/hard
RUN dpkg-divert --add --rename --divert /usr/bin/perl.real /usr/bin/perl && ln -s perl.real /usr/bin/perl && perl -e 'exit 0'
RUN for i in $(seq 2000); do echo $i >/opt/$i; done; rm /opt/1*; mkdir -p /opt/$(printf 'deep%.0s/' $(seq 80))
USER app
RUN umask 027 && mkdir -p ~/a/b && id >~/a/b/id && ln ~/a/b/id ~/a/id
ENV A=1 B="two words" PATH=$PATH:/x
D
echo 1 | tee ctx/file >"ctx/ünïcode näme"
build --build-context "base=oci-layout://$bases/debian" -o type=oci,dest=ours,tar=false ctx
buildah=(unshare -m buildah --root "$work/buildah" --runroot "$work/buildah-run" --storage-driver overlay)
"${buildah[@]}" tag "$("${buildah[@]}" pull -q "oci:$bases/debian:latest")" localhost/base
sed 's,^FROM base,FROM localhost/base,' ctx/Dockerfile >Dockerfile.buildah
"${buildah[@]}" build --layers --isolation chroot -f Dockerfile.buildah -t theirs ctx >log 2>&1 || fail "buildah"
"${buildah[@]}" push -q theirs oci:theirs:latest
# buildah leaves the mount point it made.
"$support/image_diff.py" ours theirs /etc/hosts >log 2>&1 || fail "the images differ"
