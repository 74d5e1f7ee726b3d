#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad days of a guard at work, on real flows through a gateway: the wall clock set back, requests that the kernel refuses, no nft,
# somebody else's hand on table, timeouts and nft, killed at any moment, two daemons. Environment: BIN, the directory of the
# programs, TOOLS, that of faults.so.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
: "${TOOLS:=$BIN/tests/tools}"
faults=$dir/faults
mkdir "$faults"
wrap=(env LD_PRELOAD="$TOOLS/faults.so" CTW_FAULTS="$faults" ASAN_OPTIONS=verify_asan_link_order=0)
fault() { echo "$2" >"$faults/.fresh"; mv "$faults/.fresh" "$faults/$1"; }
mended() { rm -f "$faults/$1"; }
evict='{ "name": "unanswered", "when": { "level": "warning" }, "until": { "level": "ok" }, "cooldown": "100ms",
	"do": { "action": "evict", "classes": [ "unreplied" ], "min_age": 0 } }'

# ---- the wall clock is set back, and forth ----
sysctl -qw net.netfilter.nf_conntrack_timestamp=1
config 2000; policy act "$evict"
verify "starts" begin_guard
hold 20 10.1.0.2
fault clock -86400
verify "the clock is set back by a day" wait_for sh -c "[ \$(date -d \"\$('$BIN/ctwarden' --socket '$sock' -j status | grep -o '\"time\": *\"[^\"]*\"' | head -n 1 | cut -d'\"' -f4)\" +%s) -lt $(($(date +%s) - 80000)) ]"
flood 1800 10.1.0.66
verify "room is made all the same" wait_for kept_low 1400
verify "the honest connections live" lives 20 1
ct mode observe --for 1h >/dev/null
fault clock 86400
verify "set forth by two days: level and mode go on" wait_for holds 'd["level"] == "ok" and d["guard"]["mode"] == "observe"'
ct mode act >/dev/null
flood 1800 10.1.0.66 2000
verify "room is made then, too" wait_for kept_low 1400
verify "and the honest ones live" lives 20 1
mended clock
verify "ends with 0" stop
sysctl -qw net.netfilter.nf_conntrack_timestamp=0

# ---- the kernel refuses every delete ----
for errno in 1 105 16; do # EPERM ENOBUFS EBUSY
	conntrack -D -p udp >/dev/null 2>&1; rm -f "$state/alarms.jsonl"
	verify "starts to meet errno $errno" begin_guard
	fault delete $errno
	flood 1900 10.1.0.66 $((10000 + errno * 20))
	verify "a failure is a record" wait_for recorded 'r["action"] == "evict" and r.get("error") and r["done"] == 0'
	verify "and counted" wait_for holds 'd["guard"]["failed"] > 2'
	verify "and is an alarm" grep -q '^action=evict .* error=' "$dir/out"
	# 0.2 s, 0.4 s, ... between: of each second that passes ever less is spent on it.
	sleep 8
	verify "it is tried less and less" holds 'd["guard"]["failed"] < 14'
	verify "nothing went" is "$(entries -s 10.1.0.66)" 1900
	mended delete
	verify "once it is mended room is made" wait_for kept_low 1400
	verify "the honest ones live" lives 20 1
	verify "ends with 0" stop
done

# ---- the kernel does not let it hear of deaths again after a batch of deletes ----
conntrack -D -p udp >/dev/null 2>&1; rm -f "$state/alarms.jsonl"
verify "starts to go deaf" begin_guard
fault join 12 # ENOMEM
flood 1900 10.1.0.66 20000
verify "room is made" wait_for kept_low 1400
verify "it is noticed and said" wait_for grep -q 'does not tell of deaths any more' "$dir/err"
verify "that it cannot listen, too" wait_for grep -q 'cannot listen to events' "$dir/err"
mended join
verify "once it is mended it listens again" wait_for holds 'd["events"]["listening"]'
verify "and the picture is exact" wait_for holds 'not d["approximate"]'
conntrack -D -p udp >/dev/null 2>&1
verify "deaths are heard of" wait_for sh -c "'$BIN/ctwarden' --socket '$sock' -j top sources | grep -c 10.1.0.66 | grep -qx 0"
fault join 12
flood 1900 10.1.0.66 30000
verify "room is made again" wait_for kept_low 1400
verify "it does not risk that again" holds 'd["events"]["listening"]'
mended join
verify "the honest ones live" lives 20 1
verify "ends with 0" stop

# ---- no nft ----
empty; rm -f "$state/alarms.jsonl"
ban='{ "name": "ban", "when": { "source": { "unreplied": 300 } }, "do": { "action": "ban", "duration": "1h" } }'
banning() { policy act "$1"; sed -i 's|"rules"|"trusted": [ "10.1.0.0/24" ], "rules"|' "$dir/policy"; }
banning "$ban, $evict"
fault nft 'Error: Could not process rule: Operation not supported'
verify "starts without nft" begin_guard
flood 600 10.1.0.66
verify "a ban that fails is a record with the reason" wait_for recorded 'r["action"] == "ban" and r.get("error") and "not supported" in r["how"]'
verify "what is asked of bans is answered with it" sh -c "! '$BIN/ctwarden' --socket '$sock' bans 2>'$dir/said' && grep -q 'not supported' '$dir/said'"
flood 1300 10.1.0.66 1000
verify "the other rules go on" wait_for kept_low 1400
flood 600 10.1.0.66 4000 # over the limit of the ban again
mended nft
verify "once it is there he is banned" wait_for recorded 'r["action"] == "ban" and r["done"] == 1'
ct unban --all >/dev/null
verify "ends with 0" stop
nft delete table inet ctwarden 2>/dev/null

# ---- a table of our name is somebody else's ----
empty; rm -f "$state/alarms.jsonl"
mkfifo "$dir/owner"
nft -i <"$dir/owner" >/dev/null 2>&1 &
owner=$!
exec 18>"$dir/owner"
echo 'add table inet ctwarden { flags owner; }' >&18
verify "somebody owns a table of that name" wait_for nft list table inet ctwarden
verify "starts" begin_guard
flood 600 10.1.0.66
verify "the ban that fails is a record" wait_for recorded 'r["action"] == "ban" and r.get("error")'
verify "his table is as it was" sh -c "! nft list table inet ctwarden | grep -q banned"
kill $owner; wait $owner 2>/dev/null # who holds the pipe, too, does not matter then
exec 18>&-
verify "once he is gone the ban comes" wait_for recorded 'r["action"] == "ban" and r["done"] == 1'
# Removed under us, and nobody floods any more.
conntrack -D -s 10.1.0.66 >/dev/null 2>&1
nft delete table inet ctwarden
verify "our table, removed by others, comes back by itself" wait_for sh -c "nft list table inet ctwarden | grep -q 10.1.0.66"
verify "which is told" wait_for told 'table of bans was gone'
ct unban --all >/dev/null
verify "ends with 0" stop
nft delete table inet ctwarden 2>/dev/null

# ---- somebody else empties the table, again and again ----
empty; policy act "$evict"
verify "starts" begin_guard
flood 6000 10.1.0.66 &
flooding=$!
for _ in 1 2 3 4 5 6; do empty; sleep 0.1; done
wait $flooding
verify "it goes on" wait_for kept_low 1400
verify "at level ok" wait_for holds 'd["level"] == "ok"'
verify "and what was found gone is no failure" holds 'd["guard"]["failed"] == 0'
verify "ends with 0" stop

# ---- timeouts that we hold lowered are changed by somebody else ----
udp_is() { is "$(sysctl -n net.netfilter.nf_conntrack_udp_timeout)" "$1"; }
empty; config 1000; rm -f "$state/alarms.jsonl"
short='{ "name": "short", "when": { "level": "warning" }, "until": { "level": "ok" }, "do": { "action": "timeouts", "set": { "udp": 7, "icmp": 3 } } }'
policy act "$short"
verify "starts" begin_guard
flood 900 10.1.0.66
verify "lowered" wait_for udp_is 7
sysctl -qw net.netfilter.nf_conntrack_udp_timeout=111
conntrack -D -p udp >/dev/null 2>&1
verify "the rule ends" wait_for recorded 'r["action"] == "timeouts" and r["end"]'
verify "what he has set stays" udp_is 111
verify "the others are put back" is "$(sysctl -n net.netfilter.nf_conntrack_icmp_timeout)" 30
verify "ends with 0" stop
sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3600

# ---- killed at any moment ----
config 2000; banning "$ban, $short, $evict"
for moment in 0.1 0.3 0.6 1 1.5; do
	begin_guard
	flood 1900 10.1.0.66 "$((20000 + RANDOM % 5000))" &
	flooding=$!
	sleep $moment
	kill -KILL "$daemon"; wait "$daemon" 2>/dev/null; daemon=
	wait $flooding
	rm -f "$sock" "$sock.lock"
done
verify "killed: a ban it left has its end" sh -c "! nft list table inet ctwarden 2>/dev/null | grep '10[.]1[.]0[.]66' | grep -v expires"
conntrack -D -p udp >/dev/null 2>&1
policy act "$evict"
verify "the next one starts" begin_guard
verify "no timeout stays lowered" wait_for udp_is 3600
flood 1900 10.1.0.7 26000
verify "and makes room as before" wait_for kept_low 1400
ct unban --all >/dev/null
verify "ends with 0" stop
nft delete table inet ctwarden 2>/dev/null

# ---- two daemons, each with a socket and a state of its own ----
empty; hold 20 10.1.0.4
verify "the first starts" begin_guard
first=$daemon
mkdir "$dir/state2"
"$BIN/ctwardend" --socket "$dir/s2" --state-dir "$dir/state2" --config "$dir/config" --policy "$dir/policy" >/dev/null 2>&1 9>&- &
second=$!
verify "so does the second" wait_for "$BIN/ctwarden" --socket "$dir/s2" top
flood 1900 10.1.0.66 30000
verify "room is made" wait_for kept_low 1400
verify "the honest ones live" lives 20 2
kill $second; wait $second; r=$?
verify "the second ends with 0" is $r 0
daemon=$first
verify "so does the first" stop

lab_end
