#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A peer of the guard: nft's ct count. A source (IPv6: a /64) may have LIMIT flows (500); its further new ones are dropped.
LIMIT=${LIMIT:-500}
nft -f - <<RULES || exit 1
table inet cap {
    set sources4 { type ipv4_addr; size 65535; flags dynamic; }
    set sources6 { type ipv6_addr; size 65535; flags dynamic; }
    chain forward {
        type filter hook forward priority -10; policy accept;
        ct state new add @sources4 { ip saddr ct count over $LIMIT } drop
        ct state new add @sources6 { ip6 saddr & ffff:ffff:ffff:ffff:: ct count over $LIMIT } drop
    }
}
RULES
exec sleep 3600
