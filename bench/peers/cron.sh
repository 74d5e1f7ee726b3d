#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A peer of the guard: the script one finds on forums. Every INTERVAL seconds (5; cron itself can only do 60) a source
# with more than LIMIT entries (2500) loses all of them.
INTERVAL=${INTERVAL:-5} LIMIT=${LIMIT:-2500}
while sleep "$INTERVAL"; do
    for family in ipv4 ipv6; do
        conntrack -L -f $family 2>/dev/null | awk -v limit="$LIMIT" '
            match($0, /src=[^ ]+/) { n[substr($0, RSTART + 4, RLENGTH - 4)]++ }
            END { for (source in n) if (n[source] > limit) print source }' |
            while read -r source; do conntrack -D -f $family -s "$source" >/dev/null 2>&1; done
    done
done
