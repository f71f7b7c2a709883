#!/bin/sh
# The manual pages have every option of --help, no other, and the same defaults. Their markup is
# sound for groff and for mandoc, where these are installed.
# shellcheck source=test/packaging/tap.sh
. "$(dirname "$0")/tap.sh"
build=${ADIT_BUILD:-build/host}

# Both lists: a line an option, its argument, and its default in brackets.
of_help() {
    "$build/$1" --help | sed -n 's/^  --//p' |
        awk '{
            preset = match($0, / \([^ )]*\)$/) ? substr($0, RSTART + 1) : ""
            argument = $2 ~ /^[A-Z:|\/]+$|[|]|:[A-Z0-9]+$|^=/ ? $2 : ""
            print $1, argument, preset
        }' | sort
}

of_page() {
    sed 's/\\-/-/g' "$root/board/man/$1.1" |
        awk '
        function flush() { if (name != "") print name, argument, preset; name = "" }
        /^\.SH/ { flush(); inside = $2 == "OPTIONS" }
        !inside { next }
        /^\.TP|^\.SS/ { flush(); entry = /TP/; next }
        entry && /^\.BI? --/ {
            name = substr($2, 3); argument = $3 $4; gsub(/"/, "", argument); preset = ""
        }
        { entry = 0 }
        /^Default: [^ ]*\.$/ { preset = "(" substr($2, 1, length($2) - 1) ")" }
        END { flush() }' | sort
}

for program in adit adit-gateway; do
    of_help "$program" >"$work/help"
    of_page "$program" >"$work/page"
    # An agent made with MTLS=no.
    [ "$program" != adit ] || grep -q '^client-cert ' "$work/help" || sed -i '/^client-/d' "$work/page"
    [ "$(wc -l <"$work/help")" -gt 15 ]
    ok $? "$program --help is understood here"
    difference=$(diff "$work/help" "$work/page")
    ok $? "$program(1) has the options of --help (<) and no other (>), with their defaults"
    [ -z "$difference" ] || echo "$difference" | sed 's/^/# /'
    page=$root/board/man/$program.1
    for section in SIGNALS 'EXIT STATUS' FILES EXAMPLES; do
        grep -q "^\.SH $section" "$page"
        ok $? "$program(1), $section"
    done
    if command -v groff >/dev/null; then
        is "$(groff -man -ww -z -Tascii "$page" 2>&1)" '' "$program(1): groff has no warning"
    else
        ok 0 "$program(1): groff # SKIP not installed"
    fi
    if command -v mandoc >/dev/null; then
        is "$(mandoc -Tlint -W warning "$page" 2>&1)" '' "$program(1): mandoc has no warning"
    else
        ok 0 "$program(1): mandoc # SKIP not installed"
    fi
done
done_testing
