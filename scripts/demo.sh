#!/bin/sh
# demo.sh: a page of a local web server, fetched through the tunnel, everything on this machine.
# Certificate authority, gateway, BusyBox httpd, agent, curl. Leaves nothing running; with KEEP=1 it
# leaves everything running and says how to stop it.
set -eu
cd "$(dirname "$0")/.."
build=${ADIT_BUILD:-build/host}
name=demo
domain=tunnel.test
dir=$(mktemp -d "${TMPDIR:-/tmp}/adit-demo.XXXXXX")
pids=

stop() {
    # shellcheck disable=SC2086
    [ -z "$pids" ] || kill $pids 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

fail() {
    echo "demo: $1" >&2
    [ -z "${2:-}" ] || cat "$2" >&2
    exit 1
}

wait_for() { # WHAT FILE PATTERN: a line of a log, for up to 10 seconds
    tries=200
    until grep -q "$3" "$2" 2>/dev/null; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || fail "$1 did not start; its log:" "$2"
        sleep 0.05
    done
}

echo "== a certificate authority and a certificate for *.$domain"
scripts/certs.sh "$dir" localhost "$domain" "*.$domain"

echo "== a token"
"$build/adit-gateway" token $name > "$dir/token.txt"
grep "^$name [0-9a-f]\{64\}\$" "$dir/token.txt" > "$dir/tokens"
grep -v "^$name " "$dir/token.txt" | sed -n 's/.*[: ]\([^ ]*\)$/\1/; /./p' |
    tail -n 1 > "$dir/token"
chmod 600 "$dir/token"

echo "== gateway"
"$build/adit-gateway" --listen 127.0.0.1:0 --domain $domain --tokens "$dir/tokens" \
    --cert "$dir/server.pem" --key "$dir/server.key" > "$dir/gateway.log" 2>&1 < /dev/null &
pids="$!"
wait_for "the gateway" "$dir/gateway.log" "listening on"
port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$dir/gateway.log" | head -n 1)

echo "== a local web server"
mkdir "$dir/www"
cat > "$dir/www/index.html" <<PAGE
<!doctype html>
<title>adit</title>
<h1>Hello from the local network</h1>
<p>This page came through the tunnel.</p>
PAGE
tries=20
while :; do
    # BusyBox cannot be asked for a free port: try some.
    local_port=$((20000 + $(od -An -N2 -tu2 /dev/urandom) % 12000))
    busybox httpd -f -p "127.0.0.1:$local_port" -h "$dir/www" \
        > "$dir/httpd.log" 2>&1 < /dev/null &
    httpd=$!
    sleep 0.2
    ! kill -0 $httpd 2>/dev/null || break
    tries=$((tries - 1))
    [ $tries -gt 0 ] || fail "httpd did not start:" "$dir/httpd.log"
done
pids="$pids $httpd"

echo "== agent"
"$build/adit" --url "wss://localhost:$port/_adit" --token-file "$dir/token" --ca "$dir/ca.pem" \
    --local "127.0.0.1:$local_port" > "$dir/agent.log" 2>&1 < /dev/null &
agent=$!
pids="$pids $agent"
wait_for "the agent" "$dir/agent.log" "session .* open"
url=$(sed -n 's/.*\(https:[^ ]*\).*/\1/p' "$dir/agent.log" | head -n 1)

echo "== a visitor"
visit="curl -sS --cacert $dir/ca.pem --resolve $name.$domain:$port:127.0.0.1 $url"
echo "$visit"
echo
$visit > "$dir/page" || fail "no page; the gateway's log:" "$dir/gateway.log"
cat "$dir/page"
cmp -s "$dir/page" "$dir/www/index.html" || fail "that is another page than the local server has"

echo
echo "public address  $url"
resident=$(sed -n 's/^VmRSS:[^0-9]*//p' /proc/$agent/status)
echo "agent           $(wc -c < "$build/adit") bytes, $resident resident"
[ -z "${KEEP:-}" ] || {
    trap - EXIT
    echo "still running   stop with: kill $pids; rm -r $dir"
}
