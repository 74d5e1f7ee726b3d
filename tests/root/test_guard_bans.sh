#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bans of ctwardend on real flows through a gateway: new flows alone are refused, until the end or unban; never this host, its
# gateway; with the nft table deleted under it; over a restart. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
# ---- bans ----
empty
policy act '{ "name": "ban", "when": { "source": { "unreplied": 300, "in": [ "10.1.0.0/24" ] } }, "cooldown": "1s",
	"do": { "action": "ban", "duration": "1h", "max_bans": 10 }, "budget": { "per_run": 10, "per_sec": 10 } }'
sed -i 's|"rules"|"trusted": [ "10.1.0.0/24" ], "rules"|' "$dir/policy"
config 100000
verify "starts with a rule that bans" begin_guard
verify "and says so" told 'mode act: 1 rule$'
calmer() { # ADDRESS: the daemon knows that its flows are gone
	ask top | python3 -c 'import json, sys
sys.exit(any(r["key"] == sys.argv[1] and r["entries"] > 50 for r in json.load(sys.stdin)["document"]["rows"]))' "$1"
}
# Never this host itself, nor its gateway.
ip route add default via 10.1.0.9
flood 600 10.1.0.9 13000
verify "the gateway is not banned" wait_for recorded 'r["key"] == "10.1.0.9" and r["done"] == 0 and "gateway" in r["how"]'
verify "and is not in the list" sh -c "! nft list table inet ctwarden 2>/dev/null | grep -q '10[.]1[.]0[.]9'"
empty; wait_for calmer 10.1.0.9 # else it would be banned as soon as it is no gateway
ip route del default
python3 "$here/guard_peer.py" flood 600 10.1.0.1 15000
verify "nor is this host" wait_for recorded 'r["key"] == "10.1.0.1" and r["done"] == 0 and "this host" in r["how"]'
empty; wait_for calmer 10.1.0.1
ct unban --all >/dev/null # a decision on what was a moment ago may have come through
hold 5 10.1.0.66
flood 600 10.1.0.66 7000
banned() { ct bans | grep -q "^$1 "; }
verify "who floods is banned" wait_for banned 10.1.0.66
verify "with a record" wait_for recorded 'r["action"] == "ban" and r["key"] == "10.1.0.66" and r["done"] == 1'
verify "which says why, for how long, and that it is new" recorded 'r["action"] == "ban" and r["done"] == 1 and r["ban"] == {"for_sec": 3600, "rate_per_sec": 0, "new": True} and "unreplied (300 or more)" in r["reason"] and "way" not in r'
verify "also in words" logged 'refuses new flows of 10.1.0.66 for 1 h: [0-9,]+ unreplied'
verify "its new connections are refused" sh -c "! ip netns exec $clients python3 '$here/guard_peer.py' try 10.1.0.66 3"
verify "those it had live" lives 5
verify "others come in" client try 10.1.0.3 60
verify "the answer fits its schema" sh -c "'$BIN/ctwarden' --socket '$sock' -j bans >'$dir/bans' && /usr/bin/python3 '$here/../check-schemas.py' '$dir/bans'"
verify "status counts it" holds 'd["guard"]["bans"] == 1'
verify "one that is not banned cannot be lifted" sh -c "'$BIN/ctwarden' --socket '$sock' unban 10.1.0.99 --fail-if-none; [ \$? = 5 ]"
valid() { /usr/bin/python3 "$here/../check-schemas.py" "$dir/unban" >/dev/null; }
says() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1])); sys.exit(not eval(sys.argv[2]))' "$dir/$1" "$2"; }
verify "in JSON that is a document, too" sh -c "'$BIN/ctwarden' --socket '$sock' -j unban 10.1.0.99 >'$dir/unban'"
verify "a valid one" valid
verify "of nothing that was lifted" says unban 'd["removed"] == 0 and d["lifted"] == []'
verify "its exit code is as without JSON" sh -c "'$BIN/ctwarden' --socket '$sock' -j unban 10.1.0.99 --fail-if-none >'$dir/unban'; [ \$? = 5 ]"
verify "and it is there" valid
known() { # ADDRESS: the daemon knows of its flood
	ask top | python3 -c 'import json, sys
sys.exit(not any(r["key"] == sys.argv[1] and r["unreplied"] >= 300 for r in json.load(sys.stdin)["document"]["rows"]))' "$1"
}
verify "it still holds what it is banned for" wait_for known 10.1.0.66
verify "lifted by hand it is left alone as long as it was banned" sh -c "'$BIN/ctwarden' --socket '$sock' unban 10.1.0.66 | grep -q '^1 ban lifted; not to be banned again for 5[0-9] min'"
verify "lifted it is no longer listed" sh -c "'$BIN/ctwarden' --socket '$sock' bans | grep -q '^nobody'"
verify "but as spared" sh -c "'$BIN/ctwarden' --socket '$sock' bans | grep -q '10.1.0.66 is not banned again for 5[0-9] min'"
verify "in JSON too" sh -c "'$BIN/ctwarden' --socket '$sock' -j bans >'$dir/bans' && /usr/bin/python3 '$here/../check-schemas.py' '$dir/bans'"
verify "with its end" says bans '[(s["prefix"], 3000 < s["remaining_sec"] < 3600) for s in d["spared"]] == [("10.1.0.66", True)]'
verify "and its new connections are answered" client try 10.1.0.66 60
sleep 4 # some looks of the rule, which holds
verify "however much it floods" sh -c "! '$BIN/ctwarden' --socket '$sock' bans | grep -q '^10.1.0.66 '"
verify "until all are lifted, which begins anew" ct unban --all
verify "and spares nobody" sh -c "! '$BIN/ctwarden' --socket '$sock' bans | grep -q 'not banned again'"
# Our table deleted under us: made anew with the next ban.
flood 600 10.1.0.66 9000
verify "banned again" wait_for banned 10.1.0.66
nft delete table inet ctwarden
flood 600 10.1.0.5 11000
verify "with our nft table deleted the next ban" wait_for banned 10.1.0.5
verify "brings both back" sh -c "nft list table inet ctwarden | grep -q 10.1.0.66"
verify "a ban outlives the daemon" stop
verify "in the kernel" sh -c "nft list table inet ctwarden | grep -q 10.1.0.5"
begin_guard
verify "and is known to the next one" banned 10.1.0.5
# Who only looks changes nothing: neither where no rule bans nor where there is none.
none='' other='{ "name": "e", "when": { "fill_pct": 99 }, "do": { "action": "log" } }'
for rules in "$none" "$other"; do
	stop
	policy act "$rules"
	nft flush chain inet ctwarden new && nft add rule inet ctwarden new counter comment '"looked at"'
	verify "starts with the rules '$rules'" begin_guard
	verify "tells of bans that an earlier run left" banned 10.1.0.5
	verify "and leaves their table as it is" sh -c "nft list chain inet ctwarden new | grep -q 'looked at'"
	[ -z "$rules" ] || continue
	ct -j unban 10.1.0.66 >"$dir/unban"
	verify "lifts one of them" valid
	verify "with its end, and spares nobody, as nobody bans" says unban '[x["prefix"] for x in d["lifted"]] == ["10.1.0.66"] and 3000 < d["lifted"][0]["remaining_sec"] < 3600 and "spared_sec" not in d'
	verify "in the kernel too" sh -c "! nft list table inet ctwarden | grep -q '10[.]1[.]0[.]66'"
done
verify "lifting all" sh -c "'$BIN/ctwarden' --socket '$sock' unban --all | grep -q 'lifted'"
verify "leaves none" sh -c "'$BIN/ctwarden' --socket '$sock' bans | grep -q '^nobody'"
verify "ends with 0" stop
nft delete table inet ctwarden 2>/dev/null

lab_end
