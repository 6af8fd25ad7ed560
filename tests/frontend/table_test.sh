#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# table_test.sh PROGRAM: one line of JSON in, one out, whatever comes in.
set -euo pipefail
answers=$("$1" <<'D'
{"fn":"expand","word":"${A:-x}/$B","env":{"B":"y"}}
{"fn":"words","input":"a '$B' $B","env":["B=c d"]}
{"fn":"match","patterns":["*.md","!README.md"],"path":"README.md"}
{"fn":"dockerignore","content":"# x\n /a/ \n!b\n"}
{"fn":"json","input":"[\"a\", 1]"}
{"fn":"heredoc","word":"3<<-'EOF'"}
{"fn":"parse","dockerfile":"FROM a\nENV x=y\nONBUILD RUN --mount=target=/m [\"b\"]\n"}
{"fn":"nothing like this"}
no JSON
D
)
expect() { grep -qF -- "$1" <<<"$answers" || { echo "no $1 in: $answers" >&2 && exit 1; }; }
[ "$(wc -l <<<"$answers")" = 9 ]
expect '"result":"x/y"'
expect '"result":["a","$B","c","d"]'
expect '"result":false'
expect '"patterns":["a","!b"]'
expect '"error":"when using JSON array syntax'
expect '"name":"EOF"'
expect '(onbuild (run [\"--mount=target=/m\"] \"b\"))'
expect '{"error":"unknown function"}'
expect '{"error":"not a JSON object"}'
