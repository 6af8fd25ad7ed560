#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An HTTP proxy on a free loopback port, for clients inside a build step: what they ask for by plain HTTP it fetches by
HTTPS, with the proxies and certificates that this machine trusts. So a step needs neither. Prints its own address."""
import http.server
import urllib.error
import urllib.parse
import urllib.request


class Proxy(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        try:
            url = urllib.parse.urlsplit(self.path)
            # "host." is the same host, but no certificate says so.
            answer = urllib.request.urlopen(f"https://{url.netloc.rstrip('.')}{url.path}", timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        except OSError as error:
            self.send_error(502, explain=str(error))
            return
        with answer:
            body = answer.read()
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.headers.get("Content-Type", "application/octet-stream"))
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
