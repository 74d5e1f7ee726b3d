#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A gateway of three namespaces with real flows (TCP in several states, UDP one-way and two-way, ICMP, GRE, SCTP, IPv6,
# SNAT, DNAT, marks, zones): what ctwarden says of the gateway's table against what conntrack says of the same moment.
# Needs root; BIN is the directory of ctwarden.
# shellcheck disable=SC2086 # names of namespaces and lists of options are meant to split
set -u
BIN=${BIN:?BIN must name the directory of ctwarden}
here=$(cd "$(dirname "$0")" && pwd)
C=ctwf-c$$ G=ctwf-g$$ S=ctwf-s$$
work=$(mktemp -d)
mkfifo "$work/hold"
exec 5<>"$work/hold"
passed=0 failed=0
pids=()
cleanup() {
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null; done
    for ns in $C $G $S; do ip netns del $ns 2>/dev/null; done
    rm -rf "$work"
}
trap cleanup EXIT
ok() { # NAME STATUS
    if [ "$2" = 0 ]; then passed=$((passed + 1)); echo "ok - $1"; else failed=$((failed + 1)); echo "not ok - $1"; fi
}
same() { # NAME EXPECTED GOT
    if [ "$2" = "$3" ]; then ok "$1" 0; else ok "$1" 1; diff <(echo "$2") <(echo "$3") | head -20 | sed 's/^/#   /'; fi
}
gw() { ip netns exec $G "$@"; }

for ns in $C $G $S; do ip netns add $ns; ip -n $ns link set lo up; done
ip link add c0 netns $C type veth peer name gc netns $G
ip link add s0 netns $S type veth peer name gs netns $G
for ns in $C $G $S; do ip netns exec $ns sysctl -qw net.ipv6.conf.all.accept_dad=0 net.ipv6.conf.default.accept_dad=0; done
for n in 2 3 4 5 9; do ip -n $C addr add 10.1.0.$n/24 dev c0; done
ip -n $C addr add fd00:1::2/64 dev c0 nodad
ip -n $G addr add 10.1.0.1/24 dev gc; ip -n $G addr add fd00:1::1/64 dev gc nodad
ip -n $G addr add 10.2.0.1/24 dev gs; ip -n $G addr add fd00:2::1/64 dev gs nodad
ip -n $S addr add 10.2.0.2/24 dev s0; ip -n $S addr add fd00:2::2/64 dev s0 nodad
ip -n $C link set c0 up; ip -n $G link set gc up; ip -n $G link set gs up; ip -n $S link set s0 up
ip -n $C route add default via 10.1.0.1; ip -n $C -6 route add default via fd00:1::1
ip -n $S route add default via 10.2.0.1; ip -n $S -6 route add default via fd00:2::1
gw sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_acct=1
# No flow expires while two looks at it are compared, however slow the machine.
# shellcheck disable=SC2016 # the inner shell expands it
gw sh -c 'cd /proc/sys/net/netfilter && for file in nf_conntrack_*timeout*; do echo 3600 >$file; done'
gw nft -f - <<'N'
table inet t {
	chain zones {
		type filter hook prerouting priority raw;
		iifname "gc" ip saddr 10.1.0.5 ct original zone set 7
	}
	chain marks {
		type filter hook prerouting priority mangle;
		ip saddr 10.1.0.3 ct mark set 0x2a
		ct state new accept
	}
	chain to_server {
		type nat hook prerouting priority dstnat;
		iifname "gc" ip daddr 10.1.0.1 tcp dport 8080 dnat ip to 10.2.0.2:80
	}
	chain to_world {
		type nat hook postrouting priority srcnat;
		ip saddr 10.1.0.4 oifname "gs" snat ip to 10.2.0.1
	}
}
N
ip netns exec $S nft -f - <<'N'
table inet t {
	chain i {
		type filter hook input priority 0;
		tcp dport 81-85 drop
		udp dport 900-1100 drop
		ip protocol { 47, 99, 132 } drop
	}
}
N
ip netns exec $C nft -f - <<'N'
table inet t {
	chain i {
		type filter hook input priority 0;
		tcp sport 90 drop
	}
}
N

# TCP port 90 must answer its SYN: a listener of its own
cat >"$work/listen90.py" <<'P'
import socket, sys
s = socket.create_server(("10.2.0.2", 90)); print("ready", flush=True); sys.stdin.read()
P
start() { # NAMESPACE LOGFILE COMMAND...: in the background, its stdin a fifo that never ends; waits for "ready"
    local ns=$1 log=$2; shift 2
    ip netns exec "$ns" "$@" <"$work/hold" >"$work/$log" 2>&1 &
    pids+=($!)
    for _ in {1..600}; do grep -q ready "$work/$log" 2>/dev/null && return 0; sleep 0.1; done
    echo "not ok - $log did not become ready"; cat "$work/$log"; failed=$((failed + 1))
    return 1
}
start $S server /usr/bin/python3 "$here/flows_peer.py" server
start $S listen90 /usr/bin/python3 "$work/listen90.py"
start $C client /usr/bin/python3 "$here/flows_peer.py" client
sleep 0.5

# The table moves by itself (SYN retries, states): some attempts to catch a quiet moment
mask() { sed -E 's/^((ipv4|ipv6) +[0-9]+ [^ ]+ +[0-9]+) [0-9]+ /\1 T /; s/(packets|bytes)=[0-9]+/\1=N/g' | sort; }
quiet() { # runs conntrack, ctwarden "$@", conntrack; the answers land in $work/{before,got,after}
    for _ in {1..40}; do
        gw conntrack -L -o extended 2>/dev/null >"$work/before"
        gw "$BIN/ctwarden" --direct "$@" >"$work/got" 2>"$work/err"; code=$?
        gw conntrack -L -o extended 2>/dev/null >"$work/after"
        [ "$(mask <"$work/before")" = "$(mask <"$work/after")" ] && return $code
        sleep 0.3
    done
    return $code
}
quiet flows; ok "flows exits 0" $?
same "flows are those of conntrack -L -o extended, token for token" "$(mask <"$work/before")" "$(mask <"$work/got")"
kinds=$(awk '{print $3}' "$work/before" | sort -u | tr '\n' ' ')
echo "# protocols in the table: $kinds; states: $(grep -oE 'SYN_SENT|SYN_RECV|ESTABLISHED|FIN_WAIT|CLOSE_WAIT|TIME_WAIT|LAST_ACK' "$work/before" | sort | uniq -c | tr '\n' ' ')"
for want in tcp udp icmp gre sctp unknown; do grep -q " $want " <(awk '{print " "$3" "}' "$work/before"); ok "the table holds $want" $?; done
for want in SYN_SENT SYN_RECV ESTABLISHED zone-orig= mark=42; do grep -q "$want" "$work/before"; ok "the table holds $want" $?; done

quiet -j status
count=$(gw conntrack -C)
read -r entries limit <<<"$(/usr/bin/python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); print(d["entries"], d["entries_limit"])' "$work/got")"
same "status entries are those of conntrack -C" "$count" "$entries"
same "status limit is nf_conntrack_max" "$(cat /proc/sys/net/netfilter/nf_conntrack_max)" "$limit"
stats=$(gw conntrack -S | /usr/bin/python3 -c '
import sys,re,collections
c=collections.Counter()
for line in sys.stdin:
    for k,v in re.findall(r"(\w+)=(\d+)", line): c[k]+=int(v)
print(*[c[k] for k in ("found","invalid","insert_failed","drop","early_drop","search_restart")])')
mine=$(/usr/bin/python3 -c '
import json,sys
c=json.load(open(sys.argv[1]))["counters"]
print(*[c[k] for k in ("found","invalid","insert_failed","drop","early_drop","search_restart")])' "$work/got")
same "status counters are those of conntrack -S" "$stats" "$mine"

expected() { # AWK-like python over the lines of conntrack: key per line
    /usr/bin/python3 - "$work/before" "$1" <<'P'
import collections, ipaddress, re, sys
count = collections.Counter()
for line in open(sys.argv[1]):
    words = line.split()
    proto = words[2]
    first = dict(re.findall(r"(src|dst|sport|dport|type)=(\S+)", line.split("src=", 1)[0] + "src=" + line.split("src=", 1)[1].split("src=", 1)[0]))
    reply = dict(re.findall(r"(src|dst)=(\S+)", "src=" + line.split("src=", 2)[2]))
    zone = re.search(r"\bzone(?:-orig)?=(\d+)", line)
    zone = int(zone.group(1)) if zone else 0
    def addr(a, l6):
        a = ipaddress.ip_address(a)
        text = str(a) if a.version == 4 or l6 == 128 else str(ipaddress.ip_network((a, l6), strict=False))
        return text + (f" zone {zone}" if zone else "")
    kind = sys.argv[2]
    if kind == "source": key = addr(first["src"], 64)
    elif kind == "destination": key = addr(first["dst"], 128)
    elif kind == "zone": key = str(zone)
    elif kind == "mark": key = int(re.search(r"mark=(\d+)", line).group(1))
    count[key] += 1
if kind in ("zone", "mark"): print("\n".join(map(str, sorted(count.values()))))
else: print("\n".join(f"{k} {n}" for k, n in sorted(count.items())))
P
}
rows() { # rows of the JSON answer: "key entries", or the counts alone
    /usr/bin/python3 - "$work/got" "$1" <<'P'
import json, sys
rows = json.load(open(sys.argv[1]))["rows"]
if sys.argv[2] in ("zone", "mark"): print("\n".join(map(str, sorted(r["entries"] for r in rows))))
else: print("\n".join(sorted(f'{r["key"]} {r["entries"]}' for r in rows)))
P
}
for by in source destination zone mark; do
    quiet -j top --by $by -n 1000
    same "top --by $by equals conntrack -L" "$(expected $by | sort)" "$(rows $by | sort)"
done
quiet -j top --by class -n 100
classes=$(/usr/bin/python3 -c '
import json,sys
d=json.load(open(sys.argv[1])); r={x["key"]:x["entries"] for x in d["rows"]}
print(d["entries"], sum(r.values()), r.get("half-open",0), r.get("unreplied",0))' "$work/got")
listed=$(wc -l <"$work/before")
# unreplied to conntrack also is an unanswered mid-stream flow; none here
unreplied=$(grep -c UNREPLIED "$work/before"); half=$(grep -c SYN_RECV "$work/before")
same "classes sum up; half-open and unreplied as conntrack -L" "$listed $listed $half $unreplied" "$classes"

# Filters against conntrack's own
for filter in "-p tcp" "-p udp" "-s 10.1.0.9" "-d 10.2.0.2" "-m 42" "-m 42/0xff" "-f ipv6" "-p tcp --dport 80" "-u ASSURED" "-u SEEN_REPLY" "-s 10.1.0.0/24" "-r 10.2.0.2" "-q 10.2.0.1"; do
    for _ in {1..40}; do
        # shellcheck disable=SC2086
        want=$(gw conntrack -L -o extended $filter 2>/dev/null | mask); got=$(gw "$BIN/ctwarden" flows $filter 2>/dev/null | mask)
        [ "$want" = "$got" ] && break
        sleep 0.3
    done
    same "flows $filter equals conntrack -L $filter" "$want" "$got"
done
echo "$passed passed, $failed failed"
[ $failed = 0 ]
