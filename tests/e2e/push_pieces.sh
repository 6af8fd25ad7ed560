#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A push through a web server that takes bodies of 1 MiB at most: the blob goes in pieces.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
. "$support/nginx.sh"
mkdir -p ctx && head -c 9000000 /dev/urandom >ctx/data
printf 'FROM busybox\nCOPY data /data\n' | dockerfile
start_registry
direct=$registry
nginx_conf() { # nginx's own limit is 1 MiB
  cat <<TEXT
daemon off; user root; worker_processes 1; pid nginx.pid; events {}
http { client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; access_log $work/access.log;
  server { listen $web; location / { proxy_pass http://$direct; proxy_set_header Host \$http_host; proxy_http_version 1.1; } } }
TEXT
}
start_nginx
build -t "$web/pieces:1" ctx
"$MYBUILD" push "$web/pieces:1" >out 2>log || fail "through a server that takes small bodies only"
[ "$(grep -c '"PATCH .* 202 ' access.log)" -gt 8 ] && grep -q '"PUT .* 413 ' access.log || fail "not in pieces: $(cat access.log)"
skopeo copy -q --src-tls-verify=false "docker://$direct/pieces:1" oci:pieces:1 || fail skopeo
