#!/bin/sh
# sbom.sh VERSION: what is inside the programs, as CycloneDX 1.4 JSON: this project, musl, BearSSL,
# with the versions and the SHA-256 sums of the sources that scripts/fetch.sh accepts.
set -eu
# component NAME VERSION LICENSE URL SHA256...
component() {
    printf '    {"type": "library", "name": "%s", "version": "%s",\n' "$1" "$2"
    printf '     "licenses": [{"license": {"id": "%s"}}],\n' "$3"
    printf '     "externalReferences": ['
    first=$4
    shift 4
    comma=
    for sum; do
        printf '%s{"type": "distribution", "url": "%s",\n' "$comma" "$first"
        printf '       "hashes": [{"alg": "SHA-256", "content": "%s"}]}' "$sum"
        comma=', '
    done
    printf ']}'
}

# pinned NAME WHAT: the setting of that source in fetch.sh.
pinned() {
    sed -n "/^$1)/,/;;/p" scripts/fetch.sh | tr -s '\n ' ' ' |
        sed "s/.* $2=//; s/^'\([^']*\)'.*/\1/; s/ [a-z]*=.*//; s/ *;;.*//"
}

printf '{"bomFormat": "CycloneDX", "specVersion": "1.4", "version": 1,\n'
printf '  "metadata": {"component": {"type": "application", "name": "adit",\n'
printf '   "version": "%s"}},\n' "$1"
printf '  "components": [\n'
for name in bearssl musl; do
    dir=$(pinned $name dir)
    # shellcheck disable=SC2046
    component $name "${dir#*-}" MIT "$(pinned $name url)" $(pinned $name sums)
    [ $name = musl ] || printf ',\n'
done
printf '\n  ]}\n'
