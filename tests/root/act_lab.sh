# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Sourced by the tests of commands that write: a namespace of their own, tables of made entries, and what must live. Never
# sourced in the host's namespace: act_enter puts the caller into a fresh one.
act_enter() { # "$@": of the caller
    if [ "${ACT_INNER:-}" != 1 ]; then
        ACT_INNER=1 exec unshare -n -- "$0" "$@"
    fi
    if ip -o link show up | grep -q .; then
        echo "this namespace is in use"
        exit 1
    fi
    # The host's limit holds here too: nobody may borrow it meanwhile (tests/tools/host-limits.sh), and it must be usual.
    if [ "${ACT_BORROWS:-}${HOST_LIMITS_HELD:-}" = "" ]; then exec 9>/run/ctwarden-bench.lock && flock -s -w "${LIMITS_PATIENCE:-100}" 9; fi
    if [ "$(sysctl -n net.netfilter.nf_conntrack_max)" -lt 15000 ]; then
        echo "the host's limit is too small for this test"
        exit 77
    fi
    ip link set lo up
    # A config of this machine must not take part.
    echo '{}' >"$work/none.json"
}
passed=0 failed=0
work=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
ok() { # NAME STATUS
    if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok - $1"; else failed=$((failed + 1)); echo "not ok - $1"; fi
}
same() { # NAME EXPECTED GOT
    if [ "$2" = "$3" ]; then ok "$1" 0; else ok "$1" 1; diff <(echo "$2") <(echo "$3") | head -12 | sed 's/^/#   /'; fi
}
has() { # NAME TEXT FILE
    grep -qF -- "$2" "$3"; ok "$1" $?
    grep -qF -- "$2" "$3" || sed 's/^/#   /' "$3" | head -8
}
act_done() {
    echo "$passed passed, $failed failed"
    [ $failed = 0 ]
}
# Entries without what moves by itself: time left and counters.
list() { conntrack -L -o extended "$@" 2>/dev/null | sed -E 's/^((ipv4|ipv6) +[0-9]+ [^ ]+ +[0-9]+) [0-9]+ /\1 /; s/(packets|bytes|delta-time)=[0-9]+ ?//g' | sort; }
count() { list "$@" | wc -l; }
ctw() { "$BIN/ctwarden" "$@"; }
# A command that writes: its exit code in $code, its output in $work/out and $work/err.
act() {
    "$BIN/ctwarden" "$@" --config "$work/none.json" >"$work/out" 2>"$work/err" </dev/null
    code=$?
}
member() { # KEY...: members of the last JSON document of $work/out
    /usr/bin/python3 - "$work/out" "$@" <<'P'
import json, sys
document = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])
print(*[document.get(key) for key in sys.argv[2:]])
P
}
# Every entry is accounted for.
sums_up() { # NAME
    /usr/bin/python3 - "$work/out" <<'P'
import json, sys
d = json.loads(open(sys.argv[1]).read().strip().splitlines()[-1])
done = d.get("deleted", d.get("changed"))
parts = done + d["gone"] + d["refused"] + d["unknown"] + d["left"] + d["spared"] + d.get("unchanged", 0)
assert d["matched"] == parts, d
assert d["spared"] == sum(s["entries"] for s in d["spared_by"]), d
P
    ok "$1: every entry is accounted for" $?
}
fill() { "$TOOLS/ctfill" -q "$@"; }
empty() { # the table of this namespace, which was made for it
    conntrack -F >/dev/null 2>&1
}
