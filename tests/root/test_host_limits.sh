#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What belongs to the whole host changes under the programs: nf_conntrack_max raised, gone, below the count (with real
# refusals), and the hash resized in the middle of passes. The host's values are borrowed and put back.
# Environment: BIN, the directory of the programs, TOOLS, that of ctfill.
# run-root: alone
# shellcheck source=tests/root/lab.sh
. "$(dirname "$0")/lab.sh"
: "${TOOLS:=$BIN/tests/tools}"
here=$(cd "$(dirname "$0")" && pwd)
MAX=262144 BUCKETS=262144 ENTRIES=210000 LOWERED=200000
lab_limits $MAX $BUCKETS
alarm() { grep -q "level=$1 " "$dir/out"; }
text_says() { "$BIN/ctwarden" --socket "$sock" status | grep -q -- "$1"; }
direct() { "$BIN/ctwarden" --direct "$@" >"$dir/shown" 2>"$dir/shown.err"; }
of_shown() { # EXPRESSION on d, the document shown
	python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$dir/shown" "$1"
}

# ---- the limit ----
# All assured, so that the kernel cannot make room by itself when they are more than the limit.
"$TOOLS/ctfill" -n $ENTRIES -s 1000 -p udp=100 -u 0 -a 100
printf '{ "levels": { "warning": { "enter_pct": 95, "leave_pct": 90, "forecast_sec": 0 }, "critical": { "enter_pct": 99, "leave_pct": 95, "forecast_sec": 0 }, "full_pct": 99, "dwell_sec": 0 } }\n' >"$dir/config"
verify "starts" start --config "$dir/config"
verify "the limit is that of the kernel" holds "d['entries_limit'] == d['capacity'] == $MAX and d['level'] == 'ok'"
host_limits_set max $((MAX + 1000))
verify "raised while it runs: told" wait_for told "the limit is $((MAX + 1000)) entries now"
verify "and judged by" holds "d['capacity'] == $((MAX + 1000))"
host_limits_set max 0
verify "limit 0: told that there is none" wait_for told 'the limit is 0 entries now: there is none'
direct -j status
verify "the command says so too" of_shown "d['entries_limit'] == 0 and d['entries'] == $ENTRIES and 'capacity' not in d"
verify "no fill, level ok, nothing is refused" holds 'd["entries_limit"] == 0 and d["level"] == "ok" and not {"capacity", "fill_pct", "refusal_probability"} & set(d)'
verify "the text says none" text_says 'limit 0: none'
host_limits_set max $LOWERED
verify "the count is above the limit: critical" wait_for alarm critical
verify "over 100 %" holds "d['fill_pct'] == 105 and d['entries'] == $ENTRIES and not d['implausible']"
verify "over by 10,000, says the text" text_says 'over by 10,000'
udp 20 127.0.0.2 2>/dev/null # refused
verify "new flows are refused: full" wait_for alarm full
verify "and counted" wait_for holds 'd["counters"]["drop"] > 0'
host_limits_set max $MAX
verify "back: ok" wait_for alarm ok
verify "each change was told once" is "$(told_times 'the limit is')" 4
verify "ends cleanly" stop
udp 1 127.0.0.3
verify "flows get in again" is "$(conntrack -C)" $((ENTRIES + 1))

# ---- the hash is resized in the middle of a pass ----
entries=$(conntrack -C)
cat >"$dir/resize" <<-R
	#!/bin/sh
	# The other of two sizes.
	file=/proc/sys/net/netfilter/nf_conntrack_buckets
	new=$BUCKETS
	[ "\$(cat \$file)" != $BUCKETS ] || new=$((BUCKETS / 2))
	nsenter --net=/proc/self/fd/8 sh -c "echo \$new >\$file"
R
chmod +x "$dir/resize"
resized() { # TIMES COMMAND...: its passes meet a resize; in $dir/shown, $dir/shown.err, $dir/resizes
	local times=$1; shift
	"$here/resize_peer.py" "$times" "$dir/resize" -- "$@" >"$dir/shown" 2>"$dir/shown.err" 3>"$dir/resizes"
}
met() { [ "$(cat "$dir/resizes")" = "$1" ]; }
top=("$BIN/ctwarden" --direct -j top -n 1000)
verify "resized in the middle of a pass: top ends with 0" resized 1 "${top[@]}"
verify "there was a resize" met 1
verify "the pass was made anew, counted" of_shown 'd["redone_dumps"] == 1 and not d["scan"]["unsettled"]'
verify "all entries, once" of_shown "d['entries'] == $entries and sum(r['entries'] for r in d['rows']) + d['others']['entries'] == $entries"
verify "nothing to complain" test ! -s "$dir/shown.err"
verify "twice: made anew twice" resized 2 "${top[@]}"
verify "there were two resizes" met 2
verify "counted, and all entries, once" of_shown "d['redone_dumps'] == 2 and d['entries'] == $entries"
verify "in every pass: top ends with 0" resized 100 "${top[@]}"
verify "each of the four passes met one" met 4
verify "it says that it is unsettled" of_shown 'd["redone_dumps"] == 3 and d["scan"]["unsettled"] and d["approximate"]'
verify "in one line too" is "$(grep -c '^ctwarden: the hash table was resized during the pass' "$dir/shown.err") $(wc -l <"$dir/shown.err")" "1 1"
verify "status --deep: made anew" resized 1 "$BIN/ctwarden" --direct -j status --deep
verify "counted, and all entries" of_shown "d['pass']['redone'] == 1 and d['listed'] == $entries"
verify "flows, already written, says that they may be wrong" resized 1 "$BIN/ctwarden" --direct flows -j
verify "there was a resize" met 1
verify "in one line" is "$(grep -c '^ctwarden: the hash table was resized during the pass' "$dir/shown.err") $(wc -l <"$dir/shown.err")" "1 1"

# ---- under the daemon ----
printf '{ "pass": { "min_interval_sec": 1, "share_pct": 10 } }\n' >"$dir/config"
verify "the daemon starts" start --config "$dir/config"
verify "its pass meets a resize" resized 1 "$daemon"
verify "there was one" met 1
verify "it makes the pass anew and counts it" wait_for holds 'd["pass"]["redone"] >= 1'
verify "its picture is complete" wait_for said top "\"entries\":$entries,\"matched\":$entries,\"approximate\":false"
verify "ends cleanly" stop

# ---- under a guard that acts ----
conntrack -F >/dev/null 2>&1 # of this namespace
"$TOOLS/ctfill" -n $ENTRIES -s 1000 -p udp=100 -u 100 -a 0
printf '{ "levels": { "warning": { "enter_pct": 95, "leave_pct": 90, "forecast_sec": 0 }, "critical": { "enter_pct": 99, "leave_pct": 95, "forecast_sec": 0 }, "full_pct": 100, "dwell_sec": 0 } }\n' >"$dir/config"
printf '{ "schema": "ctwarden.policy/1", "mode": "act", "rules": [ { "name": "unanswered", "when": { "level": "warning" }, "until": { "level": "ok", "headroom_sec": 0 }, "budget": { "per_run": 5000, "per_sec": 100000 }, "cooldown": "200ms", "do": { "action": "evict", "classes": [ "unreplied" ], "min_age": 0, "signature": false } } ] }\n' >"$dir/policy"
verify "a guard starts" start --config "$dir/config" --policy "$dir/policy"
verify "and leaves the table alone" holds 'd["level"] == "ok" and d["guard"]["evicted"] == 0'
host_limits_set max $LOWERED
verify "the limit falls below the count: it acts" wait_for holds 'd["guard"]["evicted"] > 0'
for size in $((BUCKETS / 2)) $BUCKETS $((BUCKETS / 2)) $BUCKETS; do # in the middle of its rounds
	host_limits_set buckets "$size"
	host_limits_set max $LOWERED
	sleep 0.3
done
verify "until it is ok by the new limit" wait_for holds "d['level'] == 'ok' and d['entries'] <= $((LOWERED * 90 / 100))"
verify "and takes no more than that" test "$(conntrack -C)" -gt $((LOWERED * 85 / 100))
verify "nothing failed" holds 'd["guard"]["failed"] == 0'
host_limits_set max $MAX
verify "raised again it rests" wait_for holds "d['capacity'] == $MAX and d['level'] == 'ok'"
verify "ends cleanly" stop

# ---- what is borrowed is put back, also where the borrower is killed ----
before=$(host_limits_get max)
cat >"$dir/borrower" <<-B
	#!/bin/bash
	HOST_NET=/proc/self/fd/8
	. "$here/../tools/host-limits.sh"
	# Within the loan of the test: a lock and a file of its own.
	unset HOST_LIMITS_HELD
	HOST_LIMITS_LOCK=$dir/lock HOST_LIMITS_SAVED=$dir/saved
	host_limits_borrow $((before + 1000)) $(host_limits_get buckets) && echo borrowed && exec sleep 100
B
chmod +x "$dir/borrower"
"$dir/borrower" >"$dir/borrowed" 2>&1 &
borrower=$!
verify "a borrower has the limits" wait_for grep -q borrowed "$dir/borrowed"
verify "they are its own" is "$(host_limits_get max)" $((before + 1000))
kill -KILL $borrower
wait $borrower 2>/dev/null
limit_is() { [ "$(host_limits_get max)" = "$1" ]; }
verify "killed, its watcher puts them back" wait_for limit_is "$before"

lab_end
