#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the gateway policy does with real floods when it need not look at every flow: one request to the kernel for a flood of
# one address that nobody answers, but not where that could meet somebody protected; and a crowd of users is not taken for a
# flood of handshakes. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
GHOST=$BIN/tests/lab/ghost CAPACITY=4000
ip route add 10.9.0.0/24 via 10.1.0.2
gateway=$(ip -o link show gc | sed 's/.*link.ether \([0-9a-f:]*\).*/\1/')
ghost() { # SECONDS OPTIONS
	local seconds=$1
	shift
	ip netns exec "$clients" "$GHOST" --if c0 --gw "$gateway" --seed 1 --secs "$seconds" "$@" >"$dir/ghost"
}
begin_gateway() { # MORE CONFIG
	printf '{ "capacity": %d, "seniority_renewal_sec": 1%s }\n' $CAPACITY "${1:-}" >"$dir/config"
	start --config "$dir/config" --policy "$here/../../policies/gateway.json" --mode act
}
is_calm() { holds 'd["guard"]["calm"] and d["guard"]["seniors_known"] and d["guard"]["renewals"] > 2'; }
by_kernel() { recorded 'r["way"] == "kernel-filter" and r["done"] > 100'; }

# ---- one address, nobody answers ----
verify "starts" begin_gateway
hold 30 10.1.0.2
hold 10 10.1.0.66
verify "is calm" wait_for is_calm
ghost 8 --src 10.9.0.7/32 --dst 10.3.0.0/24 --dport 1-60000 --mode udp --rate 1500
verify "a flood came" test "$(sed -n 's/.*sent=\([0-9]*\).*/\1/p' "$dir/ghost")" -gt $CAPACITY
verify "by one request to the kernel" by_kernel
verify "named after what the pass before found" recorded \
	'r["way"] == "kernel-filter" and r["sources"] == [ { "key": "10.9.0.7", "entries": r["done"] } ] and "one request" in r["how"]'
verify "the records of both ways fit the schema" /usr/bin/python3 "$here/../check-schemas.py" "$state/alarms.jsonl"
verify "a record adds up" recorded \
	'r["way"] == "kernel-filter" and r["matched"] == r["done"] + r["gone"] + r["refused"] + r["unknown"] + r["left"]'
verify "the table was kept open" sh -c "[ \$(sysctl -n net.netfilter.nf_conntrack_count) -lt $CAPACITY ]"
verify "honest connections live" lives 30
verify "also those of others" lives 10 2
verify "ends with 0" stop

# ---- the same, and that address is protected for one service ----
empty
rm -f "$state/alarms.jsonl"
hold 30 10.1.0.3
verify "starts with a protect list" begin_gateway ', "protect": [ { "name": "probe", "match": { "src": "10.9.0.7", "dport": "7" } } ]'
verify "is calm" wait_for is_calm
ghost 6 --src 10.9.0.7/32 --dst 10.3.0.0/24 --dport 1-60000 --mode udp --rate 1500
verify "the flood goes" recorded 'r["rule"] == "evict-unanswered" and r["done"] > 100'
verify "flow by flow" sh -c "! grep -q kernel-filter '$state/alarms.jsonl'"
verify "honest connections live" lives 30 3
verify "ends with 0" stop
lab_end
