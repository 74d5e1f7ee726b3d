#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Every shell script of the tree is clean for shellcheck; the completion can be loaded by bash.
set -u
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
if [ -z "${SHELLCHECK:=$(command -v shellcheck)}" ]; then
    echo "skipped: shellcheck is not installed"
    exit 77
fi
cd "$SRC" || exit 1
failed=0
for script in check quickstart .ci/run scripts/*.sh tests/*.sh tests/*/*.sh tests/run-root tests/lab/run bench/* bench/*/*.sh dist/*.bash; do
    [ -f "$script" ] || continue
    case $(head -n 1 "$script") in
    '#!'*python*) continue ;;
    '#!'*sh | '# shellcheck shell='*) ;;
    *) continue ;;
    esac
    "$SHELLCHECK" -x "$script" || failed=1
done
bash -n dist/ctwarden.bash || failed=1
exit $failed
