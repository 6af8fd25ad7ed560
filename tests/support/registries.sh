# SPDX-License-Identifier: Apache-2.0
# Sourced by end-to-end scripts after lib.sh: registries that want to know who asks, or speak TLS; each on a free loopback
# port, its address in $registry. HOME is the script's own, so that no login or certificate of this machine counts.
mkdir -p home/.config/containers && export HOME=$work/home
unset DOCKER_CONFIG DOCKER_AUTH_CONFIG REGISTRY_AUTH_FILE XDG_CONFIG_HOME XDG_RUNTIME_DIR CONTAINERS_REGISTRIES_CONF
: >home/.config/containers/registries.conf

# serve_registry NAME 'HTTP FIELDS' 'OTHER LINES': the log is NAME.log, the data in the folder NAME.
serve_registry() {
  local try
  for try in $(seq 20); do
    registry=127.0.0.1:$((20000 + (RANDOM + try) % 20000))
    printf 'version: 0.1\nlog: {level: info}\nstorage: {delete: {enabled: true}, filesystem: {rootdirectory: %s/%s}}\nhttp: {addr: "%s"%s}\n%s\n' \
      "$work" "$1" "$registry" "$2" "$3" >"$1.yml"
    docker-registry serve "$1.yml" >"$1.log" 2>&1 &
    processes+=($!)
    wait_for_registry && return
  done
  fail "the registry did not start: $(tail -n 3 "$1.log")"
}
# start_password_registry USER PASSWORD
start_password_registry() {
  perl -e 'print "$ARGV[0]:", crypt($ARGV[1], q($2y$05$) . "abcdefghijklmnopqrstuu"), "\n"' "$1" "$2" >htpasswd
  serve_registry private "" "auth: {htpasswd: {realm: test, path: $work/htpasswd}}"
}
# make_authority NAME: NAME.pem and NAME.key, an authority; make_certificate NAME AUTHORITY: one for 127.0.0.1 and for a client.
make_authority() {
  openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1" 2>/dev/null
}
make_certificate() {
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -CAcreateserial -days 2 -out "$1.pem" \
    -extfile <(printf 'subjectAltName=IP:127.0.0.1,DNS:localhost\n') 2>/dev/null
}
# start_tls_registry NAME ['MORE TLS FIELDS']: with server.pem and server.key.
start_tls_registry() {
  serve_registry "$1" ", tls: {certificate: $work/server.pem, key: $work/server.key${2:-}}" ""
}
# start_token_registry LIFE: token_server.py (asked.log) decides what tokens are for; it knows me with the password secret.
start_token_registry() {
  make_authority issuer
  python3 "$support/token_server.py" issuer.pem issuer.key "$1" >realm 2>>asked.log & processes+=($!)
  until [ -s realm ]; do sleep 0.05; done
  serve_registry token "" "auth: {token: {realm: \"$(<realm)\", service: test, issuer: test, rootcertbundle: $work/issuer.pem}}"
}
# start_slow NAME HOST:PORT BYTES: a slow_proxy.py, its address in $slow; logins that it has seen are in NAME.logins.
start_slow() {
  python3 "$support/slow_proxy.py" "$2" "$3" >"$1.address" 2>"$1.logins" & processes+=($!)
  until [ -s "$1.address" ]; do sleep 0.05; done
  slow=$(<"$1.address")
}
# A folder with what is trusted of, or shown to, the registry.
certs() { mkdir -p "home/.config/containers/certs.d/$registry" && cp "$1" "home/.config/containers/certs.d/$registry/$2"; }
