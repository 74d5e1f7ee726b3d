#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Commands that write, on tables that are large: the hash resized in the middle of their passes, the operator in a zone where
# looking for that is cheaper than a pass, and how much memory they take. The host's limits are borrowed and put back.
# Needs root; BIN and TOOLS name the directories of the programs.
# run-root: alone
set -u
BIN=${BIN:?BIN must name the directory of ctwarden} TOOLS=${TOOLS:?TOOLS must name the directory of ctfill}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/root/act_lab.sh
. "$here/act_lab.sh"
if [ "${ACT_INNER:-}" != 1 ]; then exec 8</proc/self/ns/net; fi # of the host
ACT_BORROWS=1 act_enter "$@"
HOST_NET=/proc/self/fd/8 BUCKETS=262144
# shellcheck source=tests/tools/host-limits.sh
. "$here/../tools/host-limits.sh"
trap 'cleanup; host_limits_return $$' EXIT
PATIENCE=${LIMITS_PATIENCE:-200} host_limits_borrow 524288 $BUCKETS || exit

# ---- the hash is resized in the middle of a pass ----
cat >"$work/resize" <<R
#!/bin/sh
# The other of two sizes.
file=/proc/sys/net/netfilter/nf_conntrack_buckets
new=$BUCKETS
[ "\$(cat \$file)" != $BUCKETS ] || new=$((BUCKETS / 2))
nsenter --net=/proc/self/fd/8 sh -c "echo \$new >\$file"
R
chmod +x "$work/resize"
resized() { # TIMES WORDS...: so many passes meet a resize
    local times=$1; shift
    "$here/resize_peer.py" "$times" "$work/resize" -- "$BIN/ctwarden" "$@" --config "$work/none.json" >"$work/out" 2>"$work/err" 3>"$work/met" </dev/null
    code=$?
}
of_mark() { conntrack -L -m "$1" 2>/dev/null | wc -l; }
refill() {
    empty
    fill -n 100000 -s 100 -m 1 -t 3000 -S 1
    fill -n 100000 -s 100 -m 2 -t 3000 -S 1 -o 200000
}
for words in "flush -m 1 -s 10.0.0.0/8" "flush -m 1 -s 10.0.0.0/8 --yes"; do
    refill
    # shellcheck disable=SC2086
    resized 1 -j $words
    same "$words: meets a resize" "0 1" "$code $(cat "$work/met")"
    same "$words: all that is meant goes, and nothing else" "0 100000" "$(of_mark 1) $(of_mark 2)"
    same "$words: it says so" "100000 1 False" "$(member deleted redone unsettled)"
    sums_up "$words"
done
refill
resized 1 -j timeout --at-most 500 -m 1 -s 10.0.0.0/8 --yes
over() { conntrack -L -m "$1" -o extended 2>/dev/null | awk '$5 > 500' | wc -l; }
same "timeout: meets a resize" "0 1" "$code $(cat "$work/met")"
same "timeout: all change, and nothing else" "0 100000" "$(over 1) $(over 2)"
same "timeout: it says so" "100000 0 1 False" "$(member changed unchanged redone unsettled)"
sums_up "timeout"
resized 1 timeout --add 100 -m 1 -s 10.0.0.0/8 --yes
same "timeout --add meets a resize" "0 1" "$code $(cat "$work/met")"
has "it is not done twice, but told" "the table was resized meanwhile: some may have been missed" "$work/err"
resized 1 -j kill 10.0.0.0/16
same "kill meets a resize" "0 1" "$code $(cat "$work/met")"
same "kill: everything goes" "0 200000 1" "$(conntrack -C) $(member deleted redone)"
refill
resized 100 -j timeout --set 700 -m 1 -s 10.0.0.0/8 --yes
same "a resize in every pass: an end after four" "0 4" "$code $(cat "$work/met")"
same "and it is told" "3 True" "$(member redone unsettled)"
sums_up "a resize in every pass"
same "nothing else has changed" 100000 "$(over 2)"

# ---- the operator in one of all zones ----
empty
fill -n 400000 -s 100 -m 1 -t 3000 -S 1
nft -f - <<'N'
table inet act {
	chain p { type filter hook prerouting priority -300; tcp dport 2225 ct zone set 60000; tcp sport 2225 ct zone set 60000; }
	chain q { type filter hook output priority -300; tcp dport 2225 ct zone set 60000; tcp sport 2225 ct zone set 60000; }
	chain o { type filter hook output priority 0; tcp dport 2225 ct mark set 5; }
}
N
mkfifo "$work/hold"
exec 5<>"$work/hold"
"$here/session_peer.py" 2225 sshd 2225 <"$work/hold" >"$work/session" 2>&1 5>&- 9>&- &
pids+=($!)
for _ in {1..600}; do grep -q ready "$work/session" && break; sleep 0.1; done
port=$(conntrack -L -p tcp --dport 2225 2>/dev/null | grep -oE 'sport=[0-9]+' | head -1 | cut -d= -f2)
conntrack -I -s 127.0.0.1 -d 127.0.0.1 -p tcp --sport "$port" --dport 2225 -t 3000 --state ESTABLISHED -m 6 >/dev/null 2>&1
same "the operator's tuple stands in zone 60000 and in zone 0" "1 1" "$(conntrack -L -w 60000 2>/dev/null | wc -l) $(of_mark 6)"
act flush -s 10.0.0.1 --explain
has "its flows are found: a filter that means neither needs no pass" "kernel-filter (proven in this kernel; nothing protected can match this filter)" "$work/out"
act flush -m 5 --explain
has "one that may mean that of zone 60000 does" "dump-and-delete (something it matches must be spared)" "$work/out"
act -j flush -m 5 --yes
same "and spares it" "0 1 1" "$(member deleted spared) $(conntrack -L -w 60000 2>/dev/null | wc -l)"
exec 5>&-
wait "${pids[@]}"
pids=()

# ---- memory ----
empty
fill -n 300000 -s 100 -m 1 -t 3000 -S 1
fill -n 1000 -s 100 -m 2 -t 3000 -S 1 -o 400000
peak_of() { # WORDS...: the most memory it had, KiB
    /usr/bin/python3 - "$BIN/ctwarden" "$@" --config "$work/none.json" <<'P'
import os, sys
out = os.open("/dev/null", os.O_WRONLY)
pid = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)])
_, status, usage = os.wait4(pid, 0)
print(usage.ru_maxrss if status == 0 else f"exit {os.waitstatus_to_exitcode(status)}")
P
}
most=32768
if grep -q libasan "/proc/self/maps" || ldd "$BIN/ctwarden" | grep -q libasan; then most=524288; fi # the sanitizer's own
small() { # NAME PEAK
    ok "$1 takes $2 KiB, at most $most" "$([ "$2" -le $most ]; echo $?)"
}
small "a dry run of 300,000" "$(peak_of flush -m 1 -s 10.0.0.0/8 --dry-run)"
small "a change of 300,000, counted first" "$(peak_of timeout --at-most 2000 -m 1 -s 10.0.0.0/8 --yes --limit 262144 --order idle)"
small "a change of 300,000 as it reads" "$(peak_of timeout --at-most 1000 -m 1 -s 10.0.0.0/8 --yes)"
small "a kill of 300,000: too many for a list" "$(peak_of kill 10.0.0.0/16 --protect '-m 2')"
same "what was meant has gone" "0 1000" "$(of_mark 1) $(of_mark 2)"
fill -n 250000 -s 100 -m 1 -t 3000 -S 1
small "a flush of 250,000 by a list" "$(peak_of flush -m 1 -s 10.0.0.0/8 --limit 250000 --order idle --yes)"
same "what was meant has gone" "0 1000" "$(of_mark 1) $(of_mark 2)"
fill -n 300000 -s 100 -m 1 -t 3000 -S 1
small "a flush of 300,000 as it reads" "$(peak_of flush -m 1 -s 10.0.0.0/8 --yes)"
same "what was meant has gone" "0 1000" "$(of_mark 1) $(of_mark 2)"
act_done
