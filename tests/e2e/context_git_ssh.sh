#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Git over ssh with the keys of an agent, from a real sshd: host keys that are known, new, changed and revoked.
. "$(dirname "$0")/lib.sh"
. "$support/servers.sh"
for name in key other; do ssh-keygen -q -t ed25519 -N '' -C $name -f $name && cp $name.pub authorized; done
ssh-agent -D -a "$work/agent.sock" >/dev/null & processes+=($!)
export SSH_AUTH_SOCK=$work/agent.sock
for try in $(seq 100); do ssh-add -q key 2>/dev/null && break; sleep 0.05; done
repository app && printf 'FROM scratch\nCOPY . /\n' >app/Dockerfile && echo one >app/f && publish app >publish.log && git -C app branch old
start_sshd
host="[${sshd%:*}]:${sshd##*:}" && host=${host/root@/}
url=ssh://$sshd$work/git/app.git
build_fails --ssh default "$url" && assert_log 'ERROR: .*(no key|denied)' # only the key `other` may enter
cp key.pub authorized
build_tree --ssh default "$url#main" && assert_file out/f one
assert_log "127.0.0.1.*$(ssh-keygen -lf sshd.key | cut -d' ' -f2 | sed 's/[+]/[+]/g')" # a new host is accepted, and its key is shown
echo "$host $(cut -d' ' -f1,2 sshd.key.pub)" >home/.ssh/known_hosts && before=$(cat home/.ssh/known_hosts)
echo two >app/f && publish app >publish.log
build_tree --ssh default "$url" && assert_file out/f two && assert_no_log SHA256
printf 'FROM scratch\nADD %s#%s /o/\nCOPY --from=n f /n\n' "$url" old | dockerfile
build_tree --ssh default --build-context "n=$url" ctx && assert_file out/o/f one && assert_file out/n two
build_fails --build-context "n=$url" ctx && assert_log 'ERROR: .*ssh' && assert_log 'hint: .*--ssh default'
build_fails "$url" && assert_log 'hint: .*--ssh default'
assert_file home/.ssh/known_hosts "$before"
kill "${processes[-1]}" && wait "${processes[-1]}" || true
rm sshd.key* && start_sshd "${sshd##*:}"
build_fails --ssh default "$url" && assert_log 'ERROR: .*(known_hosts|host key)' && assert_log '^hint: '
echo "@revoked $host $(cut -d' ' -f1,2 sshd.key.pub)" >home/.ssh/known_hosts
build_fails --ssh default "$url" && assert_log 'ERROR: .*(revoked|known_hosts)'
