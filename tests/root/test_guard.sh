#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The guard of ctwardend on real flows through a gateway: floods nobody answers, honest connections that must live, kernel timeouts,
# switches at run time, and bad days. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
evict='{ "name": "unanswered", "when": { "level": "warning" }, "until": { "level": "ok" }, "cooldown": "100ms",
	"do": { "action": "evict", "classes": [ "unreplied" ], "min_age": 0 } }'

# ---- observe: says would, touches nothing ----
config 2000; policy observe "$evict"
verify "starts and observes" begin_guard
hold 30 10.1.0.2
flood 1700 10.1.0.66
verify "what would be done is recorded" wait_for recorded 'r["would"] and r["action"] == "evict" and r["matched"] > 200'
verify "with whose flows it would be" recorded 'r["would"] and r["sources"][0]["key"] == "10.1.0.66"'
verify "and nothing was done" is "$(entries -s 10.1.0.66)" 1700
verify "the log says would" logged 'evict +rule unanswered: would evict [0-9,]+ flows'
verify "status tells it" said status '"last":.*would evict'

# ---- act for a while ----
verify "mode act for a while" sh -c "'$BIN/ctwarden' --socket '$sock' mode act --for 1h | grep -q '^act for another'"
verify "and the log says how long" wait_for told 'mode act for 1 h'
verify "with what acting does not do yet" sh -c "'$BIN/ctwarden' --socket '$sock' mode | grep -q '^no calm picture yet'"
verify "and in the status" said status '"seniors_known":false'
verify "then it is done" wait_for kept_low 1400
verify "and recorded as done" wait_for recorded 'not r["would"] and r["done"] > 200 and r["mode"] == "act"'
verify "honest connections live" lives 30
verify "a record adds up" recorded \
	'not r["would"] and r["done"] and r["matched"] == r["done"] + r["gone"] + r["refused"] + r["unknown"] + r["left"]'
verify "records fit their schema" /usr/bin/python3 "$here/../check-schemas.py" "$state/alarms.jsonl"
verify "the log tells before and after" logged 'evict +rule unanswered: [0-9,]+ flows of 10\.1\.0\.66 in .*; [0-9.]+ -> [0-9.]+ %$'
verify "status counts them" holds 'd["guard"]["evicted"] > 200 and d["guard"]["mode"] == "act" and d["guard"]["base_mode"] == "observe"'
held_by() { value "sum(r['entries'] for r in d['top_sources'] if r['key'] == '$1')"; }
counts_as() { is "$(held_by "$1")" "$(entries -s "$1")"; } # SOURCE: as the kernel does
verify "what it deletes it counts itself" wait_for counts_as 10.1.0.66
verify "and exactly, once the work is done" wait_for holds 'not d["approximate"] and d["lost_events"] == 0'
verify "without an event for each" holds 'd["guard"]["evicted"] > 200 and d["events"]["received"] < 1730 + d["guard"]["evicted"]'
verify "a switch for a while outlives a reload, and it is said" sh -c \
	"'$BIN/ctwarden' --socket '$sock' reload | grep -Eq 'mode act for another (1 h|59 min)[^,]*, then observe, 1 rule$'"
ct mode act --for 1s >/dev/null
verify "after its time the mode of before is back" wait_for holds 'd["guard"]["mode"] == "observe" and "until" not in d["guard"]'
ct mode act >/dev/null
verify "and a year is not too long" ct mode observe --for 366d
ct mode act >/dev/null
verify "for good it has no end" holds 'd["guard"]["base_mode"] == "act"'
ct mode observe >/dev/null

# ---- who may ----
chmod 755 "$dir"; chmod 666 "$sock"
other() { setpriv --reuid=65534 --regid=65534 --clear-groups "$BIN/ctwarden" --socket "$sock" "$@"; }
verify "others may ask" other mode
for command in "mode act" "unban --all" reload; do
	# shellcheck disable=SC2086 # words
	other $command >/dev/null 2>"$dir/said"; r=$?
	verify "others may not: $command" is $r 1
	verify "and are told so" grep -q 'only root may' "$dir/said"
done
verify "nothing was switched" holds 'd["guard"]["mode"] == "observe"'

# ---- reload ----
printf '{ "schema": "ctwarden.policy/1",\n"rules": [ { "name": "x", "do": "burn" } ] }' >"$dir/policy"
ct reload >/dev/null 2>"$dir/said"; r=$?
verify "a broken policy is exit 4" is $r 4
verify "with file, line and path" grep -q 'policy:2: rules\[0\]' "$dir/said"
verify "and the old one stays in force" holds 'd["guard"]["policy"] == "test" and d["guard"]["rules"] == 1'
rm "$dir/policy"; mkfifo "$dir/policy"
ct reload >/dev/null 2>"$dir/said"; r=$?
verify "a pipe in its place is refused" is $r 4
verify "with what it is" grep -q 'policy: cannot be opened: it is no regular file' "$dir/said"
kill -HUP "$daemon"
verify "by a signal too" wait_for sh -c "[ \$(grep -c 'it is no regular file' '$dir/err') = 2 ]"
verify "and the daemon goes on" holds 'd["guard"]["policy"] == "test"'
rm "$dir/policy"
policy act "$evict"
verify "a good one is taken over" ct reload
verify "with its mode" wait_for holds 'd["guard"]["mode"] == "act"'

# ---- somebody else empties the table meanwhile ----
flood 1800 10.1.0.66 2000 &
flooding=$!
for _ in 1 2 3 4 5; do conntrack -D -s 10.1.0.66 >/dev/null 2>&1; sleep 0.1; done
wait $flooding
verify "others who delete do no harm" wait_for kept_low 1400
verify "it still answers" holds 'd["level"] == "ok"'
verify "the honest ones still live" lives 30
# ---- a second daemon is refused, the first goes on ----
"$BIN/ctwardend" --socket "$sock" --state-dir "$state" --policy "$dir/policy" >/dev/null 2>"$dir/second"; r=$?
verify "a second daemon is refused" is $r 1
verify "ends with 0" stop

# ---- observe where the table is full, and stays so ----
empty; rm -f "$state/alarms.jsonl"
config 1000; policy observe "$evict"
verify "starts and observes" begin_guard
flood 1700 10.1.0.66 4000
verify "what would be done is recorded" wait_for recorded 'r["would"] and r["matched"] > 1000'
before=$(value 'd["guard"]["rounds"] + 4')
verify "it goes on looking" wait_for holds "d['guard']['rounds'] >= $before"
said_anew() { # whether each record says something else than the one before, or comes 29 s later
	python3 - "$state/alarms.jsonl" <<-'PY'
	import datetime, json, sys
	records = [r for r in map(json.loads, open(sys.argv[1])) if r["schema"] == "ctwarden.record/1"]
	time = lambda r: datetime.datetime.fromisoformat(r["time"].replace("Z", "+00:00"))
	same = lambda a, b: a["level"] == b["level"] and abs(a["matched"] - b["matched"]) <= 0.1 * a["matched"]
	late = lambda a, b: (time(b) - time(a)).total_seconds() > 29
	sys.exit(any(same(a, b) and not late(a, b) for a, b in zip(records, records[1:])))
	PY
}
verify "and does not say the same each time" said_anew
verify "ends with 0" stop
config 2000; policy act "$evict"

# ---- started when the table is full already ----
empty; conntrack -F >/dev/null 2>&1; hold 20 10.1.0.4
flood 2500 10.1.0.66 4000
verify "starts in a table over its capacity" begin_guard
verify "and makes room" wait_for kept_low 1400
verify "what was there before counts as gone, too" wait_for counts_as 10.1.0.66
verify "honest connections live" lives 20 2
verify "ends with 0" stop

# ---- kernel timeouts ----
empty
udp_now() { sysctl -n net.netfilter.nf_conntrack_udp_timeout; }
udp_is() { is "$(udp_now)" "$1"; }
icmp_is() { is "$(sysctl -n net.netfilter.nf_conntrack_icmp_timeout)" "$1"; }
policy act '{ "name": "short", "when": { "level": "warning" }, "until": { "level": "ok" },
	"do": { "action": "timeouts", "set": { "udp": 7, "icmp": 3 } } }'
config 1000
icmp=$(sysctl -n net.netfilter.nf_conntrack_icmp_timeout)
verify "starts with a rule for timeouts" begin_guard
verify "they are as they were" udp_is 3600
flood 800 10.1.0.66 17000
verify "lowered at the level" wait_for udp_is 7
verify "with a record" wait_for recorded 'r["action"] == "timeouts" and not r["end"] and r["done"] == 1'
conntrack -D -p udp >/dev/null 2>&1
verify "put back at its end" wait_for udp_is 3600
verify "all of them" icmp_is "$icmp"
verify "with a record" wait_for recorded 'r["action"] == "timeouts" and r["end"] and r["done"] == 1'
flood 800 10.1.0.66 19000
verify "lowered at the next time" wait_for udp_is 7
ct mode observe >/dev/null
conntrack -D -p udp >/dev/null 2>&1
verify "also where it only observes meanwhile" wait_for udp_is 3600
put_back() { recorded "r['action'] == 'timeouts' and r['end'] and r['done'] == 1 and r['rule'] == 'short' and r['reason'] == '$1'"; }
verify "with a record" wait_for put_back "the mode was switched"
ct mode act >/dev/null
flood 800 10.1.0.66 21000
verify "lowered where it acts again" wait_for udp_is 7
policy act "$evict"
ct reload >/dev/null
verify "and where the rule is gone from the policy" wait_for udp_is 3600
verify "with a record" wait_for put_back "another policy is in force"
verify "ends with 0" stop
policy act '{ "name": "short", "when": { "level": "warning" }, "until": { "level": "ok" },
	"do": { "action": "timeouts", "set": { "udp": 7, "icmp": 3 } } }'
conntrack -D -p udp >/dev/null 2>&1
begin_guard
flood 800 10.1.0.66 23000
verify "lowered again" wait_for udp_is 7
kill -KILL "$daemon"; wait "$daemon" 2>/dev/null; daemon=
verify "killed they stay" udp_is 7
sysctl -qw net.netfilter.nf_conntrack_icmp_timeout=11
verify "ctwardend --restore" "$BIN/ctwardend" --restore --state-dir "$state"
verify "puts them back" udp_is 3600
verify "but not what somebody else has changed" icmp_is 11
verify "and leaves nothing to do" test ! -e "$state/settings"
sysctl -qw net.netfilter.nf_conntrack_icmp_timeout="$icmp"
begin_guard
verify "lowered once more" wait_for udp_is 7
kill -KILL "$daemon"; wait "$daemon" 2>/dev/null; daemon=
rm -f "$sock" "$sock.lock"
conntrack -D -p udp >/dev/null 2>&1
verify "the next start" begin_guard
verify "puts them back, too" wait_for udp_is 3600
flood 800 10.1.0.66 25000
verify "lowered to the end" wait_for udp_is 7
verify "ends with 0" stop
verify "which puts them back" udp_is 3600
verify "with a record" put_back "the daemon ends"
verify "that fits its schema" /usr/bin/python3 "$here/../check-schemas.py" "$state/alarms.jsonl"
lab_end
