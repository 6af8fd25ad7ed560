#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A layer goes to the registry while it is compressed, and comes out as it would otherwise; where the registry refuses that,
# it goes when it is whole.
. "$(dirname "$0")/lib.sh"
. "$support/nginx.sh"
start_registry && direct=$registry
nginx_conf() {
  cat <<TEXT
daemon off; user root; worker_processes 1; pid nginx.pid; events {}
http { client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5; access_log $work/access.log;
  server { listen $web; client_max_body_size 0; location / { if (\$request_method = PATCH) { return 405; }
    proxy_pass http://$direct; proxy_set_header Host \$http_host; proxy_http_version 1.1; } } }
TEXT
}
start_nginx
mkdir -p ctx && head -c 20000000 /dev/urandom >ctx/data
printf 'FROM busybox\nCOPY data /data\n' | dockerfile
layers() { skopeo inspect --raw --tls-verify=false "docker://$1" | jq -c .layers; }
streams() { grep -cE "\"PATCH /v2/$1/blobs/uploads/[^\"]*\" 202 " registry.log || true; }
build --push -t "$direct/built:1" ctx && assert_equal "$(streams built)" 1 "streams of a build"
export MYBUILD_ROOT=$work/other
build -t "$direct/pushed:1" ctx && "$MYBUILD" push "$direct/pushed:1" >out 2>log && assert_equal "$(streams pushed)" 1 "streams of a push"
build -o type=oci,tar=false,dest=layout ctx
for name in built pushed; do assert_equal "$(layers "$direct/$name:1")" "$(manifest_of layout | jq -c .layers)" "what was $name"; done
export MYBUILD_ROOT=$work/third
build --push -t "$web/refused:1" ctx && grep -q '"PATCH .* 405 ' access.log && assert_equal "$(streams refused)" 0 "streams that were refused"
assert_equal "$(layers "$direct/refused:1")" "$(layers "$direct/built:1")" "what came whole"
! find registry -path '*_uploads/*' -name data | grep . || fail "an upload is left"
