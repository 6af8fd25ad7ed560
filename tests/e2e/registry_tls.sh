#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# TLS with an authority of our own: from certs.d, from SSL_CERT_FILE, unchecked by option, and a certificate of ours.
. "$(dirname "$0")/lib.sh"
. "$support/registries.sh"
make_authority authority && make_certificate server authority && make_certificate client authority
start_tls_registry plain
printf 'FROM busybox\nRUN true\n' | dockerfile && build -t "$registry/app:1" ctx
push() { "$MYBUILD" push "$@" "$registry/app:1" >out 2>log; }
! push && assert_log "certs.d" && assert_log "SSL_CERT_FILE" || fail "an unknown authority"
SSL_CERT_FILE=$work/authority.pem push || fail "SSL_CERT_FILE"
push --insecure-registry "$registry" || fail "--insecure-registry"
MYBUILD_INSECURE_REGISTRIES=other:1,$registry push || fail "MYBUILD_INSECURE_REGISTRIES"
! push --insecure-registry localhost || fail "another registry is insecure, too"
certs authority.pem ca.crt && push || fail "certs.d"
rm -rf "$MYBUILD_ROOT" && "$MYBUILD" pull "$registry/app:1" >out 2>log || fail "pull"
build -t "$registry/app:1" ctx

start_tls_registry clients ", clientcas: [$work/authority.pem]"
build -t "$registry/app:1" ctx
certs authority.pem ca.crt
! push && assert_log "certificate" || fail "without a certificate of ours"
certs client.pem me.cert && ! push && assert_log "missing key me.key" || fail "a certificate without its key"
certs client.key me.key && push || fail "with a certificate of ours"
skopeo copy -q --src-cert-dir "home/.config/containers/certs.d/$registry" "docker://$registry/app:1" oci:copied:1 || fail skopeo

start_registry # without TLS, and not on this machine's own name for it
build -t "$registry/app:1" ctx && push --insecure-registry "$registry" || fail "the way back to http"
