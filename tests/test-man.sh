#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# The manual pages are clean for mandoc's lint, and every command and option the programs print in --help is in them.
set -u
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
BIN=${BIN:-$SRC}
failed=0

if [ -z "${MANDOC:=$(command -v mandoc)}" ]; then
    echo "skipped: mandoc is not installed"
    exit 77
fi
if ! "$MANDOC" -T lint -W warning "$SRC/man/ctwarden-policy.5"; then
    echo "FAILED: ctwarden-policy.5 is not clean"
    failed=1
fi
for page in ctwarden ctwardend; do
    # The version and the system in the footer are ours to choose: only real complaints count.
    if ! "$MANDOC" -T lint -W warning "$SRC/man/$page.8"; then
        echo "FAILED: $page.8 is not clean"
        failed=1
    fi
    text=$("$MANDOC" -T ascii -O width=300 "$SRC/man/$page.8" | col -b 2>/dev/null || "$MANDOC" -T ascii "$SRC/man/$page.8" | sed 's/.\x08//g')
    help=$("$BIN/$page" --help 2>&1) || {
        echo "FAILED: $page --help fails: $help"
        failed=1
    }
    for option in $(printf '%s\n' "$help" | grep -oE -e '--[a-z][a-z-]+' | sort -u); do
        if ! printf '%s\n' "$text" | grep -qF -e "$option"; then
            echo "FAILED: $option of $page --help is not in $page.8"
            failed=1
        fi
    done
done
exit $failed
