#!/bin/sh
# The BusyBox init script and the provisioning, run by BusyBox's shell with BusyBox's tools only.
# shellcheck source=test/packaging/tap.sh disable=SC2016
. "$(dirname "$0")/tap.sh"
busybox_only
log=$work/agent.log
token=$work/etc/adit/token
touch "$log" "$work/syslog"

# ---- stand-ins: an agent that tells what it is asked, a logger that keeps what it is told ----

cat >"$work/agent" <<AGENT
#!$work/bin/sh
echo \$\$ >"$work/run/agent.pid"
trap 'echo hup >>"$log"' HUP
trap 'echo usr1 >>"$log"' USR1
trap 'echo usr2 >>"$log"' USR2
trap 'echo term >>"$log"; exit 0' TERM
echo "started url=\$ADIT_URL token=\$ADIT_TOKEN_FILE user=\${ADIT_USER-none} args=\$#" >>"$log"
echo "a line of the agent" >&2
[ ! -f "$work/exit" ] || exit "\$(cat "$work/exit")"
while :; do sleep 0.05; done
AGENT
rm "$work/bin/logger" "$work/bin/id"
cat >"$work/bin/logger" <<LOGGER
#!$work/bin/sh
echo "logger \$*" >>"$work/syslog"
cat >>"$work/syslog"
LOGGER
printf '#!%s\n[ "$2" = root ] || [ -f "%s" ]\n' "$work/bin/sh" "$work/has-user" >"$work/bin/id"
printf '#!%s\necho "$@" >>"%s"\n' "$work/bin/sh" "$work/chowned" >"$work/chown"
cat >"$work/provision" <<HOOK
#!$work/bin/sh
echo "asked id=\$1" >>"$work/hook.log"
cat "$work/answer"
HOOK
chmod +x "$work/agent" "$work/bin/logger" "$work/bin/id" "$work/provision" "$work/chown"
rm "$work/bin/chown"
mv "$work/chown" "$work/bin/chown"

cat >"$work/defaults" <<DEFAULTS
ADIT_URL='wss://gateway.example/_adit'
ADIT_TOKEN_FILE=$token
ADIT_ID_FROM=file:$work/serial
DEFAULTS
# On a device /bin/sh is BusyBox; here it may be another.
sed "1s|.*|#!$work/bin/sh|" "$root/board/init/adit-provision" >"$work/adit-provision"
chmod +x "$work/adit-provision"
export DAEMON="$work/agent" PROVISION="$work/adit-provision" DEFAULTS="$work/defaults"
export RUN="$work/run" SH="$work/bin/sh" ADIT_PROVISION="$work/provision"
export RESPAWN=0.1 RESPAWN_USAGE=0.1 RESPAWN_PROVISION=0.1
service() {
    sh "$root/board/init/S60adit" "$@"
}
provision() {
    env ADIT_ID_FROM="$1" sh "$PROVISION" "$token" ${2:+"$2"} 2>&1
}
starts() {
    grep -c '^started' "$log"
}
started() {
    [ "$(starts)" -ge "$1" ]
}
logged() {
    grep -q "$1" "$log"
}

# ---- provisioning ----

out=$(ADIT_PROVISION=/nonexistent provision '')
is $? 1 'without a token and a hook: to be tried again'
has "$out" 'no token' 'and said'

echo 'tok-1' >"$work/answer"
echo 'serial-42' >"$work/serial"
provision "file:$work/serial" >/dev/null
is $? 0 'the hook is asked'
is "$(cat "$token")" tok-1 'its token is kept'
is "$(stat -c %a "$token")" 600 'for nobody else to read'
is "$(cat "$work/hook.log")" 'asked id=serial-42' 'it was told the identity'

echo 'tok-2' >"$work/answer"
provision '' >/dev/null
is "$(cat "$token")" tok-1 'a token that is there stays'
is "$(wc -l <"$work/hook.log")" 1 'and nobody is asked'

for damaged in '\000\000\000\000\000\n' '\n\n' 'two words\n' 'tok\000en\n' 'caf\303\251\n'; do
    # shellcheck disable=SC2059
    printf "$damaged" >"$token"
    out=$(provision '')
    is "$? $(cat "$token")" '0 tok-2' "a damaged file is replaced"
    has "$out" 'is damaged' 'and said'
done
printf 'two words\n' >"$token"
out=$(ADIT_PROVISION=/nonexistent provision '')
is "$? $(cat "$token")" '1 two words' 'unless nobody can make a token'
printf 'tok-3\r\n' >"$token"
provision '' >/dev/null
is "$(tr -d '\r' <"$token")" tok-3 'the end of a line written elsewhere is no damage'

rm "$token"
provision mac:lo adit >/dev/null
is "$(tail -n 1 "$work/hook.log")" 'asked id=00:00:00:00:00:00' 'identity from an interface'
is "$(cat "$work/chowned")" "adit $token.new" 'the token belongs to the user of the agent'

rm "$token"
provision 'serial' >/dev/null
is $? 1 'a source of identity that is none'
provision mac:nonexistent >/dev/null
is $? 1 'an interface that is not there'
for bad in '' 'two words' "$(printf 'two\nlines')" "$(printf '%0513d' 0)" \
    "$(printf 'caf\303\251')"; do
    printf '%s\n' "$bad" >"$work/answer"
    provision '' >/dev/null
    is "$? $(ls "$work/etc/adit")" '1 ' "refused: $(printf '%.20s' "$bad" | tr '\n\303\251' '...')"
done
rm "$work/answer"
provision '' >/dev/null
is "$? $(ls "$work/etc/adit")" '1 ' 'a hook that fails leaves nothing'

# ---- start and stop ----

service status >/dev/null
is $? 3 'status before the start'
sed 's/^ADIT_URL=.*/ADIT_URL=/' "$work/defaults" >"$work/unset"
out=$(DEFAULTS=$work/unset service start 2>&1)
is $? 6 'not configured, not started'
has "$out" ADIT_URL 'says what is missing'

service start
is $? 0 'start'
until_true grep -q 'failed with status' "$work/syslog"
ok $? 'without a token it waits, and says so in the system log'
started 1
is $? 1 'and there is no agent'
echo 'tok-3' >"$work/answer"
until_true started 1
ok $? 'with the token the agent comes'
is "$(head -n 1 "$log")" "started url=wss://gateway.example/_adit token=$token user=none args=0" \
    'its options are in the environment'
service status >/dev/null
is $? 0 'status'
has "$(cat "$work/syslog")" 'logger -t adit -p daemon.info' 'the system log gets its lines'
until_true grep -q 'a line of the agent' "$work/syslog"
ok $? 'all of them'
service start
is "$? $(starts)" '0 1' 'a second start changes nothing'

service reload
until_true logged hup
ok $? 'reload: the agent gets a SIGHUP'
kill -USR1 "$(cat "$work/run/adit.pid")"
until_true logged usr1
ok $? 'SIGUSR1 to the supervisor is for the agent'
service now
until_true logged usr2
ok $? 'now: the agent gets a SIGUSR2'
lease() {
    env INITS="$work/none $work/init" sh "$root/board/init/udhcpc-adit" "$@"
}
printf '#!%s\necho "init $*" >>"%s"\n' "$work/bin/sh" "$work/leases" >"$work/init"
chmod +x "$work/init"
for event in deconfig bound renew nak ''; do lease $event; done
is "$? $(cat "$work/leases")" '0 init now' 'as when there is a new lease, and then only'
chmod -x "$work/init"
lease bound
is "$?" 0 'a system without the service has its lease all the same'
service status >/dev/null
is "$? $(starts)" '0 1' 'and it is still the same'

kill -KILL "$(cat "$work/run/agent.pid")"
until_true started 2
ok $? 'an agent that died is started again'
until_true grep -q 'ended with status 137' "$work/syslog"
ok $? 'with a line about it'

service stop
is $? 0 'stop'
is "$(tail -n 1 "$log")" term 'the agent got a SIGTERM'
kill -0 "$(cat "$work/run/agent.pid")" 2>/dev/null
is $? 1 'and is gone'
is "$(ls "$work/run")" agent.pid 'nothing is left behind'
service stop
is $? 0 'a second stop'

# ---- restart, exit codes, user, reset ----

touch "$work/has-user"
service start && until_true started 3
has "$(tail -n 1 "$log")" user=adit 'a system with a user adit'
service restart
is $? 0 'restart'
until_true started 4
ok $? 'is a new agent'
service stop
echo "ADIT_USER=" >>"$work/defaults"
service start && until_true started 5
has "$(tail -n 1 "$log")" 'user= ' 'that does not want it'

echo 'tok-4' >"$work/answer"
echo "ADIT_STATE=$work/state/time" >>"$work/defaults"
mkdir "$work/state"
touch "$work/state/time"
service reset
is $? 0 'reset'
until_true started 6
ok $? 'starts again what was running'
is "$(cat "$token")" tok-4 'with a new token'
[ ! -e "$work/state/time" ]
ok $? 'and no memory'
service stop
cd "$root/board/init" && sh ./S60adit start
until_true started 7
ok $? 'called by a relative name'
service stop
service reset
is "$? $(starts) $(ls "$work/etc/adit")" '0 7 ' 'reset of what does not run'

rmdir "$work/state"
echo ADIT_USER=adit >>"$work/defaults"
echo 2 >"$work/exit"
service start
until_true started 9
ok $? 'options that are refused: tried again, they may depend on files that come late'
has "$(cat "$work/syslog")" 'ended with status 2' 'and said'
has "$(cat "$work/chowned")" "adit $work/state" "the folder of what it keeps is the agent's"
service stop
service nonsense 2>/dev/null
is $? 2 'an unknown word'
done_testing
