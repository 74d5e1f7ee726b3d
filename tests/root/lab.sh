# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the root tests of the daemon share: a network namespace of its own, counted checks, a daemon to ask, flows.
# Sourced; needs root and BIN, the directory of the programs. Bounds of waiting are for a machine that is busy with other
# things: what is waited for usually comes at once, and no test proves anything by how long something took.
set -u
: "${BIN:?directory of the programs}"
if [ "${CTW_IN_NETNS:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
	exec 8</proc/self/ns/net # the namespace of the host, for lab_limits
	exec env CTW_IN_NETNS=1 unshare -n "$0" "$@"
fi
PATIENCE=60
passed=0 failed=0 borrowed='' daemon='' wrap=() # wrap: words before ctwardend
dir=$(mktemp -d)
sock=$dir/s state=$dir/state
mkdir "$state"
lab_done() { # ends what was started
	# shellcheck disable=SC2046,SC2086 # a list of processes
	kill $daemon $(jobs -p) 2>/dev/null
	rm -rf "$dir"
	[ -z "$borrowed" ] || host_limits_return $$
}
trap lab_done EXIT
ip link set lo up
# Flows live as long as a test does, however slow the machine.
sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3600
# Without a rule that asks for it nothing is tracked in a new namespace.
nft add table ip t
nft add chain ip t o '{ type filter hook output priority 0; }'
nft add rule ip t o ct state new accept

verify() { # NAME COMMAND...
	local name=$1; shift
	if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); echo "ok - $name"
	else
		failed=$((failed + 1)); echo "not ok - $name"
		[ ! -f "$dir/err" ] || tail -n 3 "$dir/err" | sed 's/^/#   /'
	fi
}
# The limits of the host for a test that needs a large table or changes them; ends it where they are not to be had.
lab_limits() { # MAX BUCKETS
	# shellcheck disable=SC2034 # of host-limits.sh
	HOST_NET=/proc/self/fd/8
	# shellcheck source=tests/tools/host-limits.sh
	. "$(dirname "${BASH_SOURCE[0]}")/../tools/host-limits.sh"
	borrowed=1
	PATIENCE=${LIMITS_PATIENCE:-200} host_limits_borrow "$1" "$2" || exit
}
lab_end() { # the last line of a test: its counts and its exit code
	echo "$passed passed, $failed failed"
	[ "$failed" = 0 ]
}
wait_for() { # COMMAND...
	local end=$((SECONDS + PATIENCE))
	until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
is() { [ "$1" = "$2" ]; }

# ---- the daemon: its stdout is in $dir/out, its stderr in $dir/err ----

ask() { # COMMAND [ARGS]: the answer, a line of JSON
	python3 - "$sock" "$1" "${2:-{\}}" <<-'PY'
	import json, socket, sys
	s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1])
	s.sendall(json.dumps({"schema": "ctwarden.request/1", "id": 1, "command": sys.argv[2],
	                      "args": json.loads(sys.argv[3])}).encode() + b"\n")
	print(s.makefile().readline(), end="")
	PY
}
said() { # COMMAND PATTERN [ARGS]: whether the answer holds it
	ask "$1" "${3:-{\}}" | grep -Eq -- "$2"
}
value() { # EXPRESSION on d, the daemon's status
	ask status | python3 -c 'import json, sys
d = json.load(sys.stdin)["document"]
print(eval(sys.argv[1]))' "$1"
}
holds() { [ "$(value "$1")" = True ]; } # EXPRESSION: as value
told() { grep -Eq -- "$1" "$dir/err"; } # PATTERN: in a message of the daemon
told_times() { grep -Ec -- "$1" "$dir/err"; }
answers_top() { said top '"rows"'; }
begin() { # ARGS: starts it and does not wait
	"${wrap[@]}" "$BIN/ctwardend" --socket "$sock" --state-dir "$state" "$@" >"$dir/out" 2>"$dir/err" 8<&- 9>&- &
	daemon=$!
}
start() { # ARGS: starts it and waits for its first pass
	begin "$@"
	wait_for answers_top
}
stop() { local r; kill "$daemon"; wait "$daemon"; r=$?; daemon=; return $r; }
# The daemon's rows against the list of this moment, and not approximate.
same_ranking() {
	conntrack -L 2>/dev/null | grep -o 'src=[0-9.]*' | awk 'NR % 2' | cut -d= -f2 | sort | uniq -c |
		awk '{print $2, $1}' | sort >"$dir/kernel"
	ranking >"$dir/daemon" && cmp -s "$dir/kernel" "$dir/daemon"
}
ranking() { # "key entries" sorted; fails where it is approximate
	ask top '{"n": 1000}' | python3 -c 'import json, sys
d = json.load(sys.stdin)["document"]
for x in d["rows"]: print(x["key"], x["entries"])
sys.exit(d["approximate"])' >"$dir/rows" && sort "$dir/rows"
}
approximate() { said top '"approximate": *true'; }

# ---- flows ----

udp() { # COUNT SOURCE: that many one-way flows, each to another destination
	python3 - "$1" "$2" <<-'PY'
	import socket, sys
	n = int(sys.argv[1])
	for i in range(n):
	    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[2], 0))
	    s.sendto(b"x", ("127.0.%d.%d" % (100 + i // 200, 1 + i % 200), 9000)); s.close()
	PY
}
