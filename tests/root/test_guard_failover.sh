#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A fail-over: user space puts 80 % of a table in at once, then a flood of answered flows comes. What was put in is no surge and
# senior at once; none of it is lost, the flood goes. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
ENTRIES=$BIN/tests/lab/entries GHOST=$BIN/tests/lab/ghost
CAPACITY=5000 PUT=3900 BY_HAND=100
# Attackers 10.9.0.0/24 behind the clients, servers of theirs 10.3.0.0/16: packets by themselves, no sockets.
ip route add 10.9.0.0/24 via 10.1.0.2
gateway=$(ip -o link show gc | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')
ghosts() { # SECONDS
	ip netns exec "$servers" "$GHOST" --server --if s0 --secs "$1" --dst 10.3.0.0/24 >/dev/null &
	ip netns exec "$clients" "$GHOST" --if c0 --gw "$gateway" --seed 1 --secs "$1" \
		--src 10.9.0.0/24 --dst 10.3.0.0/24 --dport 80 --mode est --rate 1000 >"$dir/ghost"
}
put() { "$ENTRIES" put "$1" --src "$2" --dst 198.18.0.0/24 --timeouts "${3:-432000}"; }
by_hand() { # N: as an administrator would
	local i
	for ((i = 0; i < $1; i++)); do
		conntrack -I -s 10.5.0.1 -d 198.18.0.9 -p udp --sport $((2000 + i)) --dport 53 -u ASSURED,SEEN_REPLY -t 110
	done >/dev/null 2>&1
}
put_alive() { is "$("$ENTRIES" count 198.18.0.0/24)" "$1"; }
begin_gateway() { # MORE CONFIG
	printf '{ "capacity": %d, "seniority_renewal_sec": 1%s }\n' $CAPACITY "${1:-}" >"$dir/config"
	start --config "$dir/config" --policy "$here/../../policies/gateway.json" --mode act
}
is_calm() { holds 'd["guard"]["calm"] and d["guard"]["seniors_known"] and d["guard"]["renewals"] > 2'; }
nothing_done() { ! recorded True; }
no_surge() { ! told 'a surge: '; }
flood_goes() { # what holds whatever was put in: after a flood above all room
	ghosts 6
	cat "$dir/ghost"
	verify "a flood came" test "$(sed -n 's/.*sent=\([0-9]*\).*/\1/p' "$dir/ghost")" -gt $CAPACITY
	verify "it is a surge" wait_for told 'a surge: '
	verify "flows of the flood were evicted" holds 'd["guard"]["evicted"] > 1000'
	verify "answered ones, by their source" recorded \
		'r["rule"] == "evict-answered" and r["done"] and r["sources"][0]["key"].startswith("10.9.0.")'
	verify "and nobody else's" \
		sh -c "! grep -E '\"key\":\"(10\\.4\\.|10\\.5\\.|10\\.1\\.)' '$state/alarms.jsonl' | grep -q ctwarden.record/1"
}

# ---- many sources ----
verify "starts" begin_gateway
hold 30 10.1.0.2
verify "is calm" wait_for is_calm
put $PUT 10.4.0.0/16 432000,1800 >"$dir/put" # 30 min: of who commits with a timeout of his own
by_hand $BY_HAND
ALL=$((PUT + BY_HAND))
verify "user space put all in" put_alive $ALL
verify "all of it is adopted" wait_for holds "d['guard']['adopted'] == $ALL and d['guard']['adopted_lost'] == 0"
verify "and senior after the next pass" wait_for holds "d['guard']['seniors'] >= $ALL + 30"
verify "the table is tight" holds 'd["level"] == "warning"'
verify "but that was no surge" no_surge
verify "and no growth" holds 'd["growth_per_sec"] < 50'
verify "so that nothing was done" nothing_done
flood_goes
verify "all that was put in is there" put_alive $ALL
verify "honest connections live" lives 30
verify "status tells of it" sh -c "'$BIN/ctwarden' --socket '$sock' status | grep -q '4,000 put in by user space'"
verify "ends with 0" stop

# ---- one NATed source, more than may be senior of one ----
empty; rm -f "$state"/*
hold 30 10.1.0.3
verify "starts again" begin_gateway
verify "is calm" wait_for is_calm
put 4300 10.4.0.1/32 >"$dir/put"
verify "user space put all in" put_alive 4300
verify "all of it is adopted" wait_for holds 'd["guard"]["adopted"] == 4300'
verify "that was no surge" no_surge
flood_goes
verify "all that was put in is there" put_alive 4300
verify "the light source's connections live" lives 30 2
verify "ends with 0" stop

# ---- nobody listens: the kernel's counter tells ----
empty; rm -f "$state"/*
hold 30 10.1.0.4
verify "starts without events" begin_gateway ', "events": "off"'
verify "is calm" wait_for is_calm
put $PUT 10.4.0.0/16 >"$dir/put"
verify "that was no surge" wait_for holds "d['guard']['seniors'] >= $PUT"
verify "either" no_surge
verify "and none is adopted" holds 'd["guard"]["adopted"] == 0'
flood_goes
verify "all that was put in is there" put_alive $PUT
verify "honest connections live" lives 30 3
verify "ends with 0" stop
lab_end
