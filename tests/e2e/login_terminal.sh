#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# login on a terminal: it asks, the password is not shown, Ctrl-C ends it with the terminal as before.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
start_password_registry me secret
cat >type.py <<P
import sys, termios
sys.path.insert(0, "$support")
from terminal import Terminal
t = Terminal("$MYBUILD", "login", "$registry")
t.expect("Username: "); t.type("me\n"); t.expect("Password: ")
assert not termios.tcgetattr(t.screen)[3] & termios.ECHO, "the password would be shown"
t.type("secret\n"); t.expect("Login Succeeded")
assert t.end() == 0
t = Terminal("$MYBUILD", "login", "-u", "me", "$registry")
t.expect("Password: "); t.type("\x03"); t.expect("SIGINT")
assert termios.tcgetattr(t.screen)[3] & termios.ECHO, "the terminal shows nothing any more"
assert t.end() == 130
P
timeout 60 python3 type.py >log 2>&1 || fail "a terminal"
assert_equal "$(jq -r '.auths[].auth' home/.docker/config.json | base64 -d)" me:secret "what is stored"
