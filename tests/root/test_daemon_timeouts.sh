#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kernel timeouts that a rule of the daemon lowers, in a network namespace of its own: they go back when the rule is over, and
# whatever takes the rule away.
# shellcheck source=tests/root/lab.sh
. "$(dirname "$0")/lab.sh"
: "${TOOLS:?directory of the tools}"
key=net.netfilter.nf_conntrack_udp_timeout
policy() { # RULES
	cat >"$dir/policy.json" <<-P
	{"schema": "ctwarden.policy/1", "mode": "act", "capacity": 1000, "rules": [$1]}
	P
}
rule='{"name": "t", "when": {"fill_pct": 50}, "do": {"action": "timeouts", "set": {"udp": 10}}, "until": {"fill_pct": 20}}'
timeout_is() { is "$1" "$(sysctl -n $key)"; } # SECONDS
fill() { "$TOOLS/ctfill" -q -n 700 -t 3600; }
empty() { conntrack -F >/dev/null 2>&1; } # this namespace, made for the test
mode() { ask mode "{\"mode\": \"$1\"}" | grep -q '"mode"'; }

echo '{}' >"$dir/config.json"
policy "$rule"
sysctl -qw $key=600
verify "the daemon starts" start --config "$dir/config.json" --policy "$dir/policy.json"
fill
verify "lowered above the mark" wait_for timeout_is 10
empty
verify "back when the rule is over" wait_for timeout_is 600
told() { # FROM TO END(True, False): a record of that
	python3 - "$state/alarms.jsonl" "$1" "$2" "$3" <<-'PY'
	import json, sys
	want = [{"name": "udp", "from_sec": int(sys.argv[2]), "to_sec": int(sys.argv[3])}]
	records = [r for r in map(json.loads, open(sys.argv[1])) if r["schema"] == "ctwarden.record/1"]
	sys.exit(not any(r["timeouts"] == want and str(r["end"]) == sys.argv[4] and "way" not in r for r in records))
	PY
}
verify "a record says what was lowered to what" told 600 10 False
verify "and another what it went back to" wait_for told 10 600 True
verify "also in words" sh -c "'$BIN/ctwarden' log --state-dir '$state' | grep -q 'kernel timeouts put back: udp 10 s -> 10 min'"
fill
verify "lowered once more" wait_for timeout_is 10
verify "mode observe is taken" mode observe
verify "back in mode observe, in which nothing is changed" wait_for timeout_is 600
verify "mode act is taken" mode act
verify "lowered again in mode act, where the rule still holds" wait_for timeout_is 10
policy ''
kill -HUP "$daemon"
verify "back when a reload takes the rule away" wait_for timeout_is 600
policy "$rule"
kill -HUP "$daemon"
verify "lowered when it brings the rule back" wait_for timeout_is 10
verify "ends cleanly" stop
verify "back at the end" timeout_is 600
verify "nothing is left in the state directory to put back" test ! -e "$state/settings"
lab_end
