# SPDX-License-Identifier: Apache-2.0
# Sourced after lib.sh by the scripts about the applications of testdata/seeds: their bases and contexts, programs that serve.

make_seed_bases() { "$support/app_bases.sh" "$bases/debian" "$1"; }
need_debian
make_base seeds make_seed_bases
for base in node:14-alpine java:8 ubuntu:18.04; do
  seed_bases+=(--build-context "$base=oci-layout://$bases/seeds/${base%:*}:${base#*:}")
done

# seed NAME: a copy of the application as the context ctx/NAME.
seed() { mkdir -p ctx && cp -r "$checkout/testdata/seeds/$1" ctx/; }
# base_of_registry NAME:TAG: pushes that base to the registry; the context in the array from_registry takes it from there.
base_of_registry() {
  skopeo copy -q --dest-tls-verify=false "oci:$bases/seeds/${1/:*/}:${1#*:}" "docker://$registry/$1"
  from_registry=(--build-context "$1=docker-image://$registry/$1")
}
requests() { grep 'http.request.method' registry.log | grep -vc 'method=HEAD' || true; } # what a tag is now is asked by HEAD

# The application node, with its dependency at an address, $dependency, that npm asks for by plain HTTP through $npm_proxy, which
# this starts; skips where npm's registry is out of reach. npm makes HTTPS of the registry's own name, hence the dot that ends it.
seed_node() {
  local why address
  address=$(sed 's|^https://||; s|/*$||' "$bases/seeds/npm-registry")
  why=$(curl -sSf -o /dev/null --max-time 20 "https://$address/ms/-/ms-2.1.3.tgz" 2>&1) || skip "no npm registry: $why"
  seed node
  dependency=http://$address./ms/-/ms-2.1.3.tgz
  sed -i "s|\"2.1.3\"|\"$dependency\"|" ctx/node/package.json
  python3 "$support/https_proxy.py" >proxy.url 2>proxy.log &
  processes+=($!)
  until [ -s proxy.url ]; do kill -0 "${processes[-1]}" || fail "the proxy: $(cat proxy.log)"; sleep 0.05; done
  npm_proxy=(--build-arg "http_proxy=$(cat proxy.url)")
}

# serve IMAGE PORT ARGS…: starts the image in the background and waits until it answers.
serve() {
  "$MYBUILD" run --rm -e "PORT=$2" "$1" "${@:3}" >"serve.$2" 2>&1 &
  processes+=($!)
  until get "$2" /processes; do kill -0 "${processes[-1]}" 2>/dev/null || fail "$1: $(cat "serve.$2")"; sleep 0.1; done >/dev/null
}
get() { curl -s --noproxy '*' --max-time 10 "http://127.0.0.1:$1$2"; }
