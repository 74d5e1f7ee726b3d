#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad days of ctwardend and of the commands, for real in a network namespace of its own: events switched off in the kernel,
# too many of them, /proc/sys hidden, no rights, a capacity that changes under the daemon.
# Environment: BIN, the directory of the programs, TOOLS, that of ctchurn.
# shellcheck source=tests/root/lab.sh
. "$(dirname "$0")/lab.sh"
: "${TOOLS:=$BIN/tests/tools}"
config() { printf '%s\n' "$1" >"$dir/config"; }
reload() { # CONFIG: and waits until it has been taken over
	local before; before=$(told_times 'config read again')
	config "$1"; kill -HUP "$daemon"
	wait_for more_than "$before" told_times 'config read again'
}
more_than() { local n=$1; shift; [ "$("$@")" -gt "$n" ]; } # NUMBER COMMAND...
has_row() { ask top '{"n": 1000}' | grep -q "\"key\":\"$1\"[^{]*\"entries\":$2,"; } # KEY ENTRIES
nobody_subscribed() { awk '$2 == 12 && $4 != "00000000" { exit 1 }' /proc/net/netlink; }
alarm() { grep -q "level=$1 " "$dir/out"; }
calm='"levels": { "warning": { "forecast_sec": 0 }, "critical": { "forecast_sec": 0 }, "dwell_sec": 0 }'
often='"pass": { "min_interval_sec": 1, "share_pct": 10 }'

# ---- events switched off in the kernel: polling and passes go on ----
sysctl -qw net.netfilter.nf_conntrack_events=0
config "{ \"capacity\": 1000, $calm, $often }"
verify "events off in the kernel: starts" start --config "$dir/config"
verify "and says so" told 'events are switched off in the kernel \(nf_conntrack_events = 0\)'
verify "and that it does not listen" told 'events auto: not listening'
verify "status tells it" holds 'd["events"]["listening"] is False and "switched off in the kernel" in d["events"]["note"]'
udp 800 127.0.0.2
verify "the level rises by polling" wait_for alarm warning
verify "the ranking comes from passes" wait_for has_row 127.0.0.2 800
verify "and is called approximate" approximate
sysctl -qw net.netfilter.nf_conntrack_events=2
verify "switched on again it listens" wait_for holds 'd["events"]["listening"] and not d["events"]["note"]'
udp 50 127.0.0.3
verify "and counts events" wait_for holds 'd["events"]["received"] >= 50'
verify "and the ranking is exact" wait_for same_ranking
sysctl -qw net.netfilter.nf_conntrack_events=0
verify "switched off while it runs: noticed" wait_for holds 'd["events"]["listening"] is False'
verify "each said once" is "$(told_times 'events are switched off') $(told_times 'events are switched on')" "2 1"
stop
sysctl -qw net.netfilter.nf_conntrack_events=2
conntrack -F >/dev/null 2>&1

# ---- events: auto rests where too many flows are born, and comes back ----
config "{ \"events_max_new_per_sec\": 50, $often }"
verify "events auto: starts listening" start --config "$dir/config"
"$TOOLS/ctchurn" nl -r 1000 -d 280 -l 100 -s 20 >"$dir/churn" 2>&1 &
churn=$!
verify "too many new flows: it rests" wait_for told 'events off: above 50 new/s; back in 10 s'
verify "and really does not listen" wait_for nobody_subscribed
verify "status tells why" holds 'd["events"]["listening"] is False and "above 50 new/s" in d["events"]["note"]'
verify "the picture is approximate" approximate
verify "it comes from passes" wait_for has_row '10\.128\.0\.[0-9]*' '[1-9][0-9]*'
verify "the count is polled" holds '0 < d["entries"] < 1000'
verify "still too many at the next look: it rests longer" wait_for told 'events off: above 50 new/s; back in 20 s'
kill $churn; wait $churn 2>/dev/null
verify "calm again: it listens again" wait_for told 'listening to events again'
verify "and nothing is left of the note" holds 'd["events"]["listening"] and not d["events"]["note"]'
conntrack -F >/dev/null 2>&1
udp 60 127.0.0.4
verify "and the ranking is exact" wait_for same_ranking
# ---- on never rests, off never listens ----
reload "{ \"events\": \"on\", \"events_max_new_per_sec\": 50, $often }"
before=$(value 'd["events"]["received"]')
"$TOOLS/ctchurn" nl -r 1000 -d 5 -l 100 >"$dir/churn" 2>&1
verify "events on: it hears them all" wait_for holds "d[\"events\"][\"received\"] + d[\"events\"][\"lost\"] >= $before + 2 * $(sed -E 's/.*flows=([0-9]+).*/\1/' "$dir/churn")"
verify "and never rests" is "$(told_times 'back in')" 2
reload "{ \"events\": \"off\", $often }"
verify "events off: nobody listens" nobody_subscribed
verify "status tells that the config wants it so" holds 'd["events"]["note"] == "events off: by the config"'
udp 40 127.0.0.5
verify "the ranking comes from passes" wait_for has_row 127.0.0.5 40
reload "{ $often }"
verify "back to auto by SIGHUP: it listens and is exact" wait_for same_ranking
stop
conntrack -F >/dev/null 2>&1

# ---- a capacity that changes under the daemon ----
udp 500 127.0.0.2
config "{ \"capacity\": 10000, $calm }"
verify "500 of 10,000: starts" start --config "$dir/config"
verify "level ok" holds 'd["level"] == "ok" and d["fill_pct"] == 5'
reload "{ \"capacity\": 625, $calm }"
verify "500 of 625: a warning" wait_for alarm warning
verify "fill is of the new one" holds 'd["capacity"] == 625 and d["fill_pct"] == 80'
reload "{ \"capacity\": 400, $calm }"
verify "500 of 400: critical" wait_for alarm critical
verify "over 100 %" holds 'd["fill_pct"] == 125 and not d["implausible"]'
verify "over by 100, says the text" sh -c "'$BIN/ctwarden' --socket '$sock' status | grep -q 'over by 100'"
verify "the kernel's limit is told beside it" holds 'd["entries_limit"] > 400'
reload "{ \"capacity\": 10000, $calm }"
verify "500 of 10,000: ok again" wait_for alarm ok
reload "{ $calm }"
verify "none set: the kernel's limit" holds 'd["capacity"] == d["entries_limit"]'
stop

# ---- the files of /proc/sys hidden ----
# shellcheck disable=SC2016 # the inner shell expands it
hidden=(unshare -m sh -c 'mount -t tmpfs none /proc/sys/net && exec "$@"' hidden)
shown() { "${hidden[@]}" "$BIN/ctwarden" --direct "$@" >"$dir/shown" 2>"$dir/err"; }
of_shown() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$dir/shown" "$1"; }
one_line() { [ "$(wc -l <"$dir/err")" = 1 ] && told "^ctwarden: $1"; }
verify "/proc/sys hidden: status" shown -j status
verify "entries, limit and counters by netlink" of_shown 'd["entries"] == 500 and d["entries_limit"] > 0 and "drop" in d["counters"]'
verify "buckets and what needs them are absent" of_shown 'not {"buckets", "load", "refusal_probability"} & set(d)'
verify "which is said in one line" one_line 'nf_conntrack_buckets cannot be read'
verify "/proc/sys hidden: top" shown -j top
verify "all entries of the source" of_shown '[(r["key"], r["entries"]) for r in d["rows"]] == [("127.0.0.2", 500)]'
verify "that a resize is not noticed is said in one line" one_line '.*a resize during a pass is not noticed'
verify "/proc/sys hidden: flows" shown flows
verify "all of them" is "$(wc -l <"$dir/shown")" 500
shown_to_nobody() { hidden+=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all); shown "$@"; }
cp "$BIN/ctwarden" "$BIN/ctwardend" "$dir"; chmod 755 "$dir"
BIN=$dir # where nobody may run them
(shown_to_nobody status); r=$?
verify "hidden and without rights: the entries cannot be told, exit 1" is $r 1
verify "and one line says what is needed" one_line '.*needs CAP_NET_ADMIN'
wrap=("${hidden[@]}")
config "{ \"capacity\": 1000, $calm, $often }"
verify "/proc/sys hidden: the daemon starts" start --config "$dir/config"
udp 300 127.0.0.6
verify "its ranking is exact" wait_for same_ranking
verify "its level rises" wait_for alarm warning
verify "its status lacks only what is not known" holds '"buckets" not in d and "refusal_probability" not in d and d["entries"] == 800'
verify "which is said once" is "$(told_times 'nf_conntrack_buckets cannot be read')" 1
stop

# ---- no rights ----
chown 65534 "$dir" "$state"
wrap=(setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all)
begin --config "$dir/config"
verify "without rights: it starts and answers" wait_for holds 'd["entries"] == 800'
verify "says what it cannot do: listen" told 'cannot listen to events: .*CAP_NET_ADMIN is needed'
verify "and rank" wait_for told 'cannot go through the table: .*CAP_NET_ADMIN is needed'
verify "level and limit are judged" holds 'd["level"] == "warning" and d["entries_limit"] > 0'
verify "each said once" is "$(told_times 'cannot listen to events') $(told_times 'cannot go through')" "1 1"
verify "and ends cleanly" stop

lab_end
