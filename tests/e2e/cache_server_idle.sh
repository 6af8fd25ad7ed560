#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ctest: timeout=300
# `mybuild serve` with 5,000 idle connections, in the clear and under TLS: little memory for each, others are served, a stop is quick.
. "$(dirname "$0")/lib.sh"
. "$support/cache_server.sh"
[ "$(ulimit -Hn)" -ge 12000 ] || skip "the hard limit of descriptors is $(ulimit -Hn), and the server takes two for each of 5,000 connections"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=x -addext subjectAltName=IP:127.0.0.1 2>/dev/null
idle() { python3 "$support/../property/cache_server_idle.py" --mybuild "$MYBUILD" --work "$work" --connections 5000 "$@" >log 2>&1 && cat log || fail "idle connections"; }
idle --most-bytes 4096
idle --most-bytes 24576 --certificate cert.pem --key key.pem
