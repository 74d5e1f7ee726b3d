#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The commands as a person types them: words of the command line and their errors, output that breaks, a person without
# rights, status, top, flows, events and log on real flows over loopback, compared with conntrack. Runs inside a network
# namespace of its own; BIN is the directory of ctwarden. Needs root.
set -u
BIN=${BIN:?BIN must name the directory of ctwarden}
if [ "${CTW_TEST_INSIDE:-}" != 1 ]; then
    [ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
    exec env CTW_TEST_INSIDE=1 unshare -n "$0" "$@"
fi
work=$(mktemp -d)
chmod 755 "$work"
cp "$BIN/ctwarden" "$work/ctwarden" 2>/dev/null && ctw=$work/ctwarden || ctw=$BIN/ctwarden
[ -f "$BIN/.libs/ctwarden" ] && ctw=$BIN/ctwarden
passed=0 failed=0
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
ok() { # NAME STATUS [TEXT]
    if [ "$2" = 0 ]; then
        passed=$((passed + 1)); echo "ok - $1"
    else
        failed=$((failed + 1)); echo "not ok - $1"
        [ -z "${3:-}" ] || echo "$3" | head -n 8 | sed 's/^/#   /'
    fi
}
same() { # NAME EXPECTED GOT
    [ "$2" = "$3" ]; ok "$1" $? "expected: $2
got: $3"
}
has() { # NAME PATTERN TEXT
    printf '%s\n' "$3" | grep -qE -- "$2"; ok "$1" $? "no match for $2 in: $3"
}
wait_for() { # SECONDS COMMAND...: the bound is for a machine that is busy with other things, not how long it takes
    local end=$((SECONDS + $1)); shift
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.05; done
}
# Runs ctwarden; sets code, out, err.
run() {
    "$ctw" --socket "$work/none.sock" --direct "$@" >"$work/out" 2>"$work/err"
    code=$?
    out=$(cat "$work/out") err=$(cat "$work/err")
}
refused() { # NAME PATTERN ARGUMENT...: exit 2, one line on stderr with the pattern, nothing on stdout
    local name=$1 pattern=$2
    shift 2
    run "$@"
    [ "$code" = 2 ] && [ -z "$out" ] && [ "$(wc -l <"$work/err")" = 1 ] && grep -qE -- "^ctwarden: .*$pattern" "$work/err"
    ok "$name" $? "exit $code: $out $err"
}
json() { # EXPRESSION on d, the document of $out
    python3 -c 'import json, sys; d = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$out" "$1" 2>&1
}

# No flow may expire while it is looked at, however slow the machine.
sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3600
ip link set lo up
ip addr add 10.66.0.1/32 dev lo
ip addr add 10.66.0.2/32 dev lo
ip addr add fd66::1/128 dev lo nodad
nft -f - <<'N'
table inet t {
	chain c {
		type filter hook output priority 0;
		ip saddr 10.66.0.2 ct mark set 0x2a
		ct state new accept
	}
}
N

# ---- words ----
run help
has "help lists the commands" "^  events " "$out"
same "help ends with 0" 0 "$code"
run help top
has "help COMMAND tells its options" "--prefix-len" "$out"
has "help COMMAND tells the filters" "--src-nat \[" "$out"
run top --help
has "COMMAND --help does the same" "--prefix-len" "$out"
run --version
has "--version" "^ctwarden [0-9u]" "$out"
run
same "no command is a usage error" 2 "$code"
refused "unknown command" "stattus: unknown command; did you mean status" stattus
refused "unknown option suggests" "--unreplide: unknown option; did you mean --unreplied" top --unreplide
refused "unknown letter" "-Z: unknown option" top -Z
refused "option of another command" "--sort: top does not take it" top --sort bytes
refused "missing value" "-s: needs a value" top -s
refused "empty value" "" top -s ""
refused "unexpected word" "10.0.0.1: unexpected word" flows 10.0.0.1
refused "a flag takes no value" "--unreplied: takes no value" flows --unreplied=1
refused "lone ! at the end" "!: needs a filter" flows '!'
refused "! before an option that is no filter" "cannot be negated" flows '!' -n 3
refused "bad address" "-s 10.0.0.300" flows -s 10.0.0.300
refused "bad prefix" "an IPv4 prefix is at most /32" flows -s 10.0.0.0/33
refused "bad IPv6 prefix" "/128" flows -d fd00::/129
refused "bad port" "--dport 70000" flows --dport 70000
refused "bad port range" "--sport 20-10" flows --sport 20-10
refused "bad mark" "-m xyz" flows -m xyz
refused "bad protocol" "-p tpc" flows -p tpc
refused "bad state" "--state FOO" flows --state FOO
refused "bad zone" "-w 70000" flows -w 70000
refused "bad key" "--by sauce: no such key" top --by sauce
refused "a bad number, as it was given" "-n x: a number" top -n x
refused "or by its name" "--number x: a number" top --number x
refused "bad sort key" "--sort size: no such key" flows --sort size
refused "bad event kind" "no kind of event" events -e newish
refused "bad duration" "--for -1" events --for -1
refused "a mode for too long" "--for 367d: at most 366d; without --for" mode act --for 367d
refused "bad prefix length" "--prefix-len 33" top --prefix-len 33
refused "prefix length without addresses" "no addresses" top --by state --prefix-len 24
refused "contradiction" "" flows -p tcp '!' -p tcp
run -j status
same "options may go before the command" 0 "$code"

# ---- real flows ----
cat >"$work/peer.py" <<'P'
import socket, sys
kept = []
def pair(family, address, port, count, source):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port)); server.listen(64)
    for _ in range(count):
        c = socket.socket(family, socket.SOCK_STREAM); c.bind((source, 0)); c.connect((address, port))
        s, _ = server.accept(); c.sendall(b"x"); s.recv(1); s.sendall(b"y"); c.recv(1); kept.extend((c, s))
    kept.append(server)
pair(socket.AF_INET, "10.66.0.1", 8080, 5, "10.66.0.1")
pair(socket.AF_INET, "10.66.0.1", 8081, 2, "10.66.0.2")
pair(socket.AF_INET6, "fd66::1", 8082, 3, "fd66::1")
sink = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); sink.bind(("10.66.0.1", 5353)); kept.append(sink)
for _ in range(7):
    u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); u.bind(("10.66.0.2", 0)); u.sendto(b"q", ("10.66.0.1", 5353)); kept.append(u)
print("ready", flush=True)
sys.stdin.read()
P
mkfifo "$work/hold"
exec 5<>"$work/hold"
python3 "$work/peer.py" <"$work/hold" >"$work/peer.out" &
pids+=($!)
wait_for 60 grep -q ready "$work/peer.out"
ok "the flows are made" $?
counted=$(conntrack -C)
same "the flows are there (5 + 2 + 3 tcp, 7 udp)" 17 "$counted"

run -j status
same "status -j: entries as conntrack -C" "$counted" "$(json 'd["entries"]')"
same "status -j: limit" "$(cat /proc/sys/net/netfilter/nf_conntrack_max)" "$(json 'd["entries_limit"]')"
same "status -j: schema" ctwarden.status/1 "$(json 'd["schema"]')"
same "status -j: view" kernel "$(json 'd["view"]')"
same "status -j is one line" 1 "$(wc -l <"$work/out")"
same "status -j looks at no entry unasked" False "$(json '"classes" in d')"
run -J status
[ "$(wc -l <"$work/out")" -gt 5 ]; ok "status -J is indented" $?
run -j status --capacity 20
same "status --capacity judges by it" 85.0 "$(json 'round(d["fill_pct"], 1)')"
same "status --capacity: level" warning "$(json 'd["level"]')"
run status --deep
same "status --deep ends with 0" 0 "$code"
has "status --deep shows classes" "unreplied" "$out"
has "status --deep names the heaviest source" "10\.66\.0\.2" "$out"
run status --deep --capacity 20
has "status at warning tells the level" "[Ww][Aa][Rr][Nn][Ii][Nn][Gg]" "$out"

run -j top
same "top -j: schema" ctwarden.top/1 "$(json 'd["schema"]')"
same "top -j: the heaviest source" "10.66.0.2 9" "$(json '"%s %d" % (d["rows"][0]["key"], d["rows"][0]["entries"])')"
same "top -j: unreplied of it" 7 "$(json 'd["rows"][0]["unreplied"]')"
same "top -j: IPv6 sources as /64" "True" "$(json '"fd66::/64" in [r["key"] for r in d["rows"]]')"
same "top -j: entries" 17 "$(json 'd["entries"]')"
same "top -j: rows sum up" 17 "$(json 'sum(r["entries"] for r in d["rows"])')"
run -j top -n 1
same "top -n 1: one row" 1 "$(json 'len(d["rows"])')"
same "top -n 1: the others" 8 "$(json 'd["others"]["entries"]')"
run -j top -p tcp
same "top with a filter: matched" 10 "$(json 'd["matched"]')"
same "top with a filter: the whole table" 17 "$(json 'd["entries"]')"
run -j top --by service
same "top --by service" "udp/5353 7" "$(json '"%s %d" % (d["rows"][0]["key"], d["rows"][0]["entries"])')"
run -j top --by mark -m 42
same "top --by mark" 9 "$(json 'd["rows"][0]["entries"]')"
run -j top --by prefix --prefix-len 16,48
same "top --prefix-len" "10.66.0.0/16 14" "$(json '"%s %d" % (d["rows"][0]["key"], d["rows"][0]["entries"])')"
narrow() { # COMMAND: at a terminal of 40 columns no line is wider (what a slow pass tells of its progress is wiped out again)
    COLUMNS=40 script -qec "stty cols 40; $ctw --direct $1" /dev/null >"$work/narrow" 2>&1 </dev/null
    widest=$(sed 's/\x1b\[[0-9;]*m//g; s/^.*\r\x1b\[K//; s/\r//g' "$work/narrow" |
        awk 'length > m { m = length } END { print m + 0 }')
    [ "$widest" -gt 0 ] && [ "$widest" -le 40 ]; ok "$1 fits a terminal of 40 columns" $? "widest line: $widest
$(cat "$work/narrow")"
}
for by in source prefix destination service class state zone mark reply-source; do
    run -j top --by $by -n 100
    same "top --by $by sums up to the table" 17 "$(json 'sum(r["entries"] for r in d["rows"])')"
done
run top
same "top as text ends with 0" 0 "$code"
has "top as text: the heaviest source" "10\.66\.0\.2 +9" "$out"
narrow top
narrow status

for words in --help "help top" "help flows" "help log"; do
    COLUMNS=40 script -qec "stty cols 40; $ctw $words" /dev/null >"$work/narrow" 2>&1 </dev/null
    widest=$(sed 's/\r//g' "$work/narrow" | awk 'length > m { m = length } END { print m + 0 }')
    [ "$widest" -gt 0 ] && [ "$widest" -le 40 ]; ok "$words fits a terminal of 40 columns" $? "widest line: $widest
$(awk 'length > 40' "$work/narrow")"
done
refused "help of a command that is none suggests" "help stattus: there is no such command; did you mean status" help stattus
refused "help of what is near to nothing lists them" "help foo: there is no such command; ctwarden help lists them" help foo

# Timeouts count down between two looks; all else must be the same, token for token.
plain() { sed -E 's/^(ipv[46] +[0-9]+ [a-z]+ +[0-9]+) [0-9]+ /\1 T /' | sort; }
run flows
same "flows: as conntrack -L -o extended" "$({ conntrack -L -o extended; conntrack -L -f ipv6 -o extended; } 2>/dev/null | plain | sort -u)" \
    "$(echo "$out" | plain)"
has "flows: the count on stderr" "ctwarden: 17 flows shown" "$err"
run flows -n 3
same "flows -n 3" 3 "$(wc -l <"$work/out")"
run flows -s 10.66.0.2 --unreplied
same "flows: filter" 7 "$(wc -l <"$work/out")"
run flows '!' -s 10.66.0.2 -f ipv4
same "flows: negated filter" 5 "$(wc -l <"$work/out")"
run flows --dport 8080-8082,5353
same "flows: ranges and lists" 17 "$(wc -l <"$work/out")"
run flows --src-nat
same "flows: optional value left out, nothing matches, exit 0" "0 0" "$(wc -l <"$work/out") $code"
run flows --sort src
same "flows --sort src: all of them" 17 "$(wc -l <"$work/out")"
sources=$(sed -E 's/^.{0,60} src=([^ ]+) dst=.* src=.*/\1/' "$work/out" | grep -F .)
same "flows --sort src: in order" "$(echo "$sources" | sort -V)" "$sources"
run flows --sort timeout -n 4
timeouts=$(awk '{ print $5 }' "$work/out")
same "flows --sort timeout -n 4: the longest first" "$(echo "$timeouts" | sort -rn)" "$timeouts"
# They count down: looked at later, the longest are no longer than those shown.
later=$(conntrack -L -o extended 2>/dev/null | awk '{ print $5 }' | sort -rn | head -n 4)
paste -d' ' <(echo "$timeouts") <(echo "$later") | awk 'NF != 2 || $1 < $2 { exit 1 }'
ok "flows --sort timeout -n 4: none longer is left out" $? "shown: $timeouts
later: $later"
same "flows --sort -n holds n" 4 "$(wc -l <"$work/out")"
run flows --sort -dst
same "flows --sort -dst: all of them" 17 "$(wc -l <"$work/out")"
has "flows --sort -dst: IPv6 first" "^ipv6" "$(head -n 1 "$work/out")"
run flows -j
same "flows -j: an object a line" 17 "$(python3 -c 'import json, sys
print(sum(json.loads(l)["schema"] == "ctwarden.flow/1" for l in open(sys.argv[1])))' "$work/out")"

# ---- events ----
next_port=10000
poke() { # COUNT: UDP flows of ports that none had before (a port the system chooses may be that of an entry: no new flow)
    python3 -c 'import socket, sys
for port in range(int(sys.argv[2]), int(sys.argv[2]) + int(sys.argv[1])):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("10.66.0.1", port))
    s.sendto(b"q", ("10.66.0.1", 5353))' "$1" "$next_port"
    next_port=$((next_port + $1))
}
unpoke() { conntrack -D -p udp -s 10.66.0.1 >/dev/null 2>&1; }
subscribed() { awk -v groups="$1" '$2 == 12 && $4 == groups { found = 1 } END { exit !found }' /proc/net/netlink; }
listening() { # GROUPS: the command has joined all of them: 1 NEW, 2 UPDATE, 4 DESTROY
    wait_for 60 subscribed "0000000$1" || ok "ctwarden listens" 1
}
"$ctw" events -p udp -e new -n 3 >"$work/out" 2>"$work/err" &
pid=$!
listening 1; poke 5; wait $pid; code=$?
same "events -n 3 ends by itself" "0 3" "$code $(wc -l <"$work/out")"
has "events: text as conntrack -E" "^ *\[NEW\] .*udp .*UNREPLIED" "$(head -n 1 "$work/out")"
run events --for 200ms
same "events --for ends by itself" "0 0" "$code $(wc -l <"$work/out")"
unpoke
timeout 60 "$ctw" events -j -n 8 >"$work/out" 2>"$work/err" &
pid=$!
listening 7; poke 4; unpoke; wait $pid
same "events -j: births and deaths" "4 4" "$(python3 -c 'import json, sys
e = [json.loads(l)["event"] for l in open(sys.argv[1])]
print(e.count("new"), e.count("destroy"))' "$work/out")"
for signal in INT TERM; do
    "$ctw" events --time >"$work/out" 2>"$work/err" &
    pid=$!
    listening 7; poke 1; wait_for 60 test -s "$work/out"; kill -$signal $pid; wait $pid
    same "events ends cleanly on SIG$signal" 0 $?
    has "events --time" "^[0-9]{4}-.*Z .*\[NEW\]" "$(head -n 1 "$work/out")"
done
told() { # how many events the stream tells of, shown and lost; nothing where none was lost
    python3 -c 'import json, sys
e = [json.loads(l) for l in open(sys.argv[1]) if l.endswith("\n")]
lost = sum(x.get("count", 0) for x in e if x["event"] == "lost")
print(lost + sum(x["event"] != "lost" for x in e) if lost else "none lost")' "$work/out"
}
told_all() { [ "$(told)" = 300 ]; }
"$ctw" events -j --buffer 4k >"$work/out" 2>"$work/err" &
pid=$!
listening 7; kill -STOP $pid; poke 300; kill -CONT $pid; wait_for 60 told_all; kill -TERM $pid; wait $pid
same "events: shown and lost make up all of them" 300 "$(told)"
timeout 60 bash -c "'$ctw' events 2>'$work/err' | head -n 1 >/dev/null; exit \${PIPESTATUS[0]}" &
pid=$!
listening 7; poke 2; wait $pid
same "events: a closed pipe ends it with 0" 0 $?
# Listening for a longer time where the machine was too slow to make the flows in a short one.
for span in 1s 5s 25s; do
    "$ctw" --direct -j top --new $span >"$work/out" 2>"$work/err" &
    pid=$!
    listening 5; poke 20; wait $pid; code=$?; out=$(cat "$work/out")
    [ "$(json 'd["matched"]')" = 20 ] && break
done
same "top --new ranks births" "0 20" "$code $(json 'd["rows"][0]["born"] if "born" in d["rows"][0] else d["matched"]')"
unpoke
two_lines() { [ "$(wc -l <"$work/out")" -ge 2 ]; }
"$ctw" --direct -j top --every 100ms >"$work/out" 2>"$work/err" &
pid=$!
wait_for 60 two_lines; ok "top --every repeats, a document a line" $? "$(cat "$work/out" "$work/err")"
kill -TERM $pid; wait $pid
same "top --every ends cleanly on SIGTERM" 0 $?

# ---- bad days ----
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$ctw" "$@"; }
err=$(nobody self-test --proofs "$work" 2>&1); code=$?
same "self-test without rights: exit 1" 1 "$code"
has "and what it needs" "needs CAP_NET_ADMIN" "$err"
python3 -c 'import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])' "$work/closed"
chmod 600 "$work/closed"
err=$(nobody status --socket "$work/closed" 2>&1); code=$?
same "a socket that is not for us: exit 3" 3 "$code"
has "and who may" "members of the group ctwarden" "$err"
err=$(nobody --direct top 2>&1 >"$work/out"); code=$?
same "top without rights fails" "1 0" "$code $(wc -c <"$work/out")"
has "top without rights tells what can be read" "needs CAP_NET_ADMIN; try sudo\. Without it: 1[0-9] of [0-9,]+ entries" "$err"
out=$(nobody --direct -j status 2>"$work/err"); code=$?
same "status without rights shows what can be read" "0 17" "$code $(json 'd["entries"]')"
err=$(nobody events --for 1s 2>&1); code=$?
has "events without rights: one line" "^ctwarden: .*CAP_NET_ADMIN" "$err"
mkdir "$work/state"
for i in $(seq 1000 3000); do # more than a buffer holds: the write that fails is not the last one
    echo "{\"schema\":\"ctwarden.topline/1\",\"time\":\"2026-11-25T09:41:07.000Z\",\"entries\":$i}"
done >"$work/state/alarms.jsonl"
# shellcheck disable=SC2086 # "flows -j" is meant to split
for command in status top flows "flows -j" help "log --state-dir $work/state" "log -j --state-dir $work/state"; do
    direct=--direct
    case $command in log*) direct= ;; esac
    err=$("$ctw" $direct $command 2>&1 >/dev/full); code=$?
    same "$command to a full disk fails" 1 "$code"
    has "$command to a full disk says so" "^ctwarden: cannot write to standard output: No space left" "$err"
    err=$("$ctw" $direct $command 2>&1 >&-); code=$?
    same "$command with stdout closed fails" 1 "$code"
    has "$command with stdout closed says so" "^ctwarden: cannot write to standard output: Bad file" "$err"
done
"$BIN/ctwardend" --help >/dev/full 2>"$work/err"; code=$?
same "the daemon's help to a full disk" "1 ctwardend: cannot write to standard output: No space left on device" \
    "$code $(cat "$work/err")"
bash -c "'$ctw' log --state-dir '$work/state' 2>'$work/err' | head -n 1 >/dev/null; exit \${PIPESTATUS[0]}"
same "log into a closed pipe ends with 0 and no word" "0 0" "$? $(wc -c <"$work/err")"
bash -c "'$ctw' --direct flows 2>/dev/null | true; exit \${PIPESTATUS[0]}"
same "flows into a closed pipe ends with 0" 0 $?
"$ctw" --socket "$work/none.sock" status >"$work/out" 2>"$work/err"; code=$?
same "--socket without a daemon: exit 3" "3 1" "$code $(wc -l <"$work/err")"
python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1])' "$work/stale.sock"
"$ctw" --socket "$work/stale.sock" top >"$work/out" 2>"$work/err"; code=$?
same "a stale socket: exit 3" 3 "$code"
python3 -c 'import os, socket, sys
s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1] + ".new"); s.listen(1); os.rename(sys.argv[1] + ".new", sys.argv[1])
c, _ = s.accept(); c.recv(9999); c.sendall(b"no json\n")' "$work/odd.sock" &
pids+=($!)
wait_for 60 test -S "$work/odd.sock"
"$ctw" --socket "$work/odd.sock" status >"$work/out" 2>"$work/err"; code=$?
same "a peer that talks nonsense: exit 3" 3 "$code"
has "a peer that talks nonsense: said" "cannot be read" "$(cat "$work/err")"

# ---- log ----
run log --state-dir "$work/nowhere"
same "log: no directory" 1 "$code"
has "log: no directory, said" "no log there" "$err"
mkdir "$work/state"
cat >"$work/state/alarms.jsonl" <<'J'
{"schema":"ctwarden.alarm/1","time":"2026-11-25T09:41:07.000Z","level":"warning","previous":"ok","entries":203417,"capacity":262144,"fill_pct":77.6,"growth_per_sec":612.0,"seconds_to_full":96.0,"top_sources":[{"key":"10.1.0.66","entries":151200,"share_pct":74.3}]}
not a document
{"schema":"ctwarden.alarm/1","time":"2026-11-25T09:41:12.000Z","level":"ok","previous":"warning","entries":154000,"capacity":262144,"fill_pct":58.9,"growth_per_sec":0.0,"top_sources":[]}
J
export TZ=UTC
run log --state-dir "$work/state"
has "log: a line for people" "^2026-11-25 09:41:07  warning +77\.6 %, \+612/s, full in 1 min 36 s: 10\.1\.0\.66 \(74\.3 %\)" "$out"
same "log: both lines" 2 "$(wc -l <"$work/out")"
has "log: a torn line is counted" "1 line" "$err"
run log --state-dir "$work/state" --at "2026-11-25 09:41:10"
same "log --at: the newest before" "2026-11-25 09:41:07" "${out:0:19}"
run log --state-dir "$work/state" --since "2026-11-25 09:41:10"
same "log --since" "2026-11-25 09:41:12" "${out:0:19}"
run log --state-dir "$work/state" -n 1 -j
same "log -n 1 -j: verbatim" "$(tail -n 1 "$work/state/alarms.jsonl")" "$out"
# A round may be written before the alarm that called for it: by time they come in order, the rest as it was written.
mkdir "$work/order"
stamped() { printf '{"schema":"ctwarden.alarm/1","time":"2026-11-25T%sZ","level":"%s"}\n' "$1" "$2"; }
{ stamped 09:41:07.856 a; stamped 09:41:07.854 b; stamped 09:41:07.856 c; stamped 09:40:07.000 d; } >"$work/order/alarms.jsonl"
run log --state-dir "$work/order"
same "log: in order of time within seconds" "b a c d" "$(awk '{print $3}' <<<"$out" | xargs)"
run log --state-dir "$work/order" -n 3
same "log -n: of that order" "a c d" "$(awk '{print $3}' <<<"$out" | xargs)"
for i in {10..99}; do stamped "09:41:07.$((998 - i % 3))" "$i"; done >"$work/order/alarms.jsonl"
run log --state-dir "$work/order" -j
same "log: however many, none is lost" "$(sort "$work/order/alarms.jsonl")" "$(sort <<<"$out")"
# The whole of a record: what the golden file of an alarm says, and after it a topline.
mkdir "$work/whole"
golden=$(dirname "$0")/../golden/report
cat "$golden/alarm-warning.json" >"$work/whole/alarms.jsonl"
run log --state-dir "$work/whole" --at now
same "log --at: ends with 0" "0 " "$code $err"
has "log --at: level, and what it was" "^level +WARNING   it was ok   warning from 75 %" "$out"
has "log --at: fill" "^entries +203,417 of 262,144   77\.6 %" "$out"
has "log --at: growth and forecast" "^growth +\+612/s   802 new/s   full in 1 min 35 s" "$out"
has "log --at: counters" "^since boot +0 dropped   0 dropped early   12 insert failures" "$out"
has "log --at: cause" "^cause +one source: 10\.1\.0\.66 holds 74 %" "$out"
has "log --at: protocols" "^protocols .*tcp 201,000 \(99\.0 %\)" "$out"
for table in source prefix service class; do has "log --at: the table by $table" "^by $table$" "$out"; done
has "log --at: sources" "^ +1  10\.1\.0\.66 +151,200  74\.3 %" "$out"
has "log --at: services" "^ +1  tcp/22 +148,000" "$out"
has "log --at: classes" "^ +1  unreplied +150,000" "$out"
has "log --at: others whose number is not told" "^ +\.\.\. others +13,417" "$out"
has "log --at: examples" "^tcp SYN_SENT src=10\.1\.0\.66 dst=10\.2\.0\.7 sport=40000 dport=22 reply-src=10\.9\.0\.7 mark=5 \(unreplied\)$" "$out"
has "log --at: an example of ICMP" "^icmp src=10\.1\.0\.66 dst=10\.9\.0\.7 type=8 code=0 id=4711 zone=3$" "$out"
run log --state-dir "$work/whole" --at now -j
same "log --at -j: verbatim" "$(cat "$golden/alarm-warning.json")" "$out"
run log --state-dir "$work/whole" --at now -n 5
same "log --at -n: a line" 1 "$(wc -l <"$work/out")"
cat "$golden/topline.json" >>"$work/whole/alarms.jsonl"
run log --state-dir "$work/whole" --at now
has "log --at of a topline: its sources" "^ +1  10\.1\.0\.66 +151,200  74\.3 %" "$out"
same "log --at of a topline: makes nothing up" 0 "$(grep -cE '^(cause|events|classes|buckets|by prefix)|warning from' "$work/out")"
has "log --at of a topline: and the alarm before it" "^2026-11-25 .*  warning +77\.6 %.*: one source: 10\.1\.0\.66" "$(tail -n 1 "$work/out")"
# What the guard did stands between: in words, verbatim, and not in the place of what the table was.
cat "$golden/record-evict.json" "$golden/record-would.json" "$golden/record-error.json" >>"$work/whole/alarms.jsonl"
run log --state-dir "$work/whole"
has "log: what was done" "^2026-11-25 09:41:07  evict +rule evict-unanswered: 40,150 flows, 99 % of 10\.1\.0\.66 in 210 ms; 5 refused; 77\.8 -> 62\.5 %$" "$out"
has "log: what would have been" "  evict +rule evict-unanswered: would evict 40,200 flows, 99 % of 10\.1\.0\.66; at 77\.8 %$" "$out"
has "log: what failed" "  evict +rule evict-unanswered: failed: Operation not permitted" "$out"
run log --state-dir "$work/whole" -n 3 -j
same "log -j: records verbatim" "$(tail -n 3 "$work/whole/alarms.jsonl")" "$out"
run log --state-dir "$work/whole" --at now
has "log --at: still the table" "^ +1  10\.1\.0\.66 +151,200  74\.3 %" "$out"
has "log --at: and what the guard did last" "  evict +rule .*failed" "$(tail -n 1 "$work/out")"
run log --state-dir "$work/whole" --at "2026-11-25 09:00"
same "log --at: nothing before" "0 " "$code $out"
# What others have written (a list, a name) moves no cursor.
printf '10.0.0.1\n\033[2J10.0.0.2\n' >"$work/list"
run flows -s "@$work/list"
same "control characters of a file: usage" 2 "$code"
same "control characters of a file: none on the terminal" 0 "$(grep -c "$(printf '\033')" "$work/err")"
has "control characters of a file: what is wrong is told" "list:2" "$(cat "$work/err")"
# A kernel without netfilter's netlink: the system call fails as it does there. (Leaks cannot be looked for under strace.)
for words in status "status --deep" top flows events; do
	# shellcheck disable=SC2086
	ASAN_OPTIONS=detect_leaks=0 strace -f -qq -o /dev/null -e trace=socket -e inject=socket:error=EPROTONOSUPPORT \
		"$BIN/ctwarden" --direct $words >"$work/out" 2>"$work/err" </dev/null
	same "no conntrack in the kernel: $words exits 1" 1 "$?"
	has "no conntrack in the kernel: $words says so" "not in this kernel or not loaded; modprobe nf_conntrack" "$(cat "$work/err")"
	same "no conntrack in the kernel: $words says one line" 1 "$(wc -l <"$work/err")"
done
ASAN_OPTIONS=detect_leaks=0 timeout 120 strace -f -qq -o /dev/null -e trace=socket -e inject=socket:error=EPROTONOSUPPORT:when=2+ \
	"$BIN/ctwardend" --socket "$work/absent" --state-dir "$work" >"$work/out" 2>"$work/err" </dev/null
same "no conntrack in the kernel: the daemon exits 1" 1 "$?"
has "no conntrack in the kernel: the daemon says so" "connection tracking" "$(cat "$work/err")"
same "no conntrack in the kernel: the daemon leaves no socket" 0 "$(find "$work/absent" 2>/dev/null | wc -l)"
refused "log: bad time" "--since half past nine" log --since "half past nine"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
