#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bad days of the commands that write: broken scripts, values that look like "any", races, signals, closed output, missing
# rights. Each checks that what must live lives. Needs root; BIN and TOOLS name the directories of the programs.
set -u
BIN=${BIN:?BIN must name the directory of ctwarden} TOOLS=${TOOLS:?TOOLS must name the directory of ctfill}
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/root/act_lab.sh
. "$here/act_lab.sh"
act_enter "$@"

# ---- nothing by accident ----
fill -n 500 -s 5 -S 1
before=$(list)
refused() { # NAME WORDS...
    local name=$1; shift
    act "$@"
    same "$name: exit 2" 2 "$code"
    same "$name: nothing went" "$before" "$(list)"
}
empty_variable=
refused "an empty variable" flush -s "$empty_variable" --yes
refused "no filter" flush --yes
refused "no filter (timeout)" timeout --at-most 5 --yes
refused "an empty list" flush -s "," --yes
refused "an empty file" flush -s @/dev/null --yes
refused "an empty --protect" flush -p udp --yes --protect ""
refused "a --protect that protects nothing" flush -p udp --yes --protect " "
refused "a --protect that is no filter" flush -p udp --yes --protect "--json"
refused "a --protect with a bad address" flush -p udp --yes --protect "-s 10.0.0.0/33"
refused "--all and a filter" flush --all -p udp --yes
refused "-s 0.0.0.0/0 without --yes" flush -s 0.0.0.0/0
has "which says how many" "$(count) of $(count) flows (100.0 %)" "$work/err"
refused "--all without --yes" flush --all
refused "timeouts of more than half" timeout --at-most 5 -s 0.0.0.0/0
refused "a contradiction: port of icmp" flush -p icmp --dport 80 --yes
refused "a contradiction: this and not this" flush -p tcp ! -p tcp --yes
refused "a contradiction: families" flush -s 10.0.0.1 -d 2001:db8::1 --yes
refused "a word too many" flush udp --yes

# At a terminal it asks; the answer is taken literally.
for answer in $'\n' $'n\n' $'yes please\n' $'\x03' $'\x04'; do # the last two: Ctrl-C, and the end of input
    "$here/terminal_peer.py" "$answer" "$BIN/ctwarden" flush -s 0.0.0.0/0 --config "$work/none.json" >"$work/out"
    code=$? answer=$(printf %q "$answer")
    same "the answer $answer is no" "1" "$code"
    has "and it says that nothing was done" "nothing was done" "$work/out"
    same "and nothing went" "$before" "$(list)"
done
"$here/terminal_peer.py" $'y\n' "$BIN/ctwarden" flush -s 0.0.0.0/0 --config "$work/none.json" >"$work/out"
same "the answer y is yes" "0 0" "$? $(count -f ipv4)"

# ---- values that look like "any" ----
empty
fill -n 100 -m 0 -S 1; fill -n 100 -m 5 -S 1 -o 1000; fill -n 100 -Z 3 -m 5 -S 1 -o 2000
act flush -m 0
same "mark 0 is a value" "0 0 200" "$code $(count -m 0) $(count -m 5)"
act flush -w 0 --yes
same "zone 0 is a value" "0 100" "$code $(count)"
same "and zone 3 lives" 100 "$(count -w 3)"
empty
for zone in 1 2 0; do
    conntrack -I -s 10.5.0.1 -d 10.5.0.2 -p udp --sport 7 --dport 9 -t 100 -w $zone >/dev/null 2>&1
done
fill -n 10
conntrack -I -s 10.5.0.1 -d 10.5.0.2 -p udp --sport 8 --dport 9 -t 100 >/dev/null 2>&1
same "three zones have the same tuple" 3 "$(count -s 10.5.0.1 -p udp --sport 7)"
act -j flush -w 1
same "only that of its zone goes" "1 0 1" "$(member deleted) $(count -w 1) $(count -w 2)"
act -j timeout --set 77 -s 10.5.0.1 --sport 7 -w 2
same "only that of its zone changes" "1 1" "$(member changed) $(conntrack -L -o extended -s 10.5.0.1 2>/dev/null | awk '$5 <= 77' | wc -l)"
act -j flush -s 10.5.0.1 --sport 7 -p udp
same "without a zone both go, with what is left" "2 1" "$(member deleted) $(count -s 10.5.0.1)"
empty
conntrack -I -s 10.6.0.1 -d 10.6.0.2 -p tcp --sport 7 --dport 9 -t 100 --state ESTABLISHED >/dev/null 2>&1
fill -n 10 -S 4
act flush -s ::ffff:10.6.0.1
same "a v4-mapped address is IPv4" "0 0 10" "$code $(count -s 10.6.0.1) $(count)"
act kill ::ffff:10.0.0.1; same "so it is for kill" "0" "$code"

# ---- races ----
sysctl -qw net.netfilter.nf_conntrack_timestamp=1
# Tuples that die and are made again between the survey and their turn.
empty
fill -n 300 -s 3 -S 2 -m 1 -t 500
fill -n 400 -s 3 -S 3 -m 2 -o 5000 -t 500
"$BIN/ctwarden" -j flush -m 1 --rate 40 --config "$work/none.json" >"$work/out" 2>"$work/err" &
pid=$!
pids+=("$pid")
for _ in {1..300}; do [ "$(conntrack -C)" -lt 700 ] && break; sleep 0.1; done
empty # conntrack -D would end at the first entry that we were quicker with
fill -n 300 -s 3 -S 2 -m 1 -t 500 # the same tuples
fill -n 400 -s 3 -S 3 -m 2 -o 5000 -t 500
wait $pid; code=$?
read -r deleted gone <<<"$(member deleted gone)"
sums_up "tuples made again"
same "tuples made again: exit 0" 0 $code
ok "tuples made again: those were skipped ($deleted deleted, $gone gone)" "$([ "$gone" -gt 0 ] && [ "$deleted" -lt 300 ]; echo $?)"
same "tuples made again: the new lives live" 300 "$(count -m 1)"
same "tuples made again: all others live" 400 "$(count -m 2)"
# Flushed by somebody else meanwhile.
empty
fill -n 300 -m 1 -t 500; fill -n 400 -m 2 -o 5000 -t 500
"$BIN/ctwarden" -j flush -m 1 --rate 40 --config "$work/none.json" >"$work/out" 2>"$work/err" &
pid=$!
pids+=("$pid")
for _ in {1..300}; do [ "$(conntrack -C)" -lt 700 ] && break; sleep 0.1; done
empty
wait $pid
same "flushed by others: exit 0" 0 $?
sums_up "flushed by others"
ok "flushed by others: the rest is gone" "$([ "$(member gone)" -gt 0 ]; echo $?)"
# conntrack -D of the same entries and a flood of new ones at the same time.
empty
fill -n 6000 -s 20 -m 1 -t 500 -S 7; fill -n 2000 -m 2 -o 50000 -t 500 -S 8
(for i in $(seq 1 12); do conntrack -D -s "10.0.0.$i" >/dev/null 2>&1; done) &
pids+=($!); deleter=$!
"$TOOLS/ctchurn" nl -c 60000 >/dev/null 2>&1 &
pids+=($!); churn=$!
act -j flush -m 1 --yes --limit 4000000
same "conntrack -D and a flood meanwhile: exit 0" 0 "$code"
sums_up "conntrack -D and a flood meanwhile"
wait $deleter $churn
same "none of them is left" 0 "$(count -m 1)"
same "all of the others live, but what conntrack deleted" "$(count -m 2)" "$(list -m 2 | sort -u | wc -l)"
echo "#   $(member deleted gone) deleted and gone"
# Refused: fixed timeouts.
empty
fill -n 50 -m 1 -t 500; fill -n 50 -m 2 -t 500 -o 1000
act timeout --set 400 --fixed -m 1
act -j timeout --at-most 5 --all --yes
same "refused ones are counted, the others changed, exit 1" "1 50 50" "$code $(member changed refused)"
sums_up "refused"
act -j flush -m 1
same "a fixed one can be deleted" "0 50" "$code $(member deleted)"

# ---- a signal in the middle ----
empty
fill -n 3000 -m 1 -t 500; fill -n 500 -m 2 -o 5000 -t 500
for mode in "--yes" "--yes --limit 2999"; do
    total=$(count -m 1)
    # shellcheck disable=SC2086
    "$BIN/ctwarden" -j flush -m 1 $mode --rate 100 --config "$work/none.json" >"$work/out" 2>"$work/err" &
    pid=$!
    pids+=("$pid")
    for _ in {1..300}; do [ "$(count -m 1)" -lt "$total" ] && break; sleep 0.1; done
    kill -INT $pid
    wait $pid
    same "SIGINT ($mode): exit 1" 1 $?
    has "SIGINT ($mode): it says so" "interrupted" "$work/err"
    sums_up "SIGINT ($mode)"
    same "SIGINT ($mode): what it says is so" "$((total - $(member deleted)))" "$(count -m 1)"
    same "SIGINT ($mode): stopped" True "$(member stopped)"
done
same "SIGINT: the others live" 500 "$(count -m 2)"

# ---- a signal while it reads: stopped in the middle of a pass, signalled, continued ----
empty
fill -n 60000 -s 100 -m 1 -t 3000; fill -n 500 -m 2 -o 100000 -t 3000
meet() { # SIGNAL WORDS...: ctwarden meets it in its first pass
    local signal=$1; shift
    # shellcheck disable=SC2016 # the inner shell expands it
    "$here/resize_peer.py" 1 sh -c "kill -$signal \$STOPPED" -- "$BIN/ctwarden" "$@" --config "$work/none.json" >"$work/out" 2>"$work/err" 3>"$work/met" </dev/null
    code=$?
    same "$* meets $signal in a pass" 1 "$(cat "$work/met")"
}
for words in "flush -m 1 -s 10.0.0.0/8" "flush -m 1 --dry-run" "timeout --at-most 5 -m 1" "kill 10.0.0.0/16" "flush --all"; do
    for signal in INT TERM; do
        # shellcheck disable=SC2086
        meet $signal $words
        same "$signal while it counts ($words): exit 1" 1 "$code"
        has "$signal while it counts ($words): it says how far it came, and that nothing was done" "entries read; nothing was done" "$work/err"
        same "$signal while it counts ($words): nothing was" "60500 60500" "$(count) $(conntrack -L -o extended 2>/dev/null | awk '$5 > 5' | wc -l)"
    done
done
# The kernel's way, which counts a table of this size first.
meet INT -j flush -m 1 --yes --protect "-s 10.250.0.1"
same "SIGINT before the kernel's own delete: nothing was done, exit 1" "1 60500" "$code $(count)"
has "SIGINT before the kernel's own delete: it says so" "nothing was done" "$work/err"
meet INT -j flush -m 1 -s 10.0.0.0/8 --yes # deletes as it reads
same "SIGINT while it deletes as it reads: exit 1, stopped" "1 True" "$code $(member stopped)"
has "SIGINT while it deletes as it reads: it says so" "interrupted" "$work/err"
sums_up "SIGINT while it deletes as it reads"
ok "SIGINT while it deletes as it reads: not all went" "$([ "$(count -m 1)" -gt 0 ]; echo $?)"
same "SIGINT while it deletes as it reads: what it says is so" "$((60000 - $(member deleted))) 500" "$(count -m 1) $(count -m 2)"

# ---- progress of a long pass, on a terminal only ----
slow=("$here/resize_peer.py" 1 sleep 1.5 -- "$BIN/ctwarden" flush -s 10.0.0.0/8 --dry-run --config "$work/none.json")
"$here/terminal_peer.py" - "${slow[@]}" >"$work/out" 3>"$work/met"
same "a long survey at a terminal" "0 1" "$? $(cat "$work/met")"
has "shows how far it is" " flows read ..." "$work/out"
"${slow[@]}" >"$work/out" 2>"$work/err" 3>"$work/met"
same "and elsewhere" "0 1" "$? $(cat "$work/met")"
same "shows nothing" "" "$(cat "$work/err")"

# ---- output closed, full, or read by nobody ----
empty
fill -n 300 -m 1; fill -n 400 -m 2 -o 5000
"$BIN/ctwarden" -j flush -m 1 --config "$work/none.json" 2>"$work/err" >&-
same "stdout closed: the work is done, the failure told" "1 0 400" "$? $(count -m 1) $(count)"
fill -n 300 -m 1
"$BIN/ctwarden" -j flush -m 1 --config "$work/none.json" 2>"$work/err" >/dev/full
same "stdout full: the work is done, the failure told" "1 0 400" "$? $(count -m 1) $(count)"
fill -n 300 -m 1
"$BIN/ctwarden" -j flush -m 1 --config "$work/none.json" 2>"$work/err" | true
same "nobody reads: the work is done" "0 0 400" "${PIPESTATUS[0]} $(count -m 1) $(count)"
fill -n 300 -m 1
"$BIN/ctwarden" flush -m 1 --config "$work/none.json" 2>&- >/dev/null
same "stderr closed: the work is done" "0 0 400" "$? $(count -m 1) $(count)"

# ---- protection that overlaps ----
empty
fill -n 600 -s 6 -S 2; fill -n 300 -s 3 -m 9 -S 2 -o 5000
list >"$work/before"
sort -u <(list -m 9) <(list -s 10.0.0.2) >"$work/safe"
act -j flush --all --yes --protect "-m 9" --protect "-s 10.0.0.2" --protect "-m 9 -s 10.0.0.2"
same "overlapping protections: exactly those live" "$(cat "$work/safe")" "$(list)"
sums_up "overlapping protections"

# ---- others listen to deletions ----
empty
fill -n 2500 -m 1; fill -n 3000 -m 2 -o 5000
conntrack -E -e DESTROY >"$work/events" 2>/dev/null &
pids+=("$!"); listener=$!
for _ in {1..600}; do grep -q "$listener" /proc/net/netlink && break; sleep 0.1; done
act flush -m 1 --explain
has "it is paced, and says for whom" "pace: 10,000 flows a second, for these listen to deletions: conntrack" "$work/out"
act flush -m 1
has "so it says when it does it" "others listen to deletions (conntrack): at most 10000 flows a second" "$work/err"
same "and does it" "0 0 3000" "$code $(count -m 1) $(count)"
act flush -m 2 --rate 0 --yes --explain
same "--rate 0 does not wait" 0 "$(grep -c pace "$work/out")"
kill "$listener"; wait "$listener" 2>/dev/null

# ---- loopback, SCTP ----
empty
conntrack -I -s 127.0.0.1 -d 127.0.0.1 -p tcp --sport 5 --dport 6 -t 100 --state ESTABLISHED >/dev/null 2>&1
conntrack -I -s 10.8.0.1 -d 10.8.0.2 -p sctp --sport 5 --dport 6 -t 100 --state ESTABLISHED --orig-vtag 1 --reply-vtag 2 >/dev/null 2>&1
fill -n 10 -p udp=100
same "the table holds loopback and SCTP" "1 1" "$(count -s 127.0.0.1) $(count -p sctp)"
act flush -p tcp,sctp --dry-run
has "a dry run notes loopback" "of this host with itself" "$work/out"
has "and SCTP" "of SCTP" "$work/out"
act flush -p tcp,sctp
same "they go when they are asked for" "0 0 10" "$code $(count -p sctp) $(count)"

# ---- rights ----
empty
fill -n 100
before=$(list)
chmod 755 "$work"
for command in "flush -p udp --yes" "timeout --at-most 5 -p udp --yes" "kill 10.0.0.1" sweep; do
    # shellcheck disable=SC2086
    setpriv --bounding-set -net_admin --inh-caps -net_admin "$BIN/ctwarden" $command >"$work/out" 2>"$work/err" </dev/null
    same "without CAP_NET_ADMIN '$command' exits 1" 1 $?
    has "'$command' says what is missing" "needs CAP_NET_ADMIN" "$work/err"
done
same "and nothing went" "$before" "$(list)"

# ---- relieve, interrupted: never half-way without an account, whenever the signal comes ----
half=0 told=0
for delay in 0.02 0.05 0.08 0.11 0.14 0.17 0.20 0.25 0.30 0.40; do
    empty
    fill -n 9000 -s 60 -u 100 -a 0 -t 3600
    "$BIN/ctwarden" relieve --config "$work/none.json" --capacity 9000 --to 1 --yes -j >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    sleep "$delay" # any moment will do: no figure depends on it
    kill -TERM "$pid" 2>/dev/null
    wait "$pid"
    code=$?
    if [ -s "$work/out" ]; then
        told=$((told + 1))
        [ "$code" -le 1 ] && [ "$(member "done")" = $((9000 - $(count))) ] || half=$((half + 1))
    elif [ "$(count)" != 9000 ]; then
        half=$((half + 1))
    fi
done
same "relieve, interrupted: what was deleted is told" 0 "$half"
[ "$told" -gt 0 ]; ok "relieve, interrupted: and some had begun" $?

act_done
