#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ctwardend on real flows in a network namespace of its own. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/lab.sh
. "$(dirname "$0")/lab.sh"
alarms() { grep -c "level=$1" "$dir/out"; }

# Without the forecast: 650 flows in an instant would be critical at once, rightly.
printf '{ "capacity": 1000, "levels": { "warning": { "forecast_sec": 0 }, "critical": { "forecast_sec": 0 } } }' >"$dir/marks"
verify "starts and answers" start --config "$dir/marks"
udp 100 127.0.0.2; udp 50 127.0.0.3
verify "the ranking equals conntrack -L" wait_for same_ranking
verify "status is the daemon's view" said status '"view":"daemon"'
verify "an unknown command is an error" said nonsense unknown-command
verify "an unknown argument is one, too" said status bad-request '{"take_peaks": true}'
udp 650 127.0.0.4
verify "crossing up is an alarm" wait_for grep -q level=warning "$dir/out"
verify "with the classes of what has just come" sh -c "grep level=warning '$dir/out' | grep -q 'classes=\"unreplied 100.0%'"
# Classes are those of the last pass: of what has ended since no row may show more than it has.
fits() { # the rows and the sums of status and top
	ask "$1" '{}' | python3 -c 'import json, sys
d = json.load(sys.stdin)["document"]
for r in d.get("rows", d.get("top_sources")) + [d.get("totals", d)]:
    assert sum(r["classes"].values()) <= r["entries"], r'
}
for i in {1..40}; do conntrack -D -s 127.0.0.4 -d "127.0.100.$i" >/dev/null 2>&1; done
verify "what was deleted is counted out" wait_for holds "sum(r['entries'] for r in d['top_sources']) == 760"
verify "classes are no more than entries" fits status
verify "in a ranking neither" fits top
conntrack -D -s 127.0.0.4 >/dev/null 2>&1
verify "crossing down is an alarm" wait_for grep -q level=ok "$dir/out"
# 100 of the 150 left are of 127.0.0.2, who has done nothing since.
verify "which names what had driven it up" sh -c "grep level=ok '$dir/out' | grep -q 'cause=\"earlier: one source: 127.0.0.4 '"
conntrack -F >/dev/null 2>&1
sleep 1
# 800 were there. Who only looks leaves that to the one who takes it; from then on the peak is a new one.
peak() { # COMPARISON [ARGS]
	ask status "${2:-{\}}" | python3 -c 'import json, sys
sys.exit(not eval("%d %s" % (json.load(sys.stdin)["document"]["peak_since_asked"]["entries"], sys.argv[1])))' "$1"
}
verify "the peak since asked is there" peak '>= 800'
verify "and stays for others who look" peak '>= 800'
verify "until somebody takes it" peak '>= 800' '{"take_peak": true}'
verify "then it is a new one" peak '< 800'
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
	    assert (f["orig"]["src"], f["orig"]["dport"], f["protocol"]) == ("127.0.0.4", 9000, "udp")
	    # absent where a busy machine brought no pass in time: of a birth the class is not known
	    assert f.get("class", "unreplied") == "unreplied"
	    assert f["reply"]["src"] == f["orig"]["dst"] and f["family"] == "ipv4"
	PY
}
verify "with examples of what drives it" examples
breakdown() { # what status would have said
	"$BIN/ctwarden" log --state-dir "$state" --at now >"$dir/whole" &&
		grep -q '^level  *ok   it was warning   warning from 75 %' "$dir/whole" && grep -q '^entries .* of 1,000 ' "$dir/whole" &&
		grep -q '^since boot ' "$dir/whole"
}
[ ! -x "$BIN/ctwarden" ] || verify "ctwarden log --at shows the whole of the newest" breakdown
verify "the lines kept fit their schemas" /usr/bin/python3 "$(dirname "$0")/../check-schemas.py" "$state/alarms.jsonl"
[ ! -x "$BIN/ctwarden" ] || verify "ctwarden log reads them" "$BIN/ctwarden" log --state-dir "$state"
"$BIN/ctwardend" --socket "$sock" --state-dir "$state" >/dev/null 2>"$dir/second"; r=$?
verify "a second daemon is refused" is $r 1
verify "and says why" grep -q "another ctwardend is running" "$dir/second"
verify "SIGTERM ends it with 0" stop
verify "no socket file is left" test ! -e "$sock"
verify "nor its lock" test ! -e "$sock.lock"
# Eight at once on a stale socket: one must live and answer, the others must say that it does.
race() { # ROUND
	local pids=() pid alive=0
	rm -f "$sock"; python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$sock')"
	for i in 1 2 3 4 5 6 7 8; do
		"$BIN/ctwardend" --socket "$sock" --state-dir "$state" >/dev/null 2>"$dir/race.$i" & pids+=($!)
	done
	wait_for sh -c "[ \$(cat '$dir'/race.? | grep -c 'another ctwardend is running') = 7 ]" && wait_for ask ping && r=0 || r=1
	for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; wait "$pid" && alive=$((alive + 1)); done
	[ $r = 0 ] && [ $alive = 1 ] && [ ! -e "$sock" ] && [ ! -e "$sock.lock" ]
}
for round in 1 2 3 4 5; do verify "of eight started at once on a stale socket one lives ($round)" race; done

# Born while nobody listened, these die without an event: the counter shows it, a pass puts it right.
printf '{ "pass": { "min_interval_sec": 60 } }\n' >"$dir/config"
udp 2000 127.0.0.9
verify "starts with flows nobody has heard of" start --config "$dir/config"
conntrack -F >/dev/null 2>&1
verify "and does not go on showing them when they have gone" wait_for said top '"entries":0,"matched":0,'
pipelined() { python3 - "$sock" <<-'PY'
	import json, socket, sys
	s = socket.socket(socket.AF_UNIX); s.settimeout(60); s.connect(sys.argv[1])
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
verify "and raises the alarm at once" wait_for grep -q 'level=critical previous=ok' "$dir/out"
verify "with the cause" grep -q 'cause="one source: 127.0.0.8' "$dir/out"
verify "and ends cleanly" stop
conntrack -F >/dev/null 2>&1

python3 -c "import socket; socket.socket(socket.AF_UNIX).bind('$sock')"
printf '{ "events_buffer_bytes": 2048,\n"pass": { "min_interval_sec": 1 } }\n' >"$dir/config"
verify "a stale socket file is replaced" start --config "$dir/config"
udp 3000 127.0.0.5; udp 3000 127.0.0.6
verify "a storm through a tiny buffer loses events" wait_for holds 'd["events"]["lost"] > 0'
verify "status tells whether the kernel's own filter may delete" holds "d['fast_delete']['on'] == ('why' not in d['fast_delete'])"
verify "as it does where nobody keeps a self-test but a namespace may be made" holds \
	"d['fast_delete']['on'] == $("$BIN/ctwarden" status --deep --json |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["fast_delete"]["on"])')"
verify "and the ranking is exact again" wait_for same_ranking
printf '{ "capacity": 7777 }\n' >"$dir/config"; kill -HUP "$daemon"
verify "SIGHUP takes a good config over" wait_for told 'config read again'
printf '{\n"capacity": "many" }\n' >"$dir/config"; kill -HUP "$daemon"
verify "SIGHUP refuses a bad one with its line" wait_for told 'config:2: capacity'
verify "and the old one stays in force" said status '"capacity":7777,'
stop

printf '{ "schema": "ctwarden.policy/1", "mode": "act", "rules": [] }' >"$dir/good"
verify "of a good policy it is said that it is good" sh -c \
	"'$BIN/ctwardend' --check-config --policy '$dir/good' | grep -q '^$dir/good: good; 0 rules, mode act$'"
"$BIN/ctwardend" --check-config --restore --state-dir "$state" >/dev/null 2>"$dir/err"; r=$?
verify "--check-config and --restore are not for one run" is $r 2
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
wait_for test -S "$dir/log"
config() { # WHERE: alarms go
	printf '{ "log": "%s", "levels": { "warning": { "forecast_sec": 0 }, "critical": { "forecast_sec": 0 } } }' "$1" >"$dir/config"
}
config both
conntrack -F >/dev/null 2>&1
verify "starts with log: both" start --config "$dir/config" --capacity 100
udp 80 127.0.0.2
# 28: facility daemon (3 << 3), priority warning (4)
verify "a warning is a warning in syslog" wait_for grep -q '^<28>.* ctwardend\[[0-9]*\]: level=warning previous=ok ' "$dir/syslog"
verify "of this process" grep -q "ctwardend\[$daemon\]: " "$dir/syslog"
same_line() { is "$(sed -n 's/^<28>.*\]: //p' "$dir/syslog")" "$(grep level=warning "$dir/out")"; }
verify "the line is that on stdout" same_line
conntrack -F >/dev/null 2>&1
verify "its end is a notice" wait_for grep -q '^<29>.*: level=ok previous=warning ' "$dir/syslog"
config stdout; kill -HUP "$daemon"
wait_for grep -q 'config read again' "$dir/err"
udp 95 127.0.0.3
verify "after a reload with log: stdout alarms go there" wait_for grep -q level=critical "$dir/out"
verify "and no longer to syslog" sh -c "! grep -q level=critical '$dir/syslog'"
stop
config syslog
verify "starts with log: syslog and --json" start --config "$dir/config" --capacity 100 --json
verify "a critical one is crit, as key=value" wait_for grep -q '^<26>.*: level=critical previous=ok .*cause="' "$dir/syslog"
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
wait_for test -S "$dir/log"
verify "starts where syslog does not read" start --config "$dir/config" --capacity 100
verify "says so" wait_for grep -q 'cannot write to syslog (/dev/log): its reader does not read' "$dir/err"
verify "and goes on" said status '"level":"critical"'
stop
wrap=(unshare -m sh -c 'mount -t tmpfs none /dev && exec "$@"' none)
verify "starts where there is no syslog" start --config "$dir/config" --capacity 100
verify "and says that too" wait_for grep -q 'cannot write to syslog (/dev/log): No such file' "$dir/err"
verify "and ends cleanly without it" stop
wrap=()

lab_end
