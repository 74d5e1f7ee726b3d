# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The gateway lab's four network namespaces: the users' network (lan), the attackers, the gateway, the servers. Sourced by
# run. The gateway masquerades for 10/8 over IPv4 and forwards IPv6, and drops TCP that opens no connection, so that a
# wrongly deleted flow is lost for good (LOOSE=1: it takes such flows up again). Every a.b.c.d has the IPv6 twin
# fd00:0:0:b::a.b.c.d, which is what ghost --v6 speaks.
#   10.1.0.2       users; 10.1.0.80 the heavy honest source; 10.1.0.66 the infected host; 10.4/16 many honest sources
#   10.9/16        attackers behind 10.2.0.2
#   203.0.113.2    the users' server; .3-.5 quiet flows, .10-.25 flows of heavy sources; .128/25 ghost servers
#   198.51.100/24  ghost servers
RIG=ctwlab-$$
LAN=$RIG-lan ATTACKERS=$RIG-att GATEWAY=$RIG-gw SERVERS=$RIG-srv

gw() { ip netns exec "$GATEWAY" "$@"; }
six() { # ADDRESS: its IPv6 twin
    local a b c d
    IFS=./ read -r a b c d _ <<<"$1"
    printf 'fd00:0:0:%x::%x:%x' "$b" $((a << 8 | b)) $((c << 8 | d))
}
mac() { ip netns exec "$1" cat "/sys/class/net/$2/address"; } # NAMESPACE DEVICE
rig_address() { # NAMESPACE DEVICE ADDRESS...
    local ns=$1 dev=$2 address
    shift 2
    for address; do
        echo "address add $address/24 dev $dev"
        echo "address add $(six "$address")/64 dev $dev nodad"
    done | ip -n "$ns" -batch -
}
rig_link() { # NAMESPACE ADDRESS GATEWAY-DEVICE GATEWAY-ADDRESS: joins it to the gateway, default route there
    ip -n "$1" link add eth0 type veth peer name "$3" netns "$GATEWAY"
    ip -n "$1" link set eth0 up
    ip -n "$GATEWAY" link set "$3" up
    rig_address "$1" eth0 "$2"
    rig_address "$GATEWAY" "$3" "$4"
    ip -n "$1" route add default via "$4"
    ip -n "$1" route add default via "$(six "$4")"
}

rig_routes() { # ghosts answer no ARP: their addresses are behind a host of their namespace
    local address
    ip -n "$LAN" route add local 10.4.0.0/16 dev lo
    ip -n "$GATEWAY" -batch - <<ROUTES
route add 10.4.0.0/16 via 10.1.0.2
route add 10.9.0.0/16 via 10.2.0.2
route add 198.51.100.0/24 via 203.0.113.2
route add 203.0.113.128/25 via 203.0.113.2
route add fd00:0:0:9::/64 via $(six 10.2.0.2)
route add fd00:0:0:33::/64 via $(six 203.0.113.2)
neighbour replace 10.1.0.66 lladdr $(mac "$LAN" eth0) dev lan nud permanent
ROUTES
    for address in 10.2.0.2 "$(six 10.2.0.2)"; do
        ip -n "$GATEWAY" neighbour replace "$address" lladdr "$(mac "$ATTACKERS" eth0)" dev att nud permanent
    done
}

rig_rules() {
    local ns
    gw nft -f - <<RULES
table inet lab {
    chain forwarding {
        type filter hook forward priority 0; policy accept;
        ct state invalid drop
        ct state established,related accept
        ${LOOSE:+#} ct state new tcp flags & (fin|syn|rst|ack) != syn drop
    }
    chain sourcenat {
        type nat hook postrouting priority 100; policy accept;
        oifname "wan" ip saddr 10.0.0.0/8 masquerade
    }
}
RULES
    # The kernels of the ghosts' namespaces must not answer for them.
    for ns in "$SERVERS" "$ATTACKERS" "$LAN"; do
        ip netns exec "$ns" nft -f - <<'RULES'
table inet ghosts {
    chain early {
        type filter hook prerouting priority -310; policy accept;
        ip daddr { 198.51.100.0/24, 203.0.113.128/25, 10.9.0.0/16, 10.1.0.66 } drop
        ip6 daddr { fd00:0:0:33::/64, fd00:0:0:9::/64 } drop
    }
}
RULES
    done
}

rig_build() {
    local ns spare=()
    for ns in "$LAN" "$ATTACKERS" "$GATEWAY" "$SERVERS"; do
        ip netns add "$ns" || return 1
        ip -n "$ns" link set lo up
        ip netns exec "$ns" sysctl -qw net.ipv6.conf.{all,default}.accept_dad=0 net.ipv4.ip_forward=0
    done
    rig_link "$LAN" 10.1.0.2 lan 10.1.0.1
    rig_link "$ATTACKERS" 10.2.0.2 att 10.2.0.1
    rig_link "$SERVERS" 203.0.113.2 wan 203.0.113.1
    rig_address "$LAN" eth0 10.1.0.80
    for ns in {3..5} {10..25}; do spare+=("203.0.113.$ns"); done
    rig_address "$SERVERS" eth0 "${spare[@]}"
    ip netns exec "$LAN" sysctl -qw net.ipv4.ip_local_port_range="1024 65535"
    gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.{all,default,att,lan}.rp_filter=0
    rig_routes && rig_rules
}

# What runs in the namespaces of rig PID, which is dead or ending, and the namespaces themselves.
rig_remove() { # PID
    local ns pids
    for ns in lan att gw srv; do
        ns=ctwlab-$1-$ns
        [ -e "/run/netns/$ns" ] || continue
        pids=$(ip netns pids "$ns" 2>/dev/null)
        # shellcheck disable=SC2086 # a list of processes
        [ -z "$pids" ] || kill $pids 2>/dev/null
        ip netns delete "$ns" 2>/dev/null
    done
}
rig_remove_dead() { # rigs whose script was killed
    local path pid
    for path in /run/netns/ctwlab-*-gw; do
        pid=${path#/run/netns/ctwlab-}
        pid=${pid%-gw}
        [ -e "$path" ] && ! kill -0 "$pid" 2>/dev/null && rig_remove "$pid"
    done
    return 0
}
rig_watch() { # a watcher that removes this rig when the script is killed
    local me=$$
    (
        trap '' INT HUP TERM
        while kill -0 $me 2>/dev/null; do sleep 1; done
        rig_remove $me
    ) </dev/null >/dev/null 2>&1 9>&- &
    disown
}
