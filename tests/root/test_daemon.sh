#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ctwardend on real flows in a network namespace of its own. Environment: BIN, the directory of the programs.
set -u
: "${BIN:?directory of the programs}"
if [ "${CTW_IN_NETNS:-}" != 1 ]; then
	[ "$(id -u)" = 0 ] || { echo "not ok - root is needed"; echo "0 passed, 1 failed"; exit 1; }
	exec env CTW_IN_NETNS=1 unshare -n "$0" "$@"
fi
passed=0 failed=0 daemon='' listener='' wrap=()
dir=$(mktemp -d)
sock=$dir/s state=$dir/state
mkdir "$state"
cleanup() {
	[ -z "$daemon" ] || kill "$daemon" 2>/dev/null
	[ -z "$listener" ] || kill "$listener" 2>/dev/null
	rm -rf "$dir"
}
trap cleanup EXIT
ip link set lo up
# Without a rule that asks for it nothing is tracked in a new namespace.
nft add table ip t && nft add chain ip t o '{ type filter hook output priority 0; }' && nft add rule ip t o ct state new accept

verify() { # NAME COMMAND...
	local name=$1; shift
	if "$@" >/dev/null 2>&1; then passed=$((passed + 1)); echo "ok - $name"
	else failed=$((failed + 1)); echo "not ok - $name"; fi
}
wait_for() { # SECONDS COMMAND...
	local end=$((SECONDS + $1)); shift
	until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
ask() { # COMMAND [ARGS]
	python3 - "$sock" "$1" "${2:-{\}}" <<-'PY'
	import json, socket, sys
	s = socket.socket(socket.AF_UNIX); s.settimeout(5); s.connect(sys.argv[1])
	s.sendall(json.dumps({"schema": "ctwarden.request/1", "id": 1, "command": sys.argv[2],
	                      "args": json.loads(sys.argv[3])}).encode() + b"\n")
	print(s.makefile().readline(), end="")
	PY
}
start() { # ARGS
	"${wrap[@]}" "$BIN/ctwardend" --socket "$sock" --state-dir "$state" "$@" >"$dir/out" 2>"$dir/err" &
	daemon=$!
	wait_for 10 ask ping && wait_for 10 answers_top
}
answers_top() { ask top | grep -q '"rows"'; }
stop() { kill "$daemon"; wait "$daemon"; local r=$?; daemon=; return $r; }
udp() { # COUNT SOURCE: that many one-way flows
	python3 - "$1" "$2" <<-'PY'
	import socket, sys
	n = int(sys.argv[1])
	for i in range(n):
	    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((sys.argv[2], 0))
	    s.sendto(b"x", ("127.0.%d.%d" % (100 + i // 200, 1 + i % 200), 9000)); s.close()
	PY
}
# The daemon's rows against the list of this moment.
same_ranking() {
	conntrack -L 2>/dev/null | grep -o 'src=[0-9.]*' | awk 'NR % 2' | cut -d= -f2 | sort | uniq -c |
		awk '{print $2, $1}' | sort >"$dir/kernel"
	ask top '{"n": 1000}' | python3 -c '
import json, sys
def rows(d):
    if isinstance(d, dict):
        if "rows" in d: return d["rows"], d.get("approximate")
        for v in d.values():
            r = rows(v)
            if r: return r
r, approximate = rows(json.load(sys.stdin))
if approximate: sys.exit(1)
for x in r: print(x["key"] if isinstance(x["key"], str) else x["key"].get("address"), x["entries"])' | sort >"$dir/daemon" &&
		cmp -s "$dir/kernel" "$dir/daemon"
}
alarms() { grep -c "level=$1" "$dir/out"; }
is() { [ "$1" = "$2" ]; }
approximate() { ask top | grep -q '"approximate": *true'; }

# Without the forecast: 650 flows in an instant would be critical at once, rightly.
printf '{ "capacity": 1000, "levels": { "warning": { "forecast_sec": 0 }, "critical": { "forecast_sec": 0 } } }' >"$dir/marks"
verify "starts and answers" start --config "$dir/marks"
udp 100 127.0.0.2; udp 50 127.0.0.3
verify "the ranking equals conntrack -L" wait_for 15 same_ranking
said() { ask "$1" "${3:-{\}}" | grep -q "$2"; }
verify "status is the daemon's view" said status '"view":"daemon"'
verify "an unknown command is an error" said nonsense unknown-command
udp 650 127.0.0.4
verify "crossing up is an alarm" wait_for 10 grep -q level=warning "$dir/out"
verify "with the classes of what has just come" sh -c "grep level=warning '$dir/out' | grep -q 'classes=\"unreplied 100.0%'"
conntrack -F >/dev/null 2>&1
verify "crossing down is an alarm" wait_for 20 grep -q level=ok "$dir/out"
sleep 1
verify "one line for the way up" is "$(alarms warning)" 1
verify "one line for the way down" is "$(alarms ok)" 1
verify "alarms are kept" grep -q ctwarden.alarm/1 "$state/alarms.jsonl"
examples() { # of the warning kept: five flows of the source that drives it, all different
	python3 - "$state/alarms.jsonl" <<-'PY'
	import json, sys
	alarm = [d for d in map(json.loads, open(sys.argv[1])) if d.get("level") == "warning"][0]
	flows = alarm["examples"]
	assert len(flows) == 5 and len({json.dumps(f["orig"]) for f in flows}) == 5
	for f in flows:
	    assert (f["orig"]["src"], f["orig"]["dport"], f["protocol"], f["class"]) == ("127.0.0.4", 9000, "udp", "unreplied")
	    assert f["reply"]["src"] == f["orig"]["dst"] and f["family"] == "ipv4"
	PY
}
verify "with examples of what drives it" examples
verify "the lines kept fit their schemas" /usr/bin/python3 "$(dirname "$0")/../check-schemas.py" "$state/alarms.jsonl"
[ ! -x "$BIN/ctwarden" ] || verify "ctwarden log reads them" "$BIN/ctwarden" log --state-dir "$state"
"$BIN/ctwardend" --socket "$sock" --state-dir "$state" >/dev/null 2>"$dir/second"; r=$?
verify "a second daemon is refused" is $r 1
verify "and says why" grep -q "another ctwardend is running" "$dir/second"
verify "SIGTERM ends it with 0" stop
verify "no socket file is left" test ! -e "$sock"

# Born while nobody listened, these die without an event: the counter shows it, a pass puts it right.
printf '{ "pass": { "min_interval_sec": 60 } }\n' >"$dir/config"
udp 2000 127.0.0.9
verify "starts with flows nobody has heard of" start --config "$dir/config"
conntrack -F >/dev/null 2>&1
verify "and does not go on showing them when they have gone" wait_for 5 said top '"entries":0,"matched":0,'
pipelined() { python3 - "$sock" <<-'PY'
	import json, socket, sys
	s = socket.socket(socket.AF_UNIX); s.settimeout(20); s.connect(sys.argv[1])
	line = lambda i: json.dumps({"schema": "ctwarden.request/1", "id": i, "command": "status", "args": {}}).encode() + b"\n"
	s.sendall(b"".join(line(i) for i in range(300))); s.shutdown(socket.SHUT_WR)
	ids = [json.loads(answer)["id"] for answer in s.makefile()]
	sys.exit(ids != list(range(300)))
	PY
}
verify "300 requests at once are all answered, in order" pipelined
stop
# A daemon is started because the table is tight: it must say so at once, with the cause.
udp 300 127.0.0.8
verify "starts in a table over its capacity" start --capacity 200
verify "and raises the alarm at once" wait_for 5 grep -q 'level=critical previous=ok' "$dir/out"
verify "with the cause" grep -q 'cause="one source: 127.0.0.8' "$dir/out"
verify "and ends cleanly" stop
conntrack -F >/dev/null 2>&1

python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$sock')"
printf '{ "events_buffer_bytes": 2048,\n"pass": { "min_interval_sec": 1 } }\n' >"$dir/config"
verify "a stale socket file is replaced" start --config "$dir/config"
udp 3000 127.0.0.5; udp 3000 127.0.0.6
ask status >"$dir/status"
verify "a storm through a tiny buffer loses events" sh -c "grep -Eq '\"(lost|events_lost)\": *[1-9]' '$dir/status'"
verify "and the ranking is exact again" wait_for 30 same_ranking
printf '{ "capacity": 7777 }\n' >"$dir/config"; kill -HUP "$daemon"
verify "SIGHUP takes a good config over" wait_for 5 sh -c "grep -q 'config read again' '$dir/err'"
printf '{\n"capacity": "many" }\n' >"$dir/config"; kill -HUP "$daemon"
verify "SIGHUP refuses a bad one with its line" wait_for 5 grep -q 'config:2: capacity' "$dir/err"
verify "and the old one stays in force" said status '"capacity":7777,'
stop

"$BIN/ctwardend" --check-config --config "$dir/config" >/dev/null 2>"$dir/err"; r=$?
verify "a bad config is exit 4" is $r 4
verify "with file, line and path" grep -q 'config:2: capacity' "$dir/err"
printf '{ "events": "off" }\n' >"$dir/config"
verify "starts with events off" start --config "$dir/config"
verify "and calls its picture approximate" approximate
stop
echo file >"$dir/file"; state=$dir/file
verify "an unwritable state directory does not stop it" start
verify "and is said" grep -q 'alarms are not kept' "$dir/err"
stop

# ---- syslog: /dev/log in a mount namespace of its own is a socket of this test ----
state=$dir/state
# shellcheck disable=SC2016 # the inner shell expands it
wrap=(unshare -m sh -c 'mount -t tmpfs none /dev && : >/dev/log && mount --bind "$0" /dev/log && exec "$@"' "$dir/log")
python3 - "$dir/log" >"$dir/syslog" <<-'PY' &
	import socket, sys
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1])
	while True:
	    print(s.recv(65536).rstrip(b"\0\n").decode(), flush=True)
	PY
listener=$!
wait_for 10 test -S "$dir/log"
config() { # WHERE: alarms go
	printf '{ "log": "%s", "levels": { "warning": { "forecast_sec": 0 }, "critical": { "forecast_sec": 0 } } }' "$1" >"$dir/config"
}
config both
conntrack -F >/dev/null 2>&1
verify "starts with log: both" start --config "$dir/config" --capacity 100
udp 80 127.0.0.2
# 28: facility daemon (3 << 3), priority warning (4)
verify "a warning is a warning in syslog" wait_for 10 grep -q '^<28>.* ctwardend\[[0-9]*\]: level=warning previous=ok ' "$dir/syslog"
verify "of this process" grep -q "ctwardend\[$daemon\]: " "$dir/syslog"
same_line() { is "$(sed -n 's/^<28>.*\]: //p' "$dir/syslog")" "$(grep level=warning "$dir/out")"; }
verify "the line is that on stdout" same_line
conntrack -F >/dev/null 2>&1
verify "its end is a notice" wait_for 20 grep -q '^<29>.*: level=ok previous=warning ' "$dir/syslog"
config stdout; kill -HUP "$daemon"
wait_for 5 grep -q 'config read again' "$dir/err"
udp 95 127.0.0.3
verify "after a reload with log: stdout alarms go there" wait_for 10 grep -q level=critical "$dir/out"
verify "and no longer to syslog" sh -c "! grep -q level=critical '$dir/syslog'"
stop
config syslog
verify "starts with log: syslog and --json" start --config "$dir/config" --capacity 100 --json
verify "a critical one is crit, as key=value" wait_for 10 grep -q '^<26>.*: level=critical previous=ok .*cause="' "$dir/syslog"
verify "stdout has none" test ! -s "$dir/out"
stop
# A log daemon that does not read must not stop the guard.
kill "$listener"; wait "$listener" 2>/dev/null; rm "$dir/log"
python3 - "$dir/log" >/dev/null <<-'PY' &
	import socket, sys, time
	s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind(sys.argv[1] + ".new")
	c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); c.setblocking(False); c.connect(sys.argv[1] + ".new")
	try:
	    while True: c.send(b"x")
	except BlockingIOError: pass
	import os; os.rename(sys.argv[1] + ".new", sys.argv[1])
	time.sleep(600)
	PY
listener=$!
wait_for 10 test -S "$dir/log"
verify "starts where syslog does not read" start --config "$dir/config" --capacity 100
verify "says so" wait_for 10 grep -q 'cannot write to syslog (/dev/log): its reader does not read' "$dir/err"
verify "and goes on" said status '"level":"critical"'
stop
wrap=(unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' none)
verify "starts where there is no syslog" start --config "$dir/config" --capacity 100
verify "and says that too" wait_for 10 grep -q 'cannot write to syslog (/dev/log): No such file' "$dir/err"
verify "and ends cleanly without it" stop
wrap=()

echo "$passed passed, $failed failed"
[ $failed = 0 ]
