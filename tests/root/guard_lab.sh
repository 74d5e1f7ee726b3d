# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the root tests of the guard share, on top of lab.sh: this namespace becomes a gateway between clients (10.1.0.0/24)
# and a server (10.2.0.2, behind it 10.3.0.0/16, where nobody answers), with real flows through it. Sourced.
# shellcheck source=tests/root/lab.sh
. "$(dirname "$0")/lab.sh"
here=$(cd "$(dirname "$0")" && pwd)
clients=ctwg-c$$ servers=ctwg-s$$
guard_done() {
	lab_done
	ip netns del "$clients" 2>/dev/null
	ip netns del "$servers" 2>/dev/null
}
trap guard_done EXIT
for ns in "$clients" "$servers"; do ip netns add "$ns"; ip -n "$ns" link set lo up; done
ip link add gc type veth peer name c0 netns "$clients"
ip link add gs type veth peer name s0 netns "$servers"
ip addr add 10.1.0.1/24 dev gc; ip addr add 10.2.0.1/24 dev gs
for n in 2 3 4 5 6 7 8 9 66; do ip -n "$clients" addr add 10.1.0.$n/24 dev c0; done
ip -n "$servers" addr add 10.2.0.2/24 dev s0
ip link set gc up; ip link set gs up; ip -n "$clients" link set c0 up; ip -n "$servers" link set s0 up
ip -n "$clients" route add default via 10.1.0.1; ip -n "$servers" route add default via 10.2.0.1
ip route add 10.3.0.0/16 via 10.2.0.2; ip -n "$servers" route add blackhole 10.3.0.0/16
ip netns exec "$servers" sysctl -qw net.ipv4.ip_forward=1
sysctl -qw net.ipv4.ip_forward=1
nft add chain ip t f '{ type filter hook forward priority 0; }'
nft add rule ip t f ct state new accept
client() { ip netns exec "$clients" python3 "$here/guard_peer.py" "$@"; }
ip netns exec "$servers" python3 "$here/guard_peer.py" server >"$dir/server" &
wait_for grep -q ready "$dir/server" || { echo "the server does not start"; exit 1; }

# Connections that are held: `hold N SOURCE` opens them, `alive` tells how many of all still carry data.
holders=0
hold() { # COUNT SOURCE [ADDRESS PORT]
	holders=$((holders + 1))
	mkfifo "$dir/in.$holders"
	client honest "$@" <"$dir/in.$holders" >"$dir/held.$holders" &
	eval "exec $((20 + holders))>\"$dir/in.$holders\""
	wait_for grep -q ready "$dir/held.$holders"
}
alive() { # of the n-th holder (1)
	local n=${1:-1} before
	before=$(wc -l <"$dir/held.$n")
	echo check >&$((20 + n))
	wait_for sh -c "[ \$(wc -l <'$dir/held.$n') -gt $before ]"
	tail -n 1 "$dir/held.$n"
}
lives() { is "$(alive "${2:-1}")" "$1"; } # COUNT [HOLDER]
entries() { conntrack -L "$@" 2>/dev/null | wc -l; }
count_now() { sysctl -n net.netfilter.nf_conntrack_count; }
flood() { client flood "$@"; } # COUNT SOURCE [FIRST]
empty() { conntrack -F >/dev/null 2>&1; } # the table of this namespace, which was made for it

# ---- the daemon with a policy ----

ct() { "$BIN/ctwarden" --socket "$sock" "$@"; }
recorded() { # PYTHON EXPRESSION on r, a record: whether one in the state directory holds
	python3 - "$state/alarms.jsonl" "$1" <<-'PY'
	import json, sys
	try:
	    records = [r for r in map(json.loads, open(sys.argv[1])) if r["schema"] == "ctwarden.record/1"]
	except OSError:
	    records = []
	def holds(r):
	    try:
	        return eval(sys.argv[2])
	    except KeyError: # a record of another kind, without what is asked for
	        return False
	sys.exit(not any(map(holds, records)))
	PY
}
records() { grep -c ctwarden.record/1 "$state/alarms.jsonl" 2>/dev/null || true; }
logged() { "$BIN/ctwarden" log --state-dir "$state" | grep -Eq -- "$1"; }
policy() { # MODE RULES: the policy file
	printf '{ "schema": "ctwarden.policy/1", "name": "test", "mode": "%s", "rules": [ %s ] }\n' "$1" "$2" >"$dir/policy.fresh"
	mv "$dir/policy.fresh" "$dir/policy"
}
# No forecast, so that the fill alone makes the level, and no dwell.
marks='"levels": { "warning": { "forecast_sec": 0 }, "critical": { "forecast_sec": 0 }, "dwell_sec": 0 }'
config() { # CAPACITY
	printf '{ "capacity": %d, %s }\n' "$1" "$marks" >"$dir/config"
}
begin_guard() { start --config "$dir/config" --policy "$dir/policy"; }
kept_low() { [ "$(count_now)" -le "$1" ]; }
