#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What outsiders can do to ctwardend: a million spoofed sources against its bounded tables; another process that sends it
# netlink messages as if it were the kernel.
# Environment: BIN, the directory of the programs, TOOLS, that of ctfill and ctchurn.
# run-root: alone
# shellcheck source=tests/root/lab.sh
. "$(dirname "$0")/lab.sh"
: "${TOOLS:=$BIN/tests/tools}"
lab_limits 262144 262144
seed=$(cd "$(dirname "$0")/../fuzz/seeds/decode" && pwd)/new-v4-udp.bin
SOURCES_MAX=8192
BOUND_KIB=65536 # measured: 22 MiB at most; 138 MiB where all of the sources are kept
heavy() { # what the kernel lists of the heavy ones
	conntrack -L 2>/dev/null | grep -oE 'src=10\.0\.0\.[123] ' | sort | uniq -c | awk '{ sub("src=", "", $2); print $2, $1 }'
}
heavy_rows() { ask top '{"n": 3}' | python3 -c 'import json, sys
print("\n".join(sorted("%s %d" % (r["key"], r["entries"]) for r in json.load(sys.stdin)["document"]["rows"])))'; }
heavy_right() { [ "$(heavy)" = "$(heavy_rows)" ]; }
as_before() { [ "$truth" = "$(heavy_rows)" ]; } # conntrack itself fails while somebody plays the kernel
of_top() { # EXPRESSION on d, the ranking of sources
	ask top '{"n": 3}' | python3 -c 'import json, sys
d = json.load(sys.stdin)["document"]
sys.exit(not eval(sys.argv[1]))' "$1"
}

# ---- spoofed sources ----
printf '{ "events": "on", "sources_max": %d, "pass": { "min_interval_sec": 1, "share_pct": 10 } }\n' $SOURCES_MAX >"$dir/config"
verify "starts with a small table of sources" start --config "$dir/config"
"$TOOLS/ctfill" -q -n 30000 -s 3 -p udp=100
verify "three heavy sources" wait_for heavy_right
"$TOOLS/ctchurn" nl -c 1000000 -s 1000000 -l 60000 -d 280 -b 128 >"$dir/churn" 2>&1
cat "$dir/churn"
verify "a million spoofed sources came and went" grep -q 'flows=1000000 ' "$dir/churn"
verify "the daemon heard (or missed and said so) all of it" wait_for holds 'd["events"]["received"] + d["events"]["lost"] >= 2000000'
"$TOOLS/ctfill" -q -n 100000 -s 100000 -o 40000
verify "with 60,000 sources in the table the heavy ones are right" wait_for heavy_right
verify "no more sources are kept than the config says" of_top "d['totals']['keys'] <= $SOURCES_MAX"
verify "the others are counted: all entries add up" wait_for of_top \
	"d['entries'] == $(conntrack -C) == sum(r['entries'] for r in d['rows']) + d['others']['entries']"
verify "what was folded into the others is told" of_top "d['totals']['folded_entries'] > 40000 and d['totals']['folded_keys'] > 0"
verify "in the text too" sh -c "'$BIN/ctwarden' --socket '$sock' top -n 3 | grep -q 'entries are of light keys that gave way'"
peak=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$daemon/status")
echo "# peak of memory: $peak KiB"
if grep -q __asan_init "$BIN/ctwardend"; then
	echo "# memory is not judged: a sanitizer keeps what is freed"
else
	verify "memory stays bounded" test "$peak" -lt $BOUND_KIB
fi

# ---- messages that do not come from the kernel ----
received=$(value 'd["events"]["received"]') truth=$(heavy) count=$(conntrack -C)
python3 "$(dirname "$0")/forge_peer.py" "$seed" >"$dir/forge" 2>&1 &
forge=$!
verify "a process plays the kernel" wait_for grep -q ready "$dir/forge"
verify "its messages are counted" wait_for holds 'd["events"]["not_kernel"] > 100'
verify "and none is taken for an event" is "$(value 'd["events"]["received"]')" "$received"
verify "the heavy ones are still right" as_before
for command in "-j status --deep" "-j top -n 3"; do
	# shellcheck disable=SC2086 # a list of words
	timeout 120 "$BIN/ctwarden" --direct $command >"$dir/shown" 2>"$dir/shown.err"; r=$?
	verify "$command: ends with 0" is $r 0
	verify "$command: nothing on stderr" test ! -s "$dir/shown.err"
	verify "$command: all entries, once" python3 -c 'import json, sys
d = json.load(open(sys.argv[1])); sys.exit(d.get("listed", d["entries"]) != int(sys.argv[2]))' "$dir/shown" "$count"
done
verify "top has counted the messages in its dump" python3 -c 'import json, sys
sys.exit(not json.load(open(sys.argv[1]))["scan"]["not_kernel"] > 0)' "$dir/shown"
kill -STOP $forge
"$TOOLS/ctfill" -q -n 1000 -s 3 -p udp=100 -o 200000
truth=$(heavy) count=$(conntrack -C)
kill -CONT $forge
verify "true events and passes still come through" wait_for as_before
verify "the true count too" wait_for holds "d['entries'] == $count"
kill -STOP $forge # with the queues as full as they are
verify "when it has stopped the daemon goes on" wait_for heavy_right
verify "and its count lives" sh -c "'$TOOLS/ctfill' -q -n 500 -s 3 -p udp=100 -o 210000"
verify "by polling" wait_for holds "d['entries'] == $((count + 500))"
kill -KILL $forge
verify "and ends cleanly" stop

lab_end
