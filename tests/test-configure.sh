#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A missing library is one clear line of configure that names its package for Debian, Fedora and Alpine.
set -u
SRC=${SRC:-$(cd "$(dirname "$0")/.." && pwd)}
if [ ! -x "$SRC/configure" ]; then
    echo "skipped: no configure in $SRC"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
if PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR="$work" "$SRC/configure" --without-systemd >out 2>&1; then
    echo "FAILED: configure succeeds without any library"
    exit 1
fi
failed=0
while read -r library debian fedora alpine; do
    line=$(grep -E "WARNING: $library .*is missing" out)
    for package in "$debian (Debian)" "$fedora (Fedora)" "$alpine (Alpine)"; do
        case $line in
        *"$package"*) ;;
        *)
            echo "FAILED: the line for $library does not name $package: $line"
            failed=1
            ;;
        esac
    done
done <<'LIST'
libmnl libmnl-dev libmnl-devel libmnl-dev
libnetfilter_conntrack libnetfilter-conntrack-dev libnetfilter_conntrack-devel libnetfilter_conntrack-dev
libnfnetlink libnfnetlink-dev libnfnetlink-devel libnfnetlink-dev
jansson libjansson-dev jansson-devel jansson-dev
libevent_core libevent-dev libevent-devel libevent-dev
libnftables libnftables-dev nftables-devel nftables-dev
LIST
[ $failed -eq 0 ] || cat out
exit $failed
