#!/bin/sh
# repro.sh BOARD: the same bytes from two folders? Copies the source twice, to paths of different
# lengths, builds musl, BearSSL, agent and gateway in each and compares the files.
set -eu
board=$1
dir=$(mktemp -d "${TMPDIR:-/tmp}/adit-repro.XXXXXX")
trap 'rm -rf "$dir"' EXIT
bearssl=$(sh scripts/fetch.sh bearssl) musl=$(sh scripts/fetch.sh musl)
for folder in one another/folder; do
    mkdir -p "$dir/$folder"
    cp -R Makefile CHANGES board include scripts src test "$dir/$folder/"
    # The time of the source is the release's, as in an unpacked tarball.
    (cd "$dir/$folder" && BEARSSL_SRC=$bearssl MUSL_SRC=$musl \
        make --no-print-directory -j2 BOARD="$board" SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-1}" \
        "build/$board/adit" "build/$board/adit-gateway" >"$dir/log" 2>&1) ||
        { tail -n 20 "$dir/log" >&2; exit 1; }
done
status=0
for program in adit adit-gateway; do
    if cmp "$dir/one/build/$board/$program" "$dir/another/folder/build/$board/$program"; then
        sha256sum "$dir/one/build/$board/$program" | sed "s|  .*|  $board/$program|"
    else
        status=1
    fi
done
[ $status = 0 ] && echo "$board: two folders, the same bytes"
exit $status
