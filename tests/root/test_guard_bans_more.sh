#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# More of the bans of ctwardend on real flows: IPv6, the end of one by itself, the milder rate, the most there may be, the
# operator. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
sysctl -qw net.ipv6.conf.all.forwarding=1
ip addr add fd00:1::1/64 dev gc nodad; ip addr add fd00:2::1/64 dev gs nodad
for n in 1::2 7::66 8::66 9::66 9::67; do ip -n "$clients" addr add fd00:$n/64 dev c0 nodad; done
ip -n "$servers" addr add fd00:2::2/64 dev s0 nodad
ip -n "$clients" -6 route add default via fd00:1::1; ip -n "$servers" -6 route add default via fd00:2::1
for net in 7 8 9; do ip -6 route add fd00:$net::/64 via fd00:1::2; done
ip -6 route add fd00:3::/64 via fd00:2::2; ip -n "$servers" -6 route add blackhole fd00:3::/64
nft add chain ip6 t f '{ type filter hook forward priority 0; }' 2>/dev/null ||
	{ nft add table ip6 t; nft add chain ip6 t f '{ type filter hook forward priority 0; }'; }
nft add rule ip6 t f ct state new accept

banning() { # MORE OF do
	policy act '{ "name": "ban", "when": { "source": { "unreplied": 300 } }, "cooldown": "1s",
		"do": { "action": "ban" '"$1"' }, "budget": { "per_run": 10, "per_sec": 10 } }'
	sed -i 's|"rules"|"trusted": [ "10.1.0.0/24", "fd00::/16" ], "rules"|' "$dir/policy"
}
banned() { ct bans | grep -q "^$1 "; }
nobody() { ct bans | grep -q '^nobody'; }
refused() { ! client try "$1" 3; }
calm() { # nothing of before is left, and the daemon knows
	conntrack -D -p udp >/dev/null 2>&1
	conntrack -D -f ipv6 -p udp >/dev/null 2>&1
	wait_for all_light
	ct unban --all >/dev/null
}
all_light() { ask top | python3 -c 'import json, sys
sys.exit(any(r["entries"] > 50 for r in json.load(sys.stdin)["document"]["rows"]))'; }
config 100000

# ---- IPv6: a source is a /64 ----
banning ', "duration": "1h"'
verify "starts" begin_guard
hold 5 fd00:9::66
flood 600 fd00:9::66
verify "who floods over IPv6 is banned, with his /64" wait_for banned fd00:9::/64
verify "with a record" recorded 'r["action"] == "ban" and r["key"] == "fd00:9::/64" and r["done"] == 1'
verify "new connections of the whole /64 are refused" refused fd00:9::67
verify "those it had live" lives 5
verify "others come in" client try fd00:8::66 60
verify "over IPv4, too" client try 10.1.0.3 60
flood 600 fd00:1::2 2000
verify "a /64 with an address of this host is not banned" wait_for recorded 'r["key"] == "fd00:1::/64" and r["done"] == 0 and "this host" in r["how"]'
ip -6 route add default via fd00:7::9 dev gc onlink
flood 600 fd00:7::66 4000
verify "nor that of the gateway" wait_for recorded 'r["key"] == "fd00:7::/64" and r["done"] == 0 and "gateway" in r["how"]'
ip -6 route del default
verify "what is refused for good is not told each second" sh -c "[ \$(grep -c 'fd00:1::/64' '$state/alarms.jsonl') -lt 12 ]"
conntrack -D -f ipv6 -p udp >/dev/null 2>&1
wait_for all_light
verify "lifted" ct unban fd00:9::/64
verify "it comes in again" client try fd00:9::67 60
calm; stop

# ---- it ends by itself at its time ----
banning ', "duration": "6s"'
verify "starts with bans of six seconds" begin_guard
flood 600 10.1.0.66
verify "banned" wait_for banned 10.1.0.66
conntrack -D -s 10.1.0.66 >/dev/null 2>&1
verify "it is over without anybody's doing" wait_for nobody
verify "also in the kernel" wait_for sh -c "! nft list table inet ctwarden | grep -q 10.1.0.66"
verify "his connections are answered" client try 10.1.0.66 60
flood 600 10.1.0.66 2000
again() { [ "$(grep '"key": *"10.1.0.66"' "$state/alarms.jsonl" | grep -c '"done": *1,')" -ge 3 ]; }
verify "floods he on he is banned at the end of each anew" wait_for again
calm; stop

# ---- observe: one record for what would be one ban ----
rm -f "$state/alarms.jsonl"
banning ', "duration": "1h"'
sed -i 's|"mode": "act"|"mode": "observe"|' "$dir/policy"
verify "starts and observes" begin_guard
flood 600 10.1.0.66
verify "who would be banned is told, and for how long" wait_for recorded 'r["key"] == "10.1.0.66" and r["would"] and r["ban"]["for_sec"] == 3600'
sleep 6 # looks enough for some more, where each made one
verify "once" is "$(grep -c '"key": *"10.1.0.66"' "$state/alarms.jsonl")" 1
verify "and is not banned" nobody
ask mode '{"mode": "act"}' >/dev/null
verify "in mode act he is" wait_for banned 10.1.0.66
ask mode '{"mode": "observe"}' >/dev/null
nft delete table inet ctwarden
sleep 6 # a look whether the kernel still has them would be due
flood 600 10.1.0.5 3000
verify "back in observe another one is told" wait_for recorded 'r["key"] == "10.1.0.5" and r["would"]'
verify "and a table that somebody removed is left so" sh -c "! nft list table inet ctwarden"
ask mode '{"mode": "act"}' >/dev/null
verify "until the mode is act" wait_for sh -c "nft list set inet ctwarden banned4 | grep -q 10[.]1[.]0[.]66"
calm; stop

# ---- milder: new flows at a rate ----
banning ', "duration": "1h", "rate_per_sec": 5'
verify "starts with a rate" begin_guard
hold 5 10.1.0.66
flood 600 10.1.0.66
verify "slowed" wait_for banned 10.1.0.66
before=$(entries -s 10.1.0.66 -p udp)
flood 600 10.1.0.66 3000
got=$(($(entries -s 10.1.0.66 -p udp) - before))
verify "some of his new flows come in" test $got -ge 1
verify "most do not" test $got -lt 400
verify "and a connection does in the end" client try 10.1.0.66 60
verify "those he had live" lives 5 2
verify "the answer says at which rate" sh -c "'$BIN/ctwarden' --socket '$sock' -j bans | grep -Eq '\"rate_per_sec\": *5'"
calm; stop

# ---- slowed ones outlive the daemon, and observe leaves the table as it is ----
slowed() { ct bans | grep -Eq "^$1 .*at most 5/s"; }
in_set() { nft list set inet ctwarden "$1" | grep -q "$2"; } # SET ADDRESS
banning ', "duration": "1h", "rate_per_sec": 5'
verify "starts with a rate again" begin_guard
flood 600 10.1.0.66
verify "slowed" wait_for slowed 10.1.0.66
kill -9 "$daemon"; wait "$daemon" 2>/dev/null
nft add rule inet ctwarden new counter comment '"looked at"'
conntrack -D -p udp >/dev/null 2>&1
verify "killed and started to observe" start --config "$dir/config" --policy "$dir/policy" --mode observe
verify "it tells who is slowed" slowed 10.1.0.66
flood 600 10.1.0.5 3000
verify "what it would do is told" wait_for recorded 'r["key"] == "10.1.0.5" and r["would"] and r["ban"]["rate_per_sec"] == 5'
verify "status counts who is slowed" holds 'd["guard"]["bans"] == 1'
verify "the table is as it was" sh -c "nft list chain inet ctwarden new | grep -q 'looked at'"
verify "he is slowed there still" in_set slowed4_5 10.1.0.66
stop
verify "starts and acts" begin_guard
verify "who would have been slowed is" wait_for slowed 10.1.0.5
verify "with the table of this run" sh -c "! nft list chain inet ctwarden new | grep -q 'looked at'"
verify "beside him of the run before" slowed 10.1.0.66
verify "in the kernel too" in_set slowed4_5 10.1.0.66
banning ', "duration": "6s"'
ct reload >/dev/null
strict() { ct bans | grep -Eq "^$1 .*refused"; }
verify "a stricter and shorter ban" wait_for strict 10.1.0.5
verify "leaves the milder one" slowed 10.1.0.5
ended() { [ "$(grep '"key": *"10.1.0.5"' "$state/alarms.jsonl" | grep -E '"rate_per_sec": *0(\.0)?,' | grep -c '"done": *1,')" -ge 2 ]; }
verify "and when it is over" wait_for ended
verify "that goes on" slowed 10.1.0.5
verify "in the kernel" in_set slowed4_5 10.1.0.5
calm; stop

# ---- lifted under a wider ban ----
banning ', "duration": "1h"'
nft delete table inet ctwarden 2>/dev/null
flood 600 10.1.0.66; flood 600 10.1.0.5 3000 # before it is refused
nft add table inet ctwarden
nft add set inet ctwarden banned4 '{ type ipv4_addr; flags interval,timeout; }'
nft add element inet ctwarden banned4 '{ 10.1.0.0/24 timeout 30m }'
verify "starts under a wider ban" begin_guard
verify "who is in it is banned, too" wait_for banned 10.1.0.66
verify "and another" wait_for banned 10.1.0.5
verify "lifted, it is told who holds him still" sh -c "'$BIN/ctwarden' --socket '$sock' unban 10.1.0.66 | grep -Eq '^1 ban lifted.*; still refused by 10[.]1[.]0[.]0/24 for [12][0-9] min'"
verify "also in JSON" sh -c "'$BIN/ctwarden' --socket '$sock' -j unban 10.1.0.5 >'$dir/unban' && grep -Eq '\"held_by\": *[{]\"prefix\": *\"10[.]1[.]0[.]0/24\"' '$dir/unban'"
verify "with what was lifted" sh -c "grep -Eq '\"lifted\": *[[][{]\"prefix\": *\"10[.]1[.]0[.]5\"' '$dir/unban'"
verify "which fits its schema" /usr/bin/python3 "$here/../check-schemas.py" "$dir/unban"
verify "who is held by it alone is told so" sh -c "'$BIN/ctwarden' --socket '$sock' unban 10.1.0.4 2>&1 | grep -Eq 'held by 10[.]1[.]0[.]0/24 for [12][0-9] min'"
verify "who is not is not banned" sh -c "'$BIN/ctwarden' --socket '$sock' unban 10.9.0.4 2>&1 | grep -q 'is not banned\$'"
calm; stop

# ---- the most there may be ----
rm -f "$state/alarms.jsonl"
banning ', "duration": "1h", "max_bans": 2'
verify "starts with two bans at most" begin_guard
for n in 3 4 5; do flood 600 10.1.0.$n $((n * 1000)); done
verify "the third is told" wait_for recorded 'r["done"] == 0 and "2 of the rule at a time" in r["how"]'
verify "and not banned" is "$(ct bans | grep -c '^10[.]1[.]0[.]')" 2
calm

# ---- the operator ----
python3 "$here/guard_peer.py" server 22 sshd >"$dir/sshd" &
wait_for grep -q ready "$dir/sshd"
hold 1 10.1.0.8 10.1.0.1 22
flood 600 10.1.0.8 9000
verify "where the operator comes from is not banned" wait_for recorded 'r["key"] == "10.1.0.8" and r["done"] == 0 and "operator" in r["how"]'
verify "he comes in" client try 10.1.0.8 60
verify "ends with 0" stop
nft delete table inet ctwarden 2>/dev/null
lab_end
