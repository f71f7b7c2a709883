# TAP for shell tests, and a place with nothing but BusyBox in its PATH. Source it first.
# shellcheck shell=sh disable=SC2034
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
number=0

# Ends what a test left running, by what it wrote into its own folder.
end() {
    for file in "$work"/run/*.pid; do
        [ ! -s "$file" ] || kill "$(cat "$file")" 2>/dev/null
    done
    rm -rf "$work"
}
trap end EXIT

# ok STATUS NAME
ok() {
    number=$((number + 1))
    if [ "$1" = 0 ]; then
        echo "ok $number - $2"
    else
        echo "not ok $number - $2"
    fi
}

# is GOT EXPECTED NAME
is() {
    [ "$1" = "$2" ]
    ok $? "$3"
    [ "$1" = "$2" ] || printf '%s\n' "got: $1" "expected: $2" | sed 's/^/# /'
}

# has TEXT PIECE NAME
has() {
    case $1 in
    *"$2"*) ok 0 "$3" ;;
    *) ok 1 "$3"; printf '%s\n' "nothing of \"$2\" in: $1" | sed 's/^/# /' ;;
    esac
}

# until COMMAND...: waits up to ten seconds for it to be true.
until_true() {
    rounds=0
    until "$@"; do
        rounds=$((rounds + 1))
        [ $rounds -lt 100 ] || return 1
        sleep 0.1
    done
}

done_testing() {
    echo "1..$number"
}

busybox_only() {
    mkdir -p "$work/bin" "$work/run"
    busybox=$(command -v busybox)
    "$busybox" --list | while read -r applet; do
        ln -s "$busybox" "$work/bin/$applet"
    done
    PATH=$work/bin
    export PATH
}
