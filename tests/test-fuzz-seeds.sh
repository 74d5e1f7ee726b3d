#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs every fuzz harness over its seeds (tests/fuzz/NAME.seeds/ or tests/fuzz/seeds/NAME/): none may crash.
set -u
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
BUILD=${BUILD:-$SRC}
failed=0
harnesses=0
for source in "$SRC"/tests/fuzz/fuzz_*.c; do
    [ -f "$source" ] || continue
    name=$(basename "$source" .c)
    short=${name#fuzz_}
    seeds=
    for directory in "$name.seeds" "seeds/$name" "seeds/$short" "$short.seeds" "seeds-$short" "${short}_seeds" seeds; do
        if [ -d "$SRC/tests/fuzz/$directory" ]; then
            seeds=$SRC/tests/fuzz/$directory
            break
        fi
    done
    if [ -z "$seeds" ]; then
        echo "FAILED: $name has no seeds"
        failed=1
        continue
    fi
    count=$(find "$seeds" -type f | wc -l)
    if find "$seeds" -type f -print0 | xargs -0 "$BUILD/tests/fuzz/$name"; then
        echo "ok: $name, $count seeds"
    else
        echo "FAILED: $name over its $count seeds"
        failed=1
    fi
    harnesses=$((harnesses + 1))
done
if [ "$harnesses" -eq 0 ]; then
    echo "FAILED: no harness"
    exit 1
fi
exit $failed
