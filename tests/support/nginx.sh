# SPDX-License-Identifier: Apache-2.0
# Sourced by end-to-end scripts after lib.sh: a web server as people run it, on free loopback ports, never as a service.

# Serves the folder www: by http at $web, by https at $web_tls with the certificate web.pem, which nobody else trusts.
# /private/ wants the bearer token t0ken. Each request is a line "GET /path STATUS BYTES" in access.log.
start_nginx() {
  local try registry
  PATH=$PATH:/usr/sbin command -v nginx >/dev/null || skip "no nginx (./dev test installs nginx-light)"
  mkdir -p www/private nginx
  openssl req -x509 -newkey rsa:2048 -nodes -keyout web.key -out web.pem -days 2 -subj /CN=localhost \
    -addext "subjectAltName=DNS:localhost,IP:127.0.0.1" 2>/dev/null
  for try in $(seq 20); do
    web=127.0.0.1:$((20000 + (RANDOM + try) % 20000)) web_tls=localhost:$((40000 + (RANDOM + try) % 20000))
    registry=$web
    nginx_conf >nginx/nginx.conf
    PATH=$PATH:/usr/sbin nginx -e "$work/nginx/error.log" -p "$work/nginx" -c "$work/nginx/nginx.conf" 2>nginx/stderr &
    processes+=($!)
    wait_for_registry && return
  done
  fail "nginx did not start: $(tail -n 3 nginx/stderr)"
}

nginx_conf() {
  cat <<TEXT
daemon off; user root; worker_processes 1; pid nginx.pid;
events {}
http {
  client_body_temp_path t1; proxy_temp_path t2; fastcgi_temp_path t3; uwsgi_temp_path t4; scgi_temp_path t5;
  log_format short '\$request_method \$uri \$status \$body_bytes_sent';
  access_log $work/access.log short;
  types { text/plain txt; application/gzip gz; }
  gzip on; gzip_min_length 100; gzip_types text/plain;
  server {
    listen $web; listen 127.0.0.1:${web_tls#*:} ssl;
    ssl_certificate $work/web.pem; ssl_certificate_key $work/web.key;
    root $work/www;
    location /private/ { if (\$http_authorization != "Bearer t0ken") { return 401; } }
    location = /up-and-down { return 302 https://$web_tls/plain-please; }
    location = /plain-please { return 302 http://$web/f.txt; }
  }
}
TEXT
}
