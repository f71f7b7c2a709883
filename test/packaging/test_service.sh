#!/bin/sh
# The init script with the real programs: a device without a token asks its hook, opens its tunnel,
# says which device it is, and serves a page; then a reload and a stop.
# shellcheck source=test/packaging/tap.sh disable=SC2016
. "$(dirname "$0")/tap.sh"
cd "$root" || exit 1
build=${ADIT_BUILD:-build/host}
build=$(cd "$build" && pwd)
mkdir -p "$work/run" "$work/www"
bash scripts/certs.sh "$work" localhost tunnel.test '*.tunnel.test' >/dev/null 2>&1
"$build/adit-gateway" token shed >"$work/made"
grep '^shed ' "$work/made" >"$work/tokens"
sed -n 's/^token .*: //p' "$work/made" >"$work/factory"

"$build/adit-gateway" --listen 127.0.0.1:0 --domain tunnel.test --tokens "$work/tokens" \
    --cert "$work/server.pem" --key "$work/server.key" 2>"$work/gateway.log" &
echo $! >"$work/run/gateway.pid"
until_true grep -q 'listening on' "$work/gateway.log"
port=$(sed -n 's/.*listening on 127.0.0.1:\([0-9]*\).*/\1/p' "$work/gateway.log")

echo hello >"$work/www/index.html"
printf '#!/bin/sh\necho "$1" >"%s/asked"\ncat "%s/factory"\n' "$work" "$work" >"$work/hook"
chmod +x "$work/hook"
# BusyBox cannot be asked for a free port: some are tried.
local_port=$((20000 + $$ % 12000))
for _ in 1 2 3 4 5; do
    busybox httpd -f -p 127.0.0.1:$local_port -h "$work/www" 2>/dev/null &
    echo $! >"$work/run/local.pid"
    sleep 0.2
    ! kill -0 "$(cat "$work/run/local.pid")" 2>/dev/null || break
    local_port=$((local_port + 1))
done

cat >"$work/defaults" <<DEFAULTS
ADIT_URL=wss://localhost:$port/_adit
ADIT_TOKEN_FILE=$work/etc/token
ADIT_LOCAL=127.0.0.1:$local_port
ADIT_CA=$work/ca.pem
ADIT_ID_FROM=mac:lo
ADIT_STATE=$work/state/time
ADIT_USER=
LOG_TO=$work/agent.log
DEFAULTS
export DAEMON="$build/adit" PROVISION="$root/board/init/adit-provision"
export DEFAULTS="$work/defaults" RUN="$work/run" ADIT_PROVISION="$work/hook"
touch "$work/agent.log"
service() {
    busybox ash board/init/S60adit "$@"
}

service start
is $? 0 'start'
until_true grep -q 'public address' "$work/agent.log"
ok $? 'the tunnel is open'
is "$(cat "$work/asked")" '00:00:00:00:00:00' 'the hook was told the identity'
has "$(cat "$work/gateway.log")" ' 00:00:00:00:00:00, ' 'the gateway as well'
is "$(curl -s --max-time 20 --cacert "$work/ca.pem" --resolve "shed.tunnel.test:$port:127.0.0.1" \
    "https://shed.tunnel.test:$port/")" hello 'the page'
until_true test -s "$work/state/time"
ok $? 'the time is kept'
service reload
until_true grep -q 'token read again' "$work/agent.log"
ok $? 'reload'
service stop
is $? 0 'stop'
has "$(tail -n 1 "$work/agent.log")" stopping 'the agent closed its session'
grep -qF "$(cat "$work/factory")" "$work/agent.log" "$work/gateway.log"
is $? 1 'no token in a log'
done_testing
