# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The host-wide conntrack limits (nf_conntrack_max, nf_conntrack_buckets) borrowed for a test or a measurement and put
# back: one borrower at a time (lock), a watcher that puts them back when the borrower is killed, and a file by which the
# next borrower does so when the watcher was killed too. A value that stands already is not written: a new hash size
# stops all traffic for a moment. Sourced by bash scripts; file descriptor 9 holds the lock, so children that may outlive
# the script are started with 9>&-. A script that has gone into a network namespace of its own, where the limits are
# read-only, names the one of the host in HOST_NET (/proc/self/fd/N).
HOST_LIMITS=/proc/sys/net/netfilter/nf_conntrack
HOST_LIMITS_SAVED=/run/ctwarden-bench.saved
HOST_LIMITS_LOCK=/run/ctwarden-bench.lock

host_limits_in() { # COMMAND...: in the namespace of the host
    if [ -n "${HOST_NET:-}" ]; then nsenter --net="$HOST_NET" "$@"; else "$@"; fi
}
host_limits_get() { # max|buckets|count
    host_limits_in cat "${HOST_LIMITS}_$1"
}
host_limits_set() { # max|buckets VALUE
    # shellcheck disable=SC2016 # the inner shell expands it
    host_limits_in sh -c 'echo "$2" >"$1"' set "${HOST_LIMITS}_$1" "$2"
}
host_limits_write() { # MAX BUCKETS: the limit last, a new hash size may move it
    [ "$(host_limits_get buckets)" = "$2" ] || host_limits_set buckets "$2" || return 1
    [ "$(host_limits_get max)" = "$1" ] || host_limits_set max "$1"
}

host_limits_return() { # [PID]: what that borrower saved; without PID what any borrower did
    local max buckets owner
    [ -f $HOST_LIMITS_SAVED ] || return 0
    read -r max buckets owner <$HOST_LIMITS_SAVED
    # The watcher of a borrower that has ended well must not undo the next one's.
    [ "${1:-$owner}" = "$owner" ] || return 0
    host_limits_write "$max" "$buckets"
    rm -f $HOST_LIMITS_SAVED
}

# Waits for the lock (PATIENCE seconds, 1800), then sets both. A sentence on stderr and 77 where the lock does not come,
# 1 where the limits may not be written or the host itself has 1,000 entries or more (unless I_KNOW is set). The caller
# calls host_limits_return $$ at its end, whatever happens (trap EXIT). HOST_LIMITS_HELD=1: whoever started it has the
# lock; shared: it is shared with others, so that there is nothing to borrow.
host_limits_borrow() { # MAX BUCKETS [I_KNOW]
    local me=$$
    if [ "${HOST_LIMITS_HELD:-}" = shared ]; then
        echo "host limits: they are shared; a test that changes them has the line \"# run-root: alone\"" >&2
        return 1
    fi
    [ "${HOST_LIMITS_HELD:-}" = 1 ] || exec 9>$HOST_LIMITS_LOCK
    if [ "${HOST_LIMITS_HELD:-}" != 1 ] && ! flock -w "${PATIENCE:-1800}" 9; then
        echo "host limits: somebody else keeps $HOST_LIMITS_LOCK" >&2
        return 77
    fi
    host_limits_return # what a killed borrower left
    if [ "$(host_limits_get count)" -ge 1000 ] && [ -z "${3:-}" ]; then
        echo "host limits: this host has 1,000 conntrack entries or more; its limits are not touched (--i-know overrides)" >&2
        return 1
    fi
    echo "$(host_limits_get max) $(host_limits_get buckets) $me" >$HOST_LIMITS_SAVED
    set -m # the watcher gets a process group of its own: who kills that of the script leaves it alone
    (
        trap '' INT HUP TERM
        exec 9>&-
        while kill -0 $me 2>/dev/null; do sleep 1; done
        host_limits_return $me
    ) </dev/null >/dev/null 2>&1 &
    disown
    set +m
    if ! host_limits_write "$1" "$2"; then
        echo "host limits: they may not be written here" >&2
        return 1
    fi
}
