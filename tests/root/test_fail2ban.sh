#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The action dist/fail2ban/ctwarden.conf: its lines by themselves, then with fail2ban itself, a log and a ban. Needs root; BIN
# and TOOLS name the directories of the programs. Without fail2ban it says so and is skipped after the first part.
set -u
BIN=${BIN:?BIN must name the directory of ctwarden} TOOLS=${TOOLS:?TOOLS must name the directory of ctfill}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/root/act_lab.sh
. "$here/act_lab.sh"
act_enter "$@"
export BIN TOOLS
action=$here/../../dist/fail2ban/ctwarden.conf
stop() {
    [ ! -S "$work/f2b.sock" ] || client stop >/dev/null 2>&1
    cleanup
}
trap stop EXIT
# The program with an empty configuration, so that this machine's takes no part.
cat >"$work/ctwarden" <<P
#!/bin/sh
echo "\$*" >>"$work/calls"
"$BIN/ctwarden" "\$@" --config "$work/none.json"
code=\$?
echo "\$code" >>"$work/codes"
exit \$code
P
chmod +x "$work/ctwarden"

flows() {
    empty
    fill -n 200 -s 20 -t 3600
    list >"$work/living"
    for port in 1 2 3; do
        conntrack -I -p tcp --state ESTABLISHED -u ASSURED,SEEN_REPLY -t 3600 -s "$1" -d 198.51.100.1 --sport $port --dport 22
        conntrack -I -p udp -t 600 -s 10.1.0.1 -d "$1" --sport $port --dport 53
    done >/dev/null 2>&1
    same "$1 has flows" 6 "$(list | grep -cF "$1 ")"
}
gone() { same "$1: its flows are gone, all others live" "$(cat "$work/living")" "$(list)"; }

# ---- the lines ----
line() { sed -n "s/^$1 *= *//p" "$action"; }
run_line() { # KEY ADDRESS
    local words
    words=$(line "$1" | sed "s|<ctwarden>|$work/ctwarden|g; s|<ip>|$2|g")
    sh -c "$words" >"$work/out" 2>"$work/err"
}
flows 192.0.2.7
run_line actionban 192.0.2.7; same "actionban: exit 0" 0 $?
gone 192.0.2.7
run_line actionban 192.0.2.7; same "again: exit 0" 0 $?
run_line actionunban 192.0.2.7; same "actionunban: exit 0" 0 $?
run_line actionban 2001:db8::7; same "an IPv6 address without flows: exit 0" 0 $?
run_line actionban 127.0.0.1; same "an address of this host is refused: exit 2" 2 $?
gone 192.0.2.7
same "actionstart, actionstop and actioncheck do nothing" "" "$(line actionstart)$(line actionstop)$(line actioncheck)"

# ---- fail2ban itself ----
if ! command -v fail2ban-server >/dev/null; then
    act_done || exit 1
    echo "fail2ban is not installed: the action's lines were run, fail2ban was not"
    exit 77
fi
mkdir -p "$work/f2b/action.d" "$work/f2b/filter.d"
cp "$action" "$work/f2b/action.d/ctwarden.conf"
cat >"$work/f2b/fail2ban.conf" <<C
[Definition]
loglevel = INFO
logtarget = $work/f2b.log
syslogsocket = auto
socket = $work/f2b.sock
pidfile = $work/f2b.pid
dbfile = $work/f2b.db
dbpurgeage = 1d
dbmaxmatches = 10
[Thread]
stacksize = 0
C
cat >"$work/f2b/filter.d/lab.conf" <<C
[Definition]
failregex = failed login from <HOST>\$
C
cat >"$work/f2b/jail.conf" <<C
[lab]
enabled = true
filter = lab
backend = polling
usedns = no
logpath = $work/auth.log
maxretry = 3
findtime = 1h
bantime = 1h
action = ctwarden[ctwarden="$work/ctwarden"]
C
: >"$work/auth.log"
: >"$work/calls"
: >"$work/codes"
client() { fail2ban-client -c "$work/f2b" -s "$work/f2b.sock" -p "$work/f2b.pid" "$@"; }
until_true() { # COMMAND...
    local end=$((SECONDS + 90))
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
wants() { [ "$(grep -cx "$1" "$work/codes")" -ge "$2" ]; } # CODE COUNT
fail2ban-server -f -c "$work/f2b" -s "$work/f2b.sock" -p "$work/f2b.pid" start >"$work/server" 2>&1 &
pids+=($!)
until_true client status lab; ok "fail2ban $(fail2ban-server --version 2>/dev/null | grep -oE '[0-9][0-9.]+' | head -1) runs the jail" $?
failed_logins() { for _ in 1 2 3; do echo "$(date '+%Y-%m-%d %H:%M:%S') gate: failed login from $1"; done >>"$work/auth.log"; }

flows 192.0.2.9
failed_logins 192.0.2.10
echo "$(date '+%Y-%m-%d %H:%M:%S') gate: failed login from 192.0.2.9" >>"$work/auth.log"
until_true grep -q "Ban 192.0.2.10" "$work/f2b.log"; ok "three failures ban 192.0.2.10, which has no flows" $?
until_true wants 0 1; same "and that is no error" "kill 192.0.2.10 0" "$(cat "$work/calls") $(cat "$work/codes")"
same "one failure bans nobody: the flows of 192.0.2.9 live" 6 "$(list | grep -cF '192.0.2.9 ')"
failed_logins 192.0.2.9
until_true wants 0 2; ok "three more ban it" $?
gone 192.0.2.9
same "it was called once for each" "kill 192.0.2.10 kill 192.0.2.9" "$(xargs <"$work/calls")"
client set lab unbanip 192.0.2.9 >/dev/null
flows 192.0.2.9
client set lab banip 192.0.2.9 >/dev/null
until_true wants 0 3; ok "unbanned, back, and banned again" $?
gone 192.0.2.9
client set lab unbanip 192.0.2.9 >/dev/null
client set lab banip 192.0.2.9 >/dev/null
until_true wants 0 4; ok "banned once more, with nothing to end: exit 0" $?
same "fail2ban saw no error" "" "$(grep -E 'ERROR|CRITICAL' "$work/f2b.log")"
client set lab banip 127.0.0.1 >/dev/null
until_true grep -q "ERROR.*ban\|is an address of this host" "$work/f2b.log"; ok "a refused address is in fail2ban's log" $?
client stop >/dev/null
until_true test ! -e "$work/f2b.pid"; ok "it stops" $?
act_done
