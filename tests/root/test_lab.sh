#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The gateway lab proves something: without an attack every honest user succeeds and nothing is lost, and a flood of
# established flows without a guard visibly harms them. A short form of what bench/guard does. Environment: BIN, the build
# directory. The rates are small, so that a slow machine still gives them.
# run-root: alone
set -u
: "${BIN:?build directory}"
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/tools/host-limits.sh
. "$here/../tools/host-limits.sh"
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
passed=0 failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: "${PATIENCE:=${LIMITS_PATIENCE:-80}}"
export BIN PATIENCE WARMUP=1 AFTER=1 USER_RATE=40 GOLD=10 QUIET=9

lab() { # NAME OPTIONS: the figures in NAME
    local name=$1
    shift
    "$here/../lab/run" "$@" >"$work/$name" 2>"$work/$name.err"
    local code=$?
    # What another run has borrowed is not there to be tested.
    [ $code != 77 ] || { cat "$work/$name.err"; exit 77; }
    return $code
}
verify() { # NAME COMMAND...
    local name=$1
    shift
    if "$@"; then passed=$((passed + 1)); echo "ok - $name"
    else failed=$((failed + 1)); echo "not ok - $name"; fi
}
holds() { # NAME EXPRESSION on f, the figures
    python3 -c 'import json, sys
f = json.load(open(sys.argv[1]))
sys.exit(not eval(sys.argv[2]))' "$work/$1" "$2" && return
    sed 's/^/#   /' "$work/$1" "$work/$1.err"
    return 1
}
limits() { # of the host, while nobody has borrowed them
    local lock=(flock -w "$PATIENCE" "$HOST_LIMITS_LOCK")
    [ "${HOST_LIMITS_HELD:-}" != 1 ] || lock=()
    "${lock[@]}" cat "${HOST_LIMITS}_max" "${HOST_LIMITS}_buckets"
}
rigs_left() { # namespaces of labs that do not run any more
    local path pid
    for path in /run/netns/ctwlab-*-gw; do
        [ -e "$path" ] || continue
        pid=${path#/run/netns/ctwlab-}
        kill -0 "${pid%-gw}" 2>/dev/null || return 0
    done
    return 1
}
as_before() { [ "$(limits)" = "$before" ]; }
nothing_left() { ! rigs_left; }

before=$(limits) || { echo "the limits of this host are borrowed by somebody else"; exit 77; }
# What is wanted here is that all succeed, not how fast.
DEADLINE=10
export DEADLINE
verify "calm: the lab runs" lab calm calm --max 4000 --seconds 3
verify "calm: every honest connection succeeds" holds calm 'f["tried"] > 60 and f["success_pct"] == 100'
verify "calm: nothing is refused by the kernel" holds calm 'f["drop"] == 0 and f["early_drop"] == 0'
verify "calm: no long-lived flow is lost" holds calm \
    'f["gold"] == 10 and f["quiet"] == 9 and f["gold_lost"] == f["quiet_lost"] == 0'
DEADLINE=1
verify "estflood: the lab runs" lab flood estflood --max 2000 --seconds 6 --rate 2000
verify "estflood: fills the table" holds flood 'f["peak"] >= 1900 and f["recovered_sec"] is None'
verify "estflood: the kernel refuses flows" holds flood 'f["drop"] > 100'
verify "estflood: the users are harmed without a guard" holds flood 'f["success_pct"] < 90'
verify "a guard is run in the gateway, and measured" lab guarded calm --max 4000 --seconds 2 \
    --guard "$here/../../bench/peers/ctcount.sh"
verify "and lives until the end" holds guarded 'f["guard_alive"] is True and f["guard_rss_kib"] > 0'
verify "the limits of the host are as before" as_before
verify "no namespace is left" nothing_left
echo "$passed passed, $failed failed"
[ $failed = 0 ]
