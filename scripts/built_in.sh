#!/bin/sh
# built_in.sh OUT [CA]: writes the C file behind include/sys/built_in.h: the certificates of the PEM
# file CA, and the time of this source. OUT stays untouched when nothing would change in it.
set -eu
out=$1
ca=${2:-}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

time=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct 2>/dev/null || stat -c %Y Makefile)}
case $time in
'' | *[!0-9]*)
    echo "built_in.sh: SOURCE_DATE_EPOCH is not a number of seconds: $time" >&2
    exit 1
    ;;
esac

[ -z "$ca" ] || awk -v dir="$tmp" '
    /^-----END CERTIFICATE-----/ { inside = 0; close(file) }
    inside { print >file }
    /^-----BEGIN CERTIFICATE-----/ { inside = 1; file = sprintf("%s/%03d", dir, ++n) }
    END { exit inside || n == 0 }' "$ca" || {
    echo "built_in.sh: $ca has no certificate in PEM form" >&2
    exit 1
}

{
    echo '#include "sys/built_in.h"'
    set --
    for pem in "$tmp"/[0-9]*; do
        [ -f "$pem" ] || continue
        name=ca_${pem##*/}
        base64 -d "$pem" >"$tmp/der"
        printf 'static const uint8_t %s[] = {' "$name"
        od -An -v -tu1 "$tmp/der" | sed 's/  */,/g; s/^,//; s/$/,/'
        echo '};'
        set -- "$@" "$name"
    done
    echo 'const struct str built_in_ca[] = {'
    for name; do echo "{ $name, sizeof $name },"; done
    echo '{ 0, 0 } };'
    echo "const size_t built_in_ca_count = $#;"
    echo "const int64_t built_in_time = $time;"
} >"$tmp/c"
cmp -s "$tmp/c" "$out" || cp "$tmp/c" "$out"
