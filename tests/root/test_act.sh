#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# flush, timeout, kill, sweep and self-test against conntrack's own idea of the same filter: what is meant goes, what must
# live lives, whichever way it is done. Needs root; BIN and TOOLS name the directories of the programs.
set -u
BIN=${BIN:?BIN must name the directory of ctwarden} TOOLS=${TOOLS:?TOOLS must name the directory of ctfill}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/root/act_lab.sh
. "$here/act_lab.sh"
act_enter "$@"
export BIN TOOLS

table() { # the same each time
    empty
    fill -n 3000 -s 20 -z 1 -m 3:4 -6 20 -S 5 -N 10 -o 0
    fill -n 500 -s 5 -Z 7 -m 0 -S 6 -o 10000
}

# ---- flush: the filter for both programs; conntrack's own list of it is what must go ----
flush_as() { # NAME "--yes or nothing" FILTER...
    local name=$1 mode=() yes=$2; shift 2
    [ -z "$yes" ] || mode=("$yes")
    table
    list >"$work/before"
    # shellcheck disable=SC2086
    list "$@" >"$work/meant"
    act -j flush "${mode[@]}" "$@"
    list >"$work/after"
    same "flush $* ($name): exactly what conntrack -L $* shows goes" "$(comm -23 "$work/before" "$work/meant")" "$(cat "$work/after")"
    same "flush $* ($name): exit and figures" "0 $(wc -l <"$work/meant")" "$code $(member deleted)"
    sums_up "flush $* ($name)"
    echo "#   way: $(member way counted)"
}
table
source=$(ctw -j top -f ipv4 -n 1 | /usr/bin/python3 -c 'import json,sys; print(json.load(sys.stdin)["rows"][0]["address"])')
for filter in "-s $source" "-m 3" "-m 0" "-w 7" "-p icmp" "-f ipv6" "-s 10.0.0.0/29" "-p udp --dport 53" "-u ASSURED" "-m 1/1" "-q $source"; do
    # shellcheck disable=SC2086
    flush_as "--yes" --yes $filter
done
for filter in "-s $source" "-m 4" "-w 7" "-p udp" "-s 10.0.0.2/31"; do
    # shellcheck disable=SC2086
    flush_as "counted first" "" $filter
done

# ---- how many: packets that wait for a neighbour keep deleted flows in the table's counter ----
nft -f - <<'N'
table inet act {
	chain o { type filter hook output priority 0; ct state new counter; }
}
N
empty
ip link add dead0 type veth peer name dead1
ip addr add 10.88.0.1/24 dev dead0
ip link set dead0 up
ip link set dead1 up
/usr/bin/python3 - <<'P'
import socket
for port in range(20000, 20300):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("10.88.0.1", port))
        s.sendto(b"x", ("10.88.0.2", 9))
P
meant=$(count -d 10.88.0.2)
act -j flush -d 10.88.0.2 --yes
same "flows to a dead neighbour: all that are meant are counted" "300 $meant before 0" "$meant $(member deleted counted) $(count -d 10.88.0.2)"
echo "#   the table's counter still says $(conntrack -C)"
ip link del dead0
nft delete table inet act
if [ "$(sysctl -n net.netfilter.nf_conntrack_max)" -gt 120000 ]; then
    empty
    fill -n 100100 -S 7 -m 0
    fill -n 10 -S 8 -m 9 -o 200000
    act -j flush -m 9 --yes
    same "a large table is not counted first: what the counter says" "counter 0" "$(member counted) $(count -m 9)"
    act flush -m 9 --yes
    has "and that is told as the least" "at least 0 flows deleted (by the table's counter)" "$work/err"
    act -j flush -m 9 --yes --fail-if-none
    same "but an exit code needs a count" "5 before 0" "$code $(member counted deleted)"
fi

# ---- protection ----
table
list -m 4 >"$work/safe"
list -p udp >"$work/meant"
comm -12 "$work/safe" "$work/meant" >"$work/spared"
list >"$work/before"
act -j flush --yes -p udp --protect "-m 4"
same "what is protected lives, the rest goes" "$(comm -23 "$work/before" <(comm -23 "$work/meant" "$work/spared"))" "$(list)"
same "as many are spared" "$(wc -l <"$work/spared")" "$(member spared)"
sums_up "protect"
cat >"$work/config.json" <<'J'
{ "capacity": 0, "protect": [ { "name": "four", "match": { "mark": 4 } }, # a comment
                              { "name": "tcp", "match": { "protocol": "tcp", "not": { "mark": 3 } } } ] }
J
table
list -m 4 | sort >"$work/safe"
ctw flush --yes --all --include-self --config "$work/config.json" >"$work/out" 2>"$work/err"; code=$?
same "the config's list holds against --all" 0 "$code"
same "nothing of mark 4 went" "$(cat "$work/safe")" "$(list -m 4)"
has "and it is named" 'protect "four" of the config' "$work/err"
same "udp without mark 4 went" "$(list -p udp -m 4)" "$(list -p udp)"
ctw flush --yes --all --include-self --include-protected --config "$work/config.json" >"$work/out" 2>"$work/err"
same "--include-protected lifts it" 0 "$(count)"
table
echo '{ "protect": [ { "name": "x", "match": { "src": "10.0.0.0/33" } } ] }' >"$work/broken.json"
before=$(list)
ctw flush --yes -p udp --config "$work/broken.json" >"$work/out" 2>"$work/err"; code=$?
same "a broken list stops it: exit 4" 4 "$code"
same "and nothing went" "$before" "$(list)"
has "it says where" "broken.json:1: protect[0].match.src" "$work/err"
ctw flush --yes -p udp --config "$work/missing.json" >"$work/out" 2>"$work/err"; code=$?
same "a named file that is missing stops it" 4 "$code"

# ---- the operator: a process that is called sshd, plainly and behind a redirected port, and one that is not ----
nft -f - <<'N'
table inet act {
	chain i { type filter hook input priority 0; ct state new counter; }
	chain o { type filter hook output priority 0; ct state new counter; }
	chain n { type nat hook output priority -100; tcp dport 2299 redirect to :2223; }
}
N
empty
mkfifo "$work/hold"
exec 5<>"$work/hold"
# Each forks: what it inherited, the writing end of hold and the lock, would outlive this script.
for words in "2222 sshd 2222" "2223 sshd-session 2299" "2224 sshx 2224"; do
    rm -f "$work/session"
    # shellcheck disable=SC2086
    "$here/session_peer.py" $words <"$work/hold" >"$work/session" 2>&1 5>&- 9>&- &
    pids+=($!)
    for _ in {1..600}; do grep -qs ready "$work/session" && break; sleep 0.1; done
done
fill -n 50 -S 2
same "three sessions stand in the table" "1 1 1" "$(count -p tcp --dport 2222) $(count -p tcp --dport 2299) $(count -p tcp --dport 2224)"
act flush -s 127.0.0.1 --dry-run
has "the dry run names the operator's" "spared: 2, the operator's ssh connections" "$work/out"
act -j flush --dport 2222,2299 -p tcp
same "the operator's live" "0 0 2" "$code $(member deleted spared)"
act -j timeout --at-most 5000 -p tcp --dport 2222,2299,2224 --yes
same "their timeouts too" "1 2" "$(member changed spared)"
for filter in "-s 10.0.0.1" "-m 0 -s 10.0.0.1 -p tcp" "--dport 443 -p tcp"; do
    # shellcheck disable=SC2086
    act flush $filter --explain
    has "$filter does not meet the operator's" "way: kernel-filter" "$work/out"
done
for filter in "-s 127.0.0.1" "-p tcp" "-m 0" "--dport 2299 -p tcp" "--reply-sport 2223 -p tcp"; do
    # shellcheck disable=SC2086
    act flush $filter --explain
    has "$filter may meet the operator's" "dump-and-delete (something it matches must be spared)" "$work/out"
done
act -j kill 127.0.0.1; same "kill of the own address is refused" 2 $code
act -j flush --all --yes
same "everything: the operator's live, the rest goes" "51 2 1 1 0" "$(member deleted spared) $(count -p tcp --dport 2222) $(count -p tcp --dport 2299) $(count -p tcp --dport 2224)"
same "way" "dump-and-delete" "$(member way)"
act -j flush -p udp -m 77 --yes
same "what cannot be the operator's goes by the kernel" "kernel-filter" "$(member way)"
act -j flush --dport 2222 -p tcp --yes --include-self
same "--include-self lifts it" "1 0" "$(member deleted) $(count -p tcp --dport 2222)"
exec 5>&-
wait "${pids[@]}" # these sessions end
pids=()
nft delete table inet act

# ---- the operator in a zone, and an equal tuple in zone 0 that is not the operator's ----
nft -f - <<'N'
table inet act {
	chain p { type filter hook prerouting priority -300; tcp dport 2225 ct zone set 7; tcp sport 2225 ct zone set 7; }
	chain q { type filter hook output priority -300; tcp dport 2225 ct zone set 7; tcp sport 2225 ct zone set 7; }
	chain o { type filter hook output priority 0; tcp dport 2225 ct mark set 5; }
}
N
empty
exec 5<>"$work/hold"
rm -f "$work/session"
"$here/session_peer.py" 2225 sshd 2225 <"$work/hold" >"$work/session" 2>&1 5>&- 9>&- &
pids+=($!)
for _ in {1..600}; do grep -qs ready "$work/session" && break; sleep 0.1; done
port=$(conntrack -L -p tcp --dport 2225 2>/dev/null | grep -oE 'sport=[0-9]+' | head -1 | cut -d= -f2)
conntrack -I -s 127.0.0.1 -d 127.0.0.1 -p tcp --sport "$port" --dport 2225 -t 500 --state ESTABLISHED -m 6 >/dev/null 2>&1
fill -n 50 -S 2
fill -n 50 -S 2 -Z 7 -m 5 -o 1000
same "the same tuple stands in zone 7 and in zone 0" "1 1 2" "$(count -w 7 -m 5 -p tcp --dport 2225) $(count -m 6) $(count -p tcp --dport 2225)"
for filter in "-m 5" "-w 7" "-w 7 -m 5" "-w 7 -p tcp" "-s 127.0.0.1 -w 7"; do
    # shellcheck disable=SC2086
    act flush $filter --explain
    has "$filter may meet the operator's in zone 7" "dump-and-delete (something it matches must be spared)" "$work/out"
done
act flush -w 8 --explain
has "-w 8 cannot" "nothing protected can match this filter" "$work/out"
act -j flush -m 5 --yes
same "what has its mark goes, the operator's lives" "50 1 1" "$(member deleted spared) $(count -w 7 -p tcp --dport 2225)"
act -j flush -w 7 --yes
same "and that of its zone" "0 1 1" "$(member deleted spared) $(count -w 7 -p tcp --dport 2225)"
act -j flush -m 6 --yes
same "that of zone 0 is spared too: nobody can tell them apart" "0 1" "$(member deleted spared)"
exec 5>&-
nft delete table inet act

# ---- a dry run ----
table
before=$(list)
act flush -s "$source" --dry-run
same "a dry run exits 0" 0 $code
same "and changes nothing" "$before" "$(list)"
has "it counts" "would delete $(count -s "$source") of 3,500 flows" "$work/out"
has "it says the way" "way: " "$work/out"
act -j flush -s "$source" --dry-run
same "with -j every entry" "$(count -s "$source")" "$(grep -c '"ctwarden.flow/1"' "$work/out")"
same "and then the sum" "$(count -s "$source") True" "$(member would_delete dry_run)"
act -j flush -s "$source" --dry-run --limit 10
same "of a limit only those" "10" "$(grep -c '"ctwarden.flow/1"' "$work/out")"
act flush -s "$source" --explain
same "--explain changes nothing" "$before" "$(list)"
has "and names the way" "way: " "$work/out"

# ---- limit and order ----
act -j flush -p tcp --limit 100
same "a limit is kept" "100 $(($(echo "$before" | grep -c " tcp ") - 100))" "$(member deleted left)"
sums_up "limit"
empty
sysctl -qw net.netfilter.nf_conntrack_udp_timeout=3000
for i in $(seq 1 20); do fill -n 1 -p udp=100 -u 100 -t $((i * 100 + 500)) -o $((i * 10)); done
act -j flush -p udp --limit 5 --order idle
left=$(conntrack -L 2>/dev/null | awk '{print $3}' | sort -n | head -1)
same "the longest idle go first" "5 yes" "$(member deleted) $([ "$left" -gt 1000 ] && echo yes)"
act flush -p udp --order idle; same "an order needs a limit" 2 $code

# ---- timeouts ----
empty
fill -n 400 -s 4 -t 10000 -S 3
fill -n 100 -s 4 -t 500 -S 3 -o 5000 -m 9
act -j timeout --at-most 600 --all --yes
same "at most: the longer ones change, the others do not" "400 100" "$(member changed unchanged)"
sums_up "timeout --at-most"
same "and no one has more" 0 "$(conntrack -L -o extended 2>/dev/null | awk '$5 > 600' | wc -l)"
same "those read back have it" "112 112" "$(member verified | /usr/bin/python3 -c 'import ast,sys; v=ast.literal_eval(sys.stdin.read()); print(v["read"], v["right"])')"
act -j timeout --at-most 600 --all --yes
same "again: nothing to do" "0 500" "$(member changed unchanged)"
act -j timeout --set 5000 -m 9
same "set lengthens" "100 100" "$(member changed) $(conntrack -L -o extended -m 9 2>/dev/null | awk '$5 > 4000' | wc -l)"
same "and nothing else" 0 "$(conntrack -L -o extended 2>/dev/null | grep -v mark=9 | awk '$5 > 600' | wc -l)"
act -j timeout --add 1000 -m 9
same "add adds" 100 "$(conntrack -L -o extended -m 9 2>/dev/null | awk '$5 > 5010' | wc -l)"
act -j timeout --set 3000 --fixed -m 9
same "fixed" "0 100" "$code $(member changed)"
act -j timeout --set 2000 -m 9
same "what is fixed is refused, exit 1" "1 0 100" "$code $(member changed refused)"
sums_up "fixed"
for bad in "--set 0" "--set 1500ms" "--set 100d" "" "--set 5 --add 5"; do
    # shellcheck disable=SC2086
    act timeout $bad -m 9; same "timeout '$bad' is refused" 2 $code
done
act timeout --set 10 </dev/null; same "timeout needs a filter" 2 $code
act -j timeout --at-most 10 -p tcp --dry-run
same "a dry run changes nothing" 0 "$(conntrack -L -o extended -p tcp 2>/dev/null | awk '$5 <= 10' | wc -l)"

# ---- kill ----
table
victim=$source
list | grep -wF "$victim" | sort >"$work/meant"
list >"$work/before"
act -j kill "$victim"
same "kill: everything of the address, on all sides" "$(comm -23 "$work/before" "$work/meant")" "$(list)"
same "kill: as many" "$(wc -l <"$work/meant")" "$(member deleted)"
sums_up "kill"
act kill "$victim"; same "kill again: exit 0" 0 $code
act kill "$victim" --fail-if-none; same "--fail-if-none: exit 5" 5 $code
table
list >"$work/before"
list | awk '{print $0}' | grep -E '(src|dst)=10\.0\.0\.[23] ' >"$work/meant"
printf '10.0.0.2\n# a comment\n\n 10.0.0.3 # another\n' | ctw -j kill - --config "$work/none.json" >"$work/out" 2>"$work/err"; code=$?
same "a list on standard input" "$(comm -23 "$work/before" "$work/meant")" "$(list)"
before=$(list)
ip addr add 10.77.0.1/24 dev lo
for bad in 127.0.0.1 10.77.0.1 10.77.0.0/24 ::1 10.0.0.0/8 2001:db8::/32 nonsense "10.0.0.1 10.0.0.0/33" ""; do
    # shellcheck disable=SC2086
    act kill $bad; same "kill '$bad' is refused" "2" "$code"
done
act kill nonsense; has "and it is said what is wrong" 'nonsense: "nonsense" is no IPv4 or IPv6 address' "$work/err"
act kill 10.0.0.1/33; has "a prefix that is too long" "10.0.0.1/33: an IPv4 prefix is at most /32" "$work/err"
act kill 0.0.0.0/0 --yes; same "kill of everything is refused even with --yes" 2 "$code"
printf '10.0.0.4\n10.77.0.1\n' | ctw kill - --config "$work/none.json" 2>/dev/null
same "nothing went, of the good ones either" "$before" "$(list)"
printf '' | ctw kill - --config "$work/none.json" 2>/dev/null; same "an empty list is fine" 0 $?
printf '10.0.0.4\n10.0.0.5\0\n' | ctw kill - --config "$work/none.json" 2>"$work/err"; same "a NUL byte is refused" 2 $?
has "and it is said what it is" "standard input:2: a NUL byte" "$work/err"
printf '%0300d\n' 0 | ctw kill - --config "$work/none.json" 2>"$work/err"; same "a long line is refused" 2 $?
has "and it is said what it is" "standard input:1: a line is longer than 255 bytes" "$work/err"
printf '10.0.0.4' | ctw kill - --dry-run --config "$work/none.json" >/dev/null 2>&1; same "a last line without its end" 0 $?
awk 'BEGIN { for (i = 0; i <= 262144; i++) printf "2001:db8:%x:%x:%x::%x:%x\n", i % 251, i % 65521, i % 509, i / 65536, i % 65536 }' >"$work/list"
ctw kill - --config "$work/none.json" <"$work/list" >/dev/null 2>"$work/err"; same "too many addresses are refused" 2 $?
has "and it is said how many are too many" "more than 262144 addresses; nothing was done" "$work/err"
same "nothing went, of the good ones either" "$before" "$(list)"
nat=$(conntrack -L -f ipv4 --src-nat 2>/dev/null | head -1 | grep -oE 'dst=[0-9.]+' | tail -1 | cut -d= -f2)
act kill "$nat"
same "the NAT address of others ($nat) is refused" "2" "$code"
has "and it says so" "is the NAT address of flows of others" "$work/err"
same "nothing went" "$before" "$(list)"
ip addr del 10.77.0.1/24 dev lo
act kill 10.0.0.0/8 --yes; same "a wide prefix with --yes" "0 0" "$code $(list | grep -cE 'src=10\.0\.')"

# ---- sweep ----
swept=0
for _ in {1..5}; do # until the kernel's own collector is not there first
    empty
    fill -n 5000 -t 1 -S 9
    fill -n 10 -t 500 -S 10 -o 9000
    for _ in {1..60}; do
        ctw -j sweep >"$work/out" 2>"$work/err"
        swept=$((swept + $(member swept)))
        [ "$(member after)" = 10 ] && break
        sleep 0.05
    done
    [ $swept -gt 0 ] && break
done
same "sweep leaves what lives" "10 10" "$(member after) $(count)"
ok "sweep frees what has expired" "$([ "$swept" -gt 0 ]; echo $?)"
same "sweep says how many" "$(($(member before) - 10))" "$(member swept)"
echo "#   swept $swept of 5000"

# ---- self-test ----
ctw -j self-test --proofs "$work" >"$work/out" 2>"$work/err"; code=$?
echo "#   self-test: exit $code, $(member fast_delete proven failed text)"
same "self-test tells whether it is on" "$([ $code = 0 ] && echo True || echo False)" "$(member fast_delete)"
ctw self-test --proofs "$work/no/such" >"$work/out" 2>"$work/err"; code=$?
same "nowhere to keep the proofs: exit 1" 1 "$code"
has "and it is said where" "$work/no/such: cannot keep what is proven there: No such file" "$work/err"
act flush -s 10.0.0.1 --protect --nonsense
has "an unknown filter to protect is told as such" "no such filter; ctwarden help flush lists them" "$work/err"

# ---- every document fits its schema ----
table
{
    ctw -j flush -s "$source" --dry-run --config "$work/none.json"
    ctw -j flush -s "$source" --explain --config "$work/none.json"
    ctw -j flush -s "$source" --yes --config "$work/none.json"
    ctw -j timeout --at-most 5 -p udp --dry-run --config "$work/none.json"
    ctw -j timeout --at-most 5 -p udp --yes --config "$work/none.json"
    ctw -j kill 10.0.0.3 --dry-run --config "$work/none.json"
    ctw -j kill 10.0.0.3 --config "$work/none.json"
    ctw -j sweep
    ctw -j self-test --proofs "$work"
} >"$work/documents" 2>"$work/err"
/usr/bin/python3 "$here/../check-schemas.py" "$work/documents" >"$work/schemas" 2>&1; ok "documents fit their schemas: $(tail -1 "$work/schemas")" $?
act_done
