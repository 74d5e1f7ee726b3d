#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Policies as a person meets them: every shipped one is checked, told, printed back and the same when read again, valid by
# its schema before and after; wrong ones are refused with file, line, path and exit code 4. Needs no root.
set -u
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
BIN=${BIN:-$SRC}
ctw=$BIN/ctwarden
[ -x "$ctw" ] || { echo "needs ctwarden in $BIN"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
fail() {
    echo "FAILED: $*"
    failed=1
}
# CODE PATTERN WORD...: runs ctwarden policy; all output in $work/all
expect() {
    want=$1 pattern=$2
    shift 2
    "$ctw" policy "$@" >"$work/all" 2>&1
    code=$?
    [ "$code" = "$want" ] || fail "policy $*: exit $code, not $want: $(head -n 3 "$work/all")"
    grep -qE -- "$pattern" "$work/all" || fail "policy $*: no $pattern in: $(head -n 3 "$work/all")"
}

count=0
for file in "$SRC"/policies/*.json; do
    case $file in *.schema.json) continue ;; esac
    count=$((count + 1))
    name=$(basename "$file" .json)
    expect 0 "$name: [0-9]+ rules, mode" check "$file"
    [ "$(wc -l <"$work/all")" = 1 ] || fail "there is something to say against $name: $(cat "$work/all")"
    expect 0 '^Never: |^Touches nothing' explain "$file"
    "$ctw" policy show "$file" >"$work/show.json" || fail "policy show $name"
    "$ctw" policy show -j "$file" >"$work/line.json" || fail "policy show -j $name"
    [ "$(wc -l <"$work/line.json")" = 1 ] || fail "policy show -j $name is not one line"
    "$ctw" policy show "$work/show.json" >"$work/again.json" || fail "policy show of what was shown of $name"
    cmp -s "$work/show.json" "$work/again.json" || fail "$name is not the same when read again"
    /usr/bin/python3 "$SRC/tests/check-schemas.py" "$work/show.json" >"$work/schema" 2>&1
    code=$?
    [ $code = 0 ] || [ $code = 77 ] || fail "$name as shown: $(cat "$work/schema")"
    # The head of the file says what it is for and what it never does.
    for words in '^# For: ' 'will never'; do
        grep -q -- "$words" "$file" || fail "$name does not say \"$words\""
    done
    grep -q "$name" "$SRC/policies/README.md" || fail "$name is not in policies/README.md"
done
[ "$count" -ge 4 ] || fail "only $count policies are there"
# What README.md teaches is true: every block of it is a policy that is taken.
awk -v dir="$work" '/^```json/ { n++; on = 1; next } /^```/ { on = 0 } on { print > (dir "/readme" n ".json") }' \
    "$SRC/policies/README.md"
ls "$work"/readme1.json >/dev/null 2>&1 || fail "policies/README.md has no example"
for file in "$work"/readme*.json; do
    expect 0 'rule' check "$file"
    [ "$(wc -l <"$work/all")" = 1 ] || fail "there is something to say against an example: $(cat "$work/all")"
done
printf '{"schema": "ctwarden.policy/1", "rules": [{"name": "r", "when": {"fill_pct": 80}, "do": "evict"}]}\n' >"$work/fill.json"
expect 0 'fill.json: note: rule "r" acts on fill alone' check "$work/fill.json"
# What the daemon takes of what fits no surge: as many as the growth until the next round needs, and none without it.
awk 'BEGIN { for (i = 1; i <= 2200; i++) printf "udp 17 5 src=10.1.0.66 dst=10.2.0.1 sport=%d dport=53 [UNREPLIED] " \
    "src=10.2.0.1 dst=10.1.0.66 sport=53 dport=%d mark=0 use=1\n", i, i }' >"$work/table"
fill_rule() { # SIGNATURE
    printf '{"schema": "ctwarden.policy/1", "mode": "act", "rules": [{"name": "a", "when": {"fill_pct": 80}, "cooldown": "1s",
        "do": {"action": "evict", "classes": ["unreplied"], "min_age": 0, "signature": %s}, "until": {"fill_pct": 40},
        "budget": {"per_run": 100, "per_sec": 50}}]}\n' "$1" >"$work/a.json"
}
fill_rule true
set -- test "$work/a.json" --from "$work/table" --capacity 2500
expect 0 'would evict none of 2,200 candidates; up to 100 more if they fit a surge' "$@"
expect 0 '"candidates":2200,"taken":0,"more_if_surge":100,' "$@" -j
expect 0 'would evict none of 2,200 candidates; up to 100 more if they fit a surge' "$@" --growth 0
# Until the next round in 1.2 s come 314, and there is room for 300
expect 0 'would evict 25 of 2,200 candidates \(25 unreplied\); up to 75 more if they fit a surge' "$@" --growth 260
expect 0 'would evict 100 of 2,200 candidates \(100 unreplied\), 150 more in the 3 s after that' "$@" --growth 600
fill_rule false
expect 0 'would evict 100 of 2,200 candidates \(100 unreplied\), 150 more in the 3 s after that' "$@"
set --

printf '{"schema": "ctwarden.policy/1",\n"rules": [{"name": "r",\n"when": {"levle": "warning"}, "do": "log"}]}\n' >"$work/bad.json"
expect 4 'bad.json:3: rules\[0\]\.when\.levle: .*did you mean "level"' check "$work/bad.json"
expect 4 'bad.json:3: ' show "$work/bad.json"
expect 4 'bad.json:3: ' explain "$work/bad.json"
expect 4 'cannot be opened: No such file' check "$work/none.json"
head -c 10485760 /dev/zero | tr '\0' ' ' >"$work/big.json"
expect 4 'big.json: too large; at most 1048576' check "$work/big.json"
expect 2 'check needs a file' check
expect 2 'an empty word' ''
expect 2 'expected, and a file'
expect 2 'did you mean check' chekc "$work/show.json"
expect 2 'a word too many' check "$work/show.json" "$work/show.json"
expect 2 'needs a file' explain
exit $failed
