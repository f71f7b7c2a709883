#!/bin/sh
# certs.sh DIR NAME...: a certificate authority and server certificates for these DNS names,
# with openssl. Writes into DIR: ca.pem; server.pem and server.key (EC P-256); rsa.pem and rsa.key
# (RSA 2048). For tests and trying out: the authority's key stays in DIR, unprotected.
set -eu
[ $# -ge 2 ] || { echo "usage: certs.sh DIR NAME..." >&2; exit 2; }
dir=$1
shift
mkdir -p "$dir"
umask 077

names=
for name; do names="$names${names:+,}DNS:$name"; done
first=$1

quietly() {
    "$@" 2>"$dir/openssl.log" || { cat "$dir/openssl.log" >&2; return 1; }
}

make_key() { # FILE: the kind is in its name
    case $1 in
    *rsa.key) quietly openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out "$1" ;;
    *) quietly openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" ;;
    esac
}

make_key "$dir/ca.key"
quietly openssl req -x509 -new -sha256 -days 30 -key "$dir/ca.key" -subj "/CN=adit test CA" \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    -out "$dir/ca.pem"

printf '%s\n' basicConstraints=critical,CA:FALSE "subjectAltName=$names" \
    keyUsage=critical,digitalSignature extendedKeyUsage=serverAuth > "$dir/server.ext"
for kind in server rsa; do
    make_key "$dir/$kind.key"
    quietly openssl req -new -sha256 -key "$dir/$kind.key" -subj "/CN=$first" -out "$dir/$kind.csr"
    quietly openssl x509 -req -sha256 -days 30 -in "$dir/$kind.csr" -CA "$dir/ca.pem" \
        -CAkey "$dir/ca.key" -set_serial "0x$(openssl rand -hex 8)" -extfile "$dir/server.ext" \
        -out "$dir/$kind.pem"
    rm "$dir/$kind.csr"
done
rm "$dir/server.ext" "$dir/openssl.log"
