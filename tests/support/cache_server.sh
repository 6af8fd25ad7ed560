# SPDX-License-Identifier: Apache-2.0
# Sourced by end-to-end scripts after lib.sh: a `mybuild serve` of this script's own, on a free loopback port.
export XDG_RUNTIME_DIR=$work/runtime XDG_CONFIG_HOME=$work/config
mkdir -p -m 700 "$XDG_RUNTIME_DIR" "$XDG_CONFIG_HOME"

# start_cache NAME [OPTION…]: its state is the folder NAME, what it prints goes to NAME.log. $NAME is its host:port then,
# $token what a client of this user sends; ${NAME}_pid the process.
start_cache() {
  : >"$1.log"
  "$MYBUILD" serve --root "$work/$1" --listen 127.0.0.1:0 "${@:2}" </dev/null >>"$1.log" 2>&1 &
  processes+=($!)
  printf -v "${1}_pid" %s "${processes[-1]}"
  until grep -q '^listening on http' "$1.log"; do
    kill -0 "${processes[-1]}" 2>/dev/null || fail "the server did not start: $(<"$1.log")"
    sleep 0.02
  done
  printf -v "$1" %s "$(sed -n 's!^listening on https\?://\([^ ]*\).*!\1!p' "$1.log" | tail -n 1)"
  token=$(<"$1/local-token")
}
# restart_cache NAME HOST:PORT [OPTION…]: again on the same address, after it was stopped or killed.
restart_cache() { start_cache "$1" --listen "$2" "${@:3}"; }

# ask [CURL OPTION…] PATH: of the server in $cache, with $token; prints "STATUS BODY".
ask() {
  curl -sS --noproxy '*' -H "Authorization: Bearer $token" -o answer -w '%{http_code} ' "${@:1:$#-1}" "http://$cache${*: -1}" &&
    cat answer
}
serve_token() { "$MYBUILD" serve token create --root "$work/$1" "${@:2}"; }
