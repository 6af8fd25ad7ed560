#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run -it IMAGE /bin/bash as a person sees it: prompt, echo, size, Ctrl-C, Ctrl-D, exit code; start -ai finds what was left.
. "$(dirname "$0")/lib.sh"

need_debian
printf 'FROM debian\n' | dockerfile && build -t image ctx
cat >talk.py <<'P'
import sys
from terminal import Terminal
count, prompt = sys.argv[1], r"root@box:/# "
shell = Terminal(*sys.argv[2:])
shell.resize(33, 99)
shell.expect(prompt)
shell.ask("tty", "/dev/.*", prompt)
shell.ask("echo mark >>/file; wc -l </file", count, prompt)
shell.resize(44, 111)
shell.ask("until stty size | grep '44 111'; do sleep 0.1; done", "44 111", prompt)
shell.type("cat\nawake\n")
shell.expect("awake\r\n")  # not a shell's child: a shell may miss a Ctrl-C between two commands
shell.type("\x03")
shell.expect(prompt)
shell.ask("echo $?", "130", prompt)
shell.type("(exit 7)\n\x04")
sys.exit(shell.end())
P
talk() { code=0 && PYTHONPATH=$support timeout 60 python3 talk.py "$@" >log 2>&1 || code=$?; assert_equal $code 7 "$*"; }
talk 1 "$MYBUILD" run -it --name box -h box image /bin/bash
talk 2 "$MYBUILD" start -ai box
"$MYBUILD" rm box >log
