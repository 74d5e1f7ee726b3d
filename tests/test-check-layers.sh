#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Proves that the layer check sees: a clean tree passes, and each kind of violation fails with its line.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
failed=0

plant() { # FILE LINE...
    mkdir -p "$tree/$(dirname "$1")"
    file=$1
    shift
    printf '%s\n' "$@" >"$tree/$file"
}

expect() { # NAME EXIT-CODE TEXT: checks the tree, then empties it
    code=0
    "$here/check-layers.sh" "$tree" >"$tree/out" 2>&1 || code=$?
    if [ "$code" -eq "$2" ] && grep -qF "$3" "$tree/out"; then
        echo "ok: $1"
    else
        echo "FAILED: $1: exit $code (expected $2), output:"
        cat "$tree/out"
        failed=1
    fi
    rm -rf "$tree/src" "$tree/include" "$tree/tests"
}

plant src/stats/good.c '#include <stdint.h>' '#include "stats/good.h"' '#include "flow/flow.h"' '#include "private.h"'
plant tests/unit/test_stats_good.c '#include <cmocka.h>' '#include "stats/good.h"'
expect "a clean tree passes" 0 "2 files keep to the layers"

line120=$(printf '\t\t/* %101s' x)
plant src/stats/good.c "$line120"
expect "a line of 120 columns passes" 0 "1 files keep to the layers"

plant src/stats/good.c '#include <stdint.h>' "$line120 "
expect "one of 121 is refused, tabs counted as 8" 1 "src/stats/good.c:2: 121 columns"

plant src/stats/good.c '#include <stdint.h>'
plant tests/root/test_wide.c "$line120 "
expect "in a test too" 1 "tests/root/test_wide.c:1: 121 columns"

plant src/stats/bad.c '/* x */' '#include "kernel/kernel.h"'
expect "stats including kernel is refused" 1 "src/stats/bad.c:2: layer stats may not include layer kernel"

plant include/base/bad.h '#include "flow/flow.h"'
expect "a header is held to the same rule" 1 "include/base/bad.h:1: layer base may not include layer flow"

plant src/cli/bad.c '  #  include   "daemon/engine.h"'
expect "blanks do not hide an include" 1 "src/cli/bad.c:1: layer cli may not include layer daemon"

plant src/daemon/bad.c '#include <jansson.h>'
expect "jansson outside doc and report is refused" 1 "src/daemon/bad.c:1: layer daemon may not include <jansson.h>"

plant src/report/bad.c '#include <libmnl/libmnl.h>'
expect "netlink outside kernel is refused" 1 "layer report may not include <libmnl/libmnl.h>"

plant src/stats/bad.c '#include <sqlite3.h>'
expect "an unknown library is refused" 1 "<sqlite3.h> is not listed in tests/layers.txt"

plant src/stats/bad.c '#include "../kernel/private.h"'
expect "a way around by .. is refused" 1 "never .."

plant src/extra/bad.c '#include <stdint.h>'
expect "a directory that is no layer is refused" 1 "belongs to no layer"

plant tests/unit/test_stats_bad.c '#include "kernel/kernel.h"'
expect "a unit test is held to its layer" 1 "tests/unit/test_stats_bad.c:1: layer stats may not include layer kernel"

plant tests/unit/test_stats_good.c '#include "../../src/stats/private.h"'
expect "a unit test may see the private headers of its layer" 0 "1 files keep to the layers"

plant tests/unit/test_stats_bad.c '#include "../../src/flow/private.h"'
expect "a unit test may not see those of another layer" 1 "never .."

plant src/stats/bad.c '#include <cmocka.h>'
expect "the test library stays in tests" 1 "layer stats may not include <cmocka.h>"

expect "an empty tree is no success" 2 "no source files"

exit $failed
