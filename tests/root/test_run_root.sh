#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# tests/run-root itself, on tests of a few lines: what it counts and shows, what it ends, who runs beside whom.
# shellcheck disable=SC2016 # the small tests expand it
set -u
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "needs root"; exit 77; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
passed=0 failed=0
PATIENCE=60
verify() { # NAME COMMAND...
    local name=$1; shift
    if "$@"; then passed=$((passed + 1)); echo "ok - $name"
    else
        failed=$((failed + 1)); echo "not ok - $name"
        sed 's/^/#   /' "$dir/out"
    fi
}
wait_for() { # COMMAND...
    local end=$((SECONDS + PATIENCE))
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.1; done
}
# A tree of its own, with a lock of its own.
mkdir -p "$dir/tree/root" "$dir/tree/tools" "$dir/build"
cp "$here/../run-root" "$dir/tree"
sed "s|/run/ctwarden-bench|$dir/limits|" "$here/../tools/host-limits.sh" >"$dir/tree/tools/host-limits.sh"
export dir
a_test() { # NAME LINE...
    local file=$dir/tree/root/test_$1.sh
    shift
    { echo "#!/bin/bash"; printf '%s\n' "$@"; } >"$file"
    chmod +x "$file"
}
run_root() { # VARIABLE=VALUE... -- NAME...: its exit code in $code, what it says in $dir/out
    local variables=()
    while [ "$1" != -- ]; do variables+=("$1"); shift; done
    shift
    env -u CTW_NO_SKIP -u ROOT_JOBS -u LIMITS_PATIENCE "${variables[@]}" \
        "$dir/tree/run-root" "$dir/build" "$@" >"$dir/out" 2>&1
    code=$?
}
says() { grep -Eq -- "$1" "$dir/out"; }
ends_with() { [ $code = "$1" ] && [ "$(tail -n 1 "$dir/out")" = "root tests: $2" ]; } # CODE COUNTS

a_test good 'echo fine'
a_test bad 'echo "not ok - the third"; exit 1'
a_test skips 'echo "nothing to test here"; exit 77'
a_test slow 'sleep 600'
a_test leaves 'sleep 600 & echo $! >"$dir/left"'
a_test killed 'kill -KILL $PPID; sleep 600'

run_root -- good
verify "one that passes" ends_with 0 "1 passed, 0 failed, 0 skipped"
verify "by name" says '^PASS: test_good\.sh \([0-9]+ s\)$'
for jobs in 1 3; do
    run_root ROOT_JOBS=$jobs -- good bad skips
    verify "$jobs at a time: each is counted" ends_with 1 "1 passed, 1 failed, 1 skipped"
    verify "the reason of a skip is told" says '^SKIP: test_skips\.sh: nothing to test here$'
    verify "what has failed is shown" says '^  ! not ok - the third$'
done
run_root CTW_NO_SKIP=1 -- skips
verify "where nothing may skip it has failed" ends_with 1 "0 passed, 1 failed, 0 skipped"
run_root -- no-such-test
verify "no test at all is no success" ends_with 1 "0 passed, 0 failed, 0 skipped"
run_root ROOT_JOBS=3 ROOT_TEST_TIMEOUT=2 -- slow killed leaves
verify "one that takes too long is ended" says '^FAIL: test_slow\.sh \(exit 124'
verify "one whose keeper is killed has failed" says '^FAIL: test_killed\.sh \(exit 137'
verify "one that leaves a process has failed" says 'these processes outlive the test: [0-9]+ \(sleep 600 \)'
verify "which is ended" wait_for sh -c '! kill -0 "$(cat "$dir/left")"'
verify "all counted" ends_with 1 "0 passed, 3 failed, 0 skipped"

# ---- beside each other, and alone ----
# Each waits for the other: that can only end where they run at the same time.
meet='touch "$dir/met.$1"; for i in {1..600}; do [ -e "$dir/met.$2" ] && exit 0; sleep 0.1; done; exit 1'
a_test meets_one 'set -- 1 2' "$meet"
a_test meets_two 'set -- 2 1' "$meet"
run_root ROOT_JOBS=2 -- meets
verify "two at a time" ends_with 0 "2 passed, 0 failed, 0 skipped"
free='flock -n "$dir/limits.lock" true && exit 1' shared='flock -s -n "$dir/limits.lock" true'
a_test shares "$free" "$shared || exit 1" '[ "$HOST_LIMITS_HELD" = shared ]'
a_test changes '# run-root: alone' "$shared && exit 1" '[ "$HOST_LIMITS_HELD" = 1 ]'
run_root ROOT_JOBS=2 -- shares changes
verify "who changes the limits has them alone, the others share them" ends_with 0 "2 passed, 0 failed, 0 skipped"
verify "and is the first where they are free" sh -c "head -n 1 '$dir/out' | grep -q test_changes"
a_test borrows "HOST_LIMITS_LOCK=$dir/limits.lock" ". '$dir/tree/tools/host-limits.sh'" 'host_limits_borrow 1 1'
run_root -- borrows
verify "one that borrows what it shares is refused" says 'a test that changes them has the line "# run-root: alone"'
exec 7<"$dir/limits.lock"
flock -s 7
run_root LIMITS_PATIENCE=1 -- shares changes
verify "somebody else shares them: the others run" says '^PASS: test_shares'
verify "who would change them waits, and fails by name" says '^FAIL: test_changes\.sh \(somebody else keeps'
verify "both counted" ends_with 1 "1 passed, 1 failed, 0 skipped"
exec 7<&-

# ---- interrupted ----
# timeout signals its child, then the group, that is the child again: where that comes late it must not end the cleaning.
a_test cleans 'trap "trap \"\" TERM; sleep 1; rm \"\$dir/mess\"" EXIT' 'touch "$dir/mess"' 'unshare -n sleep 600 & sleep 600; sleep 600'
for signal in INT TERM; do
    rm -f "$dir/mess"
    # In the background of a script SIGINT is ignored: job control is what a terminal has.
    set -m
    ROOT_JOBS=2 "$dir/tree/run-root" "$dir/build" cleans slow >"$dir/out" 2>&1 &
    pid=$!
    set +m
    verify "a run begins" wait_for test -e "$dir/mess"
    marks=CTW_ROOT_TEST=$pid-
    kill -$signal -- -$pid
    wait $pid
    code=$?
    verify "SIG$signal: it ends with 130" test $code = 130
    verify "the test has cleaned up" test ! -e "$dir/mess"
    verify "no process is left" sh -c "! grep -slzE '^$marks' /proc/[0-9]*/environ"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
