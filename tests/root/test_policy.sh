#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ctwarden policy test on a real table and on the same table saved: what it says of rules, candidates and classes agrees with
# conntrack, the ways of saving agree with each other, and nothing is touched. Runs inside a network namespace of its own;
# BIN is the directory of ctwarden. Needs root.
set -u
BIN=${BIN:?BIN must name the directory of ctwarden}
if [ "${CTW_TEST_INSIDE:-}" != 1 ]; then
    [ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
    exec env CTW_TEST_INSIDE=1 unshare -n "$0" "$@"
fi
here=$(cd "$(dirname "$0")" && pwd)
policies=$here/../../policies
ctw=$BIN/ctwarden
[ -f "$BIN/.libs/ctwarden" ] && ctw=$BIN/.libs/ctwarden
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0
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
run() { # WORD...: policy test; sets code, out, err
    "$ctw" --socket "$work/none.sock" --direct policy test "$@" >"$work/out" 2>"$work/err"
    code=$?
    out=$(cat "$work/out") err=$(cat "$work/err")
}
json() { # EXPRESSION on d, the document of $out, and r(NAME), a rule of it
    /usr/bin/python3 -c '
import json, sys
d = json.loads(sys.argv[1])
r = lambda name: [rule for rule in d["rules"] if rule["rule"] == name][0]
print(eval(sys.argv[2]))' "$out" "$1" 2>&1
}
entries() { conntrack -L 2>/dev/null | wc -l; }

# Flows that nobody answers: 40 made just now, 100 made 60 s ago as their timeouts say; 50 established, of which 20 silent for a
# day; one on loopback, one of IPv6. Time goes on while this runs, so young is what is younger than 55 s.
sed 's/"min_age": "5s"/"min_age": "55s"/' "$policies/gateway.json" >"$work/gateway.json"
sed 's/"min_age": "5s"/"min_age": "55s"/' "$policies/observe.json" >"$work/observe.json"
ip link set lo up
add() { conntrack -I "$@" >/dev/null 2>&1 || { echo "not ok - conntrack -I $*"; failed=$((failed + 1)); }; }
for ((i = 0; i < 50; i++)); do
    add -p tcp -s 10.2.0.$i -d 203.0.113.7 --sport $((2000 + i)) --dport 443 --state ESTABLISHED -u SEEN_REPLY,ASSURED \
        -t $((i < 20 ? 300000 : 431990))
done
for ((i = 0; i < 100; i++)); do
    add -p tcp -s 10.1.0.66 -d 198.51.100.$((i % 250)) --sport $((1000 + i)) --dport 22 --state SYN_SENT -t 60
done
for ((i = 0; i < 40; i++)); do
    add -p tcp -s 10.1.0.7 -d 198.51.100.9 --sport $((1000 + i)) --dport 80 --state SYN_SENT -t 120
done
add -p tcp -s 127.0.0.1 -d 127.0.0.1 --sport 5 --dport 6 --state SYN_SENT -t 60
add -p udp -s 2001:db8::5 -d 2001:db8::6 --sport 7 --dport 53 -t 600
total=$(entries)
same "the table is there" 192 "$total"

# A flood as gateway sees it.
run "$work/gateway.json" --capacity 210 --growth 100 -j
same "policy test ends with 0" 0 "$code"
same "it knows the table" "192 210 critical" "$(json '"%d %d %s" % (d["entries"], d["capacity"], d["level"])')"
# Of the one of IPv6 nobody knows how long it has been silent.
same "unanswered flows are the candidates; young and protected ones are spared" "100 41 1" \
    "$(json '"%d %d %d" % ((lambda x: (x["candidates"], x["spared"]["young"], x["spared"]["protected"]))(r("evict-unanswered")["decisions"][0]))')"
same "the heaviest source of them" "10.1.0.66 100" \
    "$(json '"%(key)s %(entries)d" % r("evict-unanswered")["decisions"][0]["top_sources"][0]')"
want=$(json 'r("evict-unanswered")["decisions"][0]["want"]')
# 5 s of 100/s do not fit into 18 free: all but those may go
same "what is wanted is room for five seconds of growth" 192 "$want"
# 0.3 s of 100/s do not fit into 18 free, but for 12; what fits a surge may be young
same "of what fits no surge only room until the next round is made" "12 129" \
    "$(json '(lambda x: "%d %d" % (x["taken"], x["more_if_surge"]))(r("evict-unanswered")["decisions"][0])')"
same "then answered flows are looked at, none is idle beyond its floor but those of a day" "20 30" \
    "$(json '(lambda x: "%d %d" % (x["candidates"], x["spared"]["active"]))(r("evict-answered")["decisions"][0])')"
printf '%s\n' "$out" | /usr/bin/python3 "$here/../check-schemas.py" - >"$work/schema" 2>&1
status=$?
[ $status = 77 ] && status=0
ok "the document is valid" $status "$(cat "$work/schema")"
same "nothing was touched" "$total" "$(entries)"

# The same table, saved in every way.
conntrack -L -o extended >"$work/extended" 2>/dev/null
conntrack -L >"$work/plain" 2>/dev/null
"$ctw" --direct flows -j >"$work/json"
cat /proc/self/net/nf_conntrack >"$work/proc" 2>/dev/null || cp "$work/extended" "$work/proc"
for kind in extended plain json proc; do
    run "$work/gateway.json" --capacity 210 --growth 100 -j --from "$work/$kind"
    same "$kind: read whole" "192 0" "$(json '"%d %d" % (d["entries"], d["unread_lines"])')"
    same "$kind: the same candidates" "100 41 1 20 30" \
        "$(json '(lambda x, y: "%d %d %d %d %d" % (x["candidates"], x["spared"]["young"], x["spared"]["protected"],
            y["candidates"], y["spared"]["active"]))(r("evict-unanswered")["decisions"][0], r("evict-answered")["decisions"][0])')"
done

# Calm: nothing.
run "$work/gateway.json" --capacity 20000 --growth 0 -j
same "gateway does nothing in calm" 0 "$(json 'sum(len(x["decisions"]) for x in d["rules"])')"
same "and says why" "fill 1.0 % (fill_pct of 75 or more is needed); level ok (warning or above is needed); fill 1.0 % (fill_pct of 90 or more is needed)" \
    "$(json 'r("evict-unanswered")["why_not"]')"
run "$work/observe.json" --capacity 210 --growth 100
printf '%s\n' "$out" | grep -q 'would evict 12 of 100 candidates (12 unreplied); up to 129 more if they fit a surge'
ok "text says what would be evicted" $? "$out"
printf '%s\n' "$out" | grep -q 'nothing was touched'
ok "and that nothing was" $? "$out"
run "$policies/stale-cleanup.json" -j
same "stale-cleanup finds the silent ones" 20 "$(json 'r("dead-established")["decisions"][0]["candidates"]')"

# A budget of 1,000 at once and 1,000 a second, and a second rule that takes what the first one leaves.
python3 - >"$work/many" <<'PY'
flow = "{} src=10.1.0.66 dst=10.2.{}.{} sport={} dport=53 {} src=10.2.{}.{} dst=10.1.0.66 sport=53 dport={} {} mark=0 use=1"
for i in range(9500):
    a, b = i // 250, i % 250 + 1
    if i < 9000:
        print(flow.format("udp 17 5", a, b, i + 1, "[UNREPLIED]", a, b, i + 1, ""))
    else:
        print(flow.format("tcp 6 20 TIME_WAIT", a, b, i + 1, "", a, b, i + 1, "[ASSURED]"))
PY
two_rules() { # PER_RUN PER_SEC of the first
    cat >"$work/two.json" <<JSON
{"schema": "ctwarden.policy/1", "mode": "act", "rules": [
 {"name": "a", "when": {"fill_pct": 75}, "until": {"fill_pct": 50}, "budget": {"per_run": $1, "per_sec": $2},
  "do": {"action": "evict", "classes": ["unreplied"], "min_age": 0, "signature": false}},
 {"name": "b", "when": {"fill_pct": 75}, "until": {"fill_pct": 50},
  "do": {"action": "evict", "classes": ["closing"], "min_age": 0, "signature": false}}]}
JSON
    run "$work/two.json" --from "$work/many" --capacity 10000 -j
}
told='" ".join(str(x) for n in "ab" for v in [r(n)["decisions"][0]] for x in (v["want"], v["taken"], v.get("later", {}).get("taken", 0)))'
two_rules 1000 1000
same "what the next rounds grant is told too" "4500 1000 3000 3500 500 0" "$(json "$told")"
two_rules 4499 10
same "and what is left to a rule, where the budget of the one before is enough but for one" "4500 4499 0 1 1 0" "$(json "$told")"
run "$work/two.json" --from "$work/many" --capacity 10000
printf '%s\n' "$out" | grep -q 'because fill 95.0 %; 1 to go besides what the rules before it are expected to take'
ok "which is said" $? "$out"
two_rules 5000 10
sed -i 's/"unreplied"/"half-open"/' "$work/two.json"
run "$work/two.json" --from "$work/many" --capacity 10000 -j
same "a rule whose elder finds nothing decides a second later" "1 500" "$(json '"%d %d" % (r("b")["decisions"][0]["after_sec"], r("b")["decisions"][0]["taken"])')"

# A round spares what it has not met in calm and whose last packet is of just now, answered or not; at full it may not.
python3 - >"$work/closing" <<'PY'
for i in range(150):
    print(f"tcp 6 {118 if i < 100 else 20} TIME_WAIT src=10.1.0.66 dst=10.2.0.1 sport={i + 1} dport=80 "
          f"src=10.2.0.1 dst=10.1.0.66 sport=80 dport={i + 1} [ASSURED] mark=0 use=1")
PY
young() { # PARAMETERS: candidates and young ones of a rule on closing flows
    printf '%s' '{"schema": "ctwarden.policy/1", "rules": [{"name": "c", "when": {"fill_pct": 90}, "until": {"fill_pct": 50},
        "do": {"action": "evict", "classes": ["closing"]'"$1"'}}]}' >"$work/closing.json"
    run "$work/closing.json" --from "$work/closing" --capacity 160 --growth 0 -j
    json '(lambda x: "%d %d" % (x["candidates"], x["spared"].get("young", 0)))(r("c")["decisions"][0])'
}
same "young ones are not promised, though answered" "50 100" "$(young '')"
same "where none is young all are" "150 0" "$(young ', "min_age": 0')"

# A share is of what is left: what a source loses makes the others' shares larger.
share() { # MORE: of the condition; what is told of the eviction
    echo '{"schema": "ctwarden.policy/1", "mode": "act", "rules": [{"name": "s", "when": {"source": {"share_pct": 10'"$1"'}},
        "do": {"action": "evict", "classes": ["closing"], "signature": false, "min_age": 0}}]}' >"$work/share.json"
    run "$work/share.json" --from "$work/closing" --capacity 4000 --growth 0
    printf '%s %s' "$(tr -s ' \n' ' ' <"$work/out" | grep -c 'would evict [1-9].*more may follow, of others too')" \
        "$("$ctw" policy check "$work/share.json" 2>&1 | grep -c 'note: rule "s" goes by share_pct alone')"
}
same "an eviction by share alone is told to go on, and noted" "1 1" "$(share '')"
same "one that a count ends is not" "0 0" "$(share ', "entries": 20')"

# What is wrong.
run "$policies/gateway.json" --from "$work/none"
same "a file that is not there: 1" 1 "$code"
run "$policies/gateway.json" --from -
same "standard input cannot be read twice: 2" 2 "$code"
run "$policies/gateway.json" --growth much
same "a growth that is no number: 2" 2 "$code"
echo "no entry at all" >"$work/bad"
run "$policies/gateway.json" --from "$work/bad"
same "a file without an entry: 1" 1 "$code"
printf '%s\n' "$err" | grep -q 'bad:1: no entry'
ok "and which line" $? "$err"
echo >>"$work/extended" "half a li"
run "$policies/gateway.json" --from "$work/extended" -j
same "one bad line does not hide the others" "0 192 1" "$code $(json '"%d %d" % (d["entries"], d["unread_lines"])')"
setpriv --reuid 65534 --clear-groups --inh-caps=-all "$ctw" --direct policy test "$policies/gateway.json" >"$work/out" 2>"$work/err"
same "without rights: 1" 1 $?
grep -q CAP_NET_ADMIN "$work/err"
ok "and what is needed" $? "$(cat "$work/err")"
same "still nothing was touched" "$total" "$(entries)"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
