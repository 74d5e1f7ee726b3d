#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# ctwarden relieve on real flows through a gateway: a scanner whom nobody answers, honest connections that carry data before and
# after. Environment: BIN, the directory of the programs.
# shellcheck source=tests/root/guard_lab.sh
. "$(dirname "$0")/guard_lab.sh"
echo '{}' >"$dir/none"
relieve() { # ARGS: exit code in $code, output in $dir/shown and $dir/said
	"$BIN/ctwarden" relieve --config "$dir/none" "$@" >"$dir/shown" 2>"$dir/said" </dev/null; code=$?
}
not() { ! "$@"; }
shows() { grep -Eq -- "$1" "$dir/shown"; }
says() { grep -Eq -- "$1" "$dir/said"; }
of() { # EXPRESSION on d, the document
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$dir/shown" "$1"
}
sums() { of 'd["matched"] == d["done"] + d["gone"] + d["refused"] + d["unknown"] + d["left"] == sum(d["classes"].values())'; }
schema() { /usr/bin/python3 "$here/../check-schemas.py" "$dir/shown"; }
addresses() { conntrack -L 2>/dev/null | grep -o 'src=[^ ]* dst=[^ ]* sport=[^ ]* dport=[^ ]* ' | sort; }
idle_for() { # SECONDS: until no unanswered flow is younger
	wait_for sh -c "! conntrack -L -p udp 2>/dev/null | awk '\$3 > $((3600 - $1)) { found = 1 } END { exit !found }'"
}

hold 40 10.1.0.2
flood 3000 10.1.0.66; flood 100 10.1.0.3
wait_for idle_for 5

# ---- a dry run ----
addresses >"$dir/before"
relieve --capacity 4000 --dry-run
verify "a dry run exits with 0" is $code 0
addresses >"$dir/after"
verify "and touches nothing" cmp -s "$dir/before" "$dir/after"
verify "it tells the fill" shows '^entries +3,140 of 4,000 +78\.5 %$'
verify "and whose it is" shows '^cause +one source: 10\.1\.0\.66 holds'
verify "and the target" shows '^target +2,800 entries +70\.0 % +340 have to go$'
verify "what would go, by source" shows '^  10\.1\.0\.66 +340  100\.0 %$'
verify "what would stay" shows '^  answered and in use +40 '
verify "how it would be" shows '^would be +2,800 of 4,000 +70\.0 %$'
relieve -j --capacity 4000 --dry-run
verify "as a document" of 'd["dry_run"] and d["matched"] == 340 and d["done"] == 0 and d["entries_after"] == 2800 and d["reached"]'
verify "that adds up" sums
verify "and fits its schema" schema
addresses >"$dir/after"
verify "nothing was touched" cmp -s "$dir/before" "$dir/after"

# ---- what stays, and why ----
rule_of() { # MATCH MIN_AGE
	echo '{ "schema": "ctwarden.policy/1", "rules": [ { "name": "some", "when": { "level": "warning" }, "until": { "level": "ok" },
		'"$1"' "do": { "action": "evict", "min_age": "'"$2"'", "classes": [ "unreplied", "established" ] } } ] }' >"$dir/policy"
}
rule_of '"match": { "src": "10.1.0.3" },' 5s
relieve -j --capacity 4000 --to 10 --dry-run --policy "$dir/policy"
verify "what the match of a rule leaves out is told as that" of 'd["matched"] == 100 and d["spared_by"]["not matched"] == 3040 and "unknown" not in d["spared_by"]'
verify "in a document that fits its schema" schema
relieve --capacity 4000 --to 10 --dry-run --policy "$dir/policy"
verify "and in words" shows '^  not what a rule matches +3,040'
verify "no other row has them" not shows 'of classes no rule takes'
# Nobody here is an hour old: alike in most of the table are those of one source.
rule_of "" 1h
relieve -j --capacity 4000 --dry-run --policy "$dir/policy"
verify "of the young goes what is alike in most of the table" of 'd["matched"] == 340 and d["sources"] == [{"key": "10.1.0.66", "entries": 340}]'
verify "more of them could go, the others are young" of 'd["candidates"] == 2660 and d["spared_by"]["young"] == 100'
relieve --capacity 4000 --to 1 --dry-run --policy "$dir/policy"
verify "a target out of reach does not take them either" shows '^WOULD GO: 3,000 flows'
verify "what they share is told" shows '^ alike +96 % of the table: unreplied .*from 10\.1\.0\.66'
verify "and why it is not reached" shows 'is not reached: what is left is in use, young or protected\. Run it again'
verify "a plan that does not reach it is no failure" is $code 0

# ---- the question ----
relieve --capacity 4000
verify "without a terminal it asks for --yes" is $code 2
verify "and says so" says 'this deletes 340 flows: --yes does it'
addresses >"$dir/after"
verify "nothing was done" cmp -s "$dir/before" "$dir/after"
terminal() { # ANSWER
	echo "$1" | script -qec "'$BIN/ctwarden' relieve --config '$dir/none' --capacity 4000" /dev/null >"$dir/shown"; code=$?
}
interrupt() { # presses Ctrl-C at the question
	timeout 60 python3 - "$BIN/ctwarden" relieve --config "$dir/none" --capacity 4000 >"$dir/shown" <<-'P'; code=$?
	import os, pty, sys
	pid, fd = pty.fork()
	if not pid: os.execv(sys.argv[1], sys.argv[1:])
	text = b""
	while True:
	    try: got = os.read(fd, 4096)
	    except OSError: got = b""
	    if not got: break
	    text += got
	    if b"[y/N]" in got: os.write(fd, b"\x03")
	print(text.decode())
	sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) & 0xff)
	P
}
interrupt
verify "Ctrl-C at the question is exit 1" is $code 1
verify "and says that nothing was done" shows 'ctwarden: nothing was done'
addresses >"$dir/after"
verify "which is so" cmp -s "$dir/before" "$dir/after"
terminal n
verify "at a terminal a no is exit 1" is $code 1
addresses >"$dir/after"
verify "and nothing was done" cmp -s "$dir/before" "$dir/after"
terminal y
verify "a yes does it" is $code 0
verify "down to the target" is "$(count_now)" 2800
verify "with the plan before" shows 'WOULD GO: 340 flows'
verify "and both fills after" shows '^before .*78\.5 %'
verify "as they are" shows '^after .*70\.0 %'

# ---- the work ----
relieve -j --yes --capacity 4000 --to 50
verify "with --yes it does not ask" is $code 0
verify "and reaches what was asked for" is "$(count_now)" 2000
verify "the document tells it" of 'd["done"] == 800 and d["entries_after"] == 2000 and d["reached"] and d["sources"][0]["key"] == "10.1.0.66"'
verify "and adds up" sums
verify "and fits its schema" schema
verify "the light source paid nothing for the heavy one" is "$(entries -s 10.1.0.3)" 100
relieve --yes --capacity 4000 --to 50
verify "where it is low enough nothing is done" is $code 0
verify "that is said" shows 'at or below 50 % already: nothing to do'
relieve --yes --capacity 4000 --to 50 --fail-if-none
verify "--fail-if-none makes it 5" is $code 5
verify "all honest connections live" lives 40
relieve --yes --capacity 100 --to 10
verify "a target that cannot be reached is exit 1" is $code 1
verify "and it is said why" shows '^The target is not reached'
verify "the honest ones are all that is left" is "$(entries)" 40
verify "and live" lives 40

flood 20 10.1.0.8; wait_for idle_for 5
"$BIN/ctwarden" relieve --config "$dir/none" --capacity 60 --yes >/dev/full 2>"$dir/said" </dev/null; code=$?
verify "where nobody can be told what was done it fails" is $code 1
verify "and says so all the same" says '18 flows are deleted'
relieve --dry-run --protect foo
verify "a filter that is none" is $code 2
verify "is told with where filters are" says 'foo: not a filter.*ctwarden help flush'
setpriv --reuid 65534 --regid 65534 --clear-groups "$BIN/ctwarden" relieve --config "$dir/none" --dry-run >"$dir/shown" 2>"$dir/said" </dev/null
verify "who may not read the table is not told of writing" says 'reading the table needs CAP_NET_ADMIN'

# ---- what is young ----
relieve --yes --capacity 100 --to 10
# Too few of each kind to be alike: an answer to any of them may be on its way.
client flood 5 10.1.0.4 20000
relieve -j --dry-run --capacity 40 --to 20
verify "what is young stays" of 'd["matched"] == 0 and d["spared_by"]["young"] == 5'

# ---- what is protected ----
wait_for idle_for 5
flood 200 10.1.0.5 30000
wait_for idle_for 5
relieve -j --yes --capacity 100 --to 10 --protect '-s 10.1.0.5'
verify "--protect holds" is "$(entries -s 10.1.0.5)" 200
verify "and is named" of 'any("10.1.0.5" in p["name"] and p["entries"] == 200 for p in d["protected_by"])'
printf '{ "protect": [ { "name": "five", "match": { "src": "10.1.0.5" } } ] }' >"$dir/protect"
relieve -j --yes --capacity 100 --to 10 --config "$dir/protect"
verify "the list of the config holds" is "$(entries -s 10.1.0.5)" 200
relieve --yes --capacity 100 --to 10 --config "$dir/protect" --include-protected
verify "--include-protected lifts it" is "$(entries -s 10.1.0.5)" 0
verify "the honest ones live" lives 40

# ---- the operator: idle beyond every floor, in a policy that does not protect what is this host's own ----
python3 "$here/guard_peer.py" server 2222 sshd >"$dir/operator" &
wait_for grep -q ready "$dir/operator"
hold 3 10.1.0.6 10.1.0.1 2222; hold 5 10.1.0.7
cat >"$dir/policy" <<-'J'
	{ "schema": "ctwarden.policy/1", "protect": { "own": false, "flows": [ { "name": "two", "match": { "src": "10.1.0.2" } } ] },
	  "rules": [ { "name": "all", "when": { "level": "warning" }, "until": { "level": "ok" },
	    "do": { "action": "evict", "classes": [ "unreplied", "established" ] } } ] }
	J
# Silent for five days, by what the kernel says of them.
"$BIN/ctwarden" timeout --set 400 -p tcp --include-self --yes --config "$dir/none" >"$dir/shown" 2>&1
relieve -j --yes --capacity 100 --to 10 --policy "$dir/policy"
verify "what is idle beyond its floor goes" is "$(entries -s 10.1.0.7)" 0
verify "the operator's connections do not" is "$(entries -s 10.1.0.6)" 3
verify "and live" lives 3 2
verify "and are named" of 'any("operator" in p["name"] and p["entries"] == 3 for p in d["protected_by"])'
verify "nor what the policy protects" is "$(entries -s 10.1.0.2)" 40
verify "which lives" lives 40
printf '{ "schema": "ctwarden.policy/1", "rules": [] }' >"$dir/policy"
relieve --yes --capacity 100 --to 10 --policy "$dir/policy"
verify "a policy that cannot make room is exit 4" is $code 4
printf 'x' >"$dir/policy"
relieve --yes --policy "$dir/policy"
verify "and so is a broken one" is $code 4
verify "told with its line" says 'policy:1: '

# ---- the daemon's capacity ----
echo '{ "schema": "ctwarden.policy/1", "rules": [ { "name": "all", "when": { "level": "warning" }, "until": { "level": "ok" },
	"do": { "action": "evict", "classes": [ "unreplied" ] } } ] }' >"$dir/policy"
entries=$(entries)
echo "{ \"capacity\": $entries }" >"$dir/conf"
start --config "$dir/conf"
relieve -j --dry-run --socket "$sock"
verify "the capacity is the daemon's" of "d['capacity'] == $entries and d['capacity_from'] == 'daemon' and d['wanted'] > 0"
verify "in a document that fits its schema" schema
relieve --dry-run --socket "$sock"
verify "which is said" shows '^entries .* 100\.0 % .*capacity of the daemon$'
relieve -j --dry-run --socket "$sock" --capacity 5000
verify "an option goes first" of "d['capacity'] == 5000 and d['capacity_from'] == 'option'"
relieve -j --dry-run --direct
verify "without the daemon the kernel's limit holds" of "d['capacity_from'] == 'kernel' and d['capacity'] > $entries"
verify "in another namespace too" unshare -n sh -c "'$BIN/ctwarden' relieve -j --dry-run --config '$dir/none' --socket '$sock' |
	grep -q '\"capacity_from\":\"kernel\"'"
"$BIN/ctwarden" -j policy test "$dir/policy" --socket "$sock" >"$dir/shown" 2>"$dir/said"
verify "a policy is tried with it" of "d['capacity'] == $entries and d['capacity_from'] == 'daemon' and d['level'] != 'ok'"
verify "and with its growth" of '"growth_per_sec" in d'
verify "in a document that fits its schema" schema
status() { "$BIN/ctwarden" status --socket "$sock" "$@" >"$dir/shown" 2>"$dir/said"; }
status
verify "status of a tight table tells the top" shows '^ *1  10\.1\.0\.'
verify "and the cause" shows '^cause '
stop
start --capacity 1000000
status
verify "at level ok" shows '^level +ok '
verify "it tells no top" not shows '^ *1  10\.1\.0\.'
verify "and no cause" not shows '^cause '
status --deep
verify "with --deep it does" shows '^ *1  10\.1\.0\.'
status -j
verify "and the document is complete" of 'd["view"] == "daemon" and d["top_sources"]'
stop
relieve --dry-run --socket "$sock"
verify "a daemon that is insisted on and is not there: 3" is $code 3
for bad in "--to 0" "--to 100" "--to x" "--capacity 0" "10.1.0.2"; do
	# shellcheck disable=SC2086 # a list of words
	relieve $bad; verify "'$bad' is refused" is $code 2
done
lab_end
