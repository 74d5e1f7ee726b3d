#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The recipes of doc/recipes.md, their lines taken out of it: what must go goes, what must live lives. Needs root; BIN and
# TOOLS name the directories of the programs.
set -u
BIN=${BIN:?BIN must name the directory of ctwarden} TOOLS=${TOOLS:?TOOLS must name the directory of ctfill}
here=$(cd "$(dirname "$0")" && pwd)
top=$here/../..
# shellcheck source=tests/root/act_lab.sh
. "$here/act_lab.sh"
act_enter "$@"
export BIN TOOLS

# ---- the document: block NAME is what follows "<!-- run: NAME -->" ----
names=$(sed -n 's/^<!-- run: \([a-z-]*\) -->$/\1/p' "$top/doc/recipes.md")
block() { # NAME
    awk -v want="$1" '/^<!-- run: /{name = $3} /^```$/{on = 0; name = ""} on && name == want; /^```sh$/{on = name != ""}' \
        "$top/doc/recipes.md"
}
# The lines as they stand: by this name, and without the configuration of this machine.
run_block() { # NAME
    block "$1" >"$work/block"
    # shellcheck disable=SC2016 # expanded inside
    PATH=$BIN:$PATH unshare -m bash -c '[ ! -d /etc/ctwarden ] || mount -t tmpfs none /etc/ctwarden; . "$1"' block \
        "$work/block" >"$work/out" 2>"$work/err" </dev/null
}

# ---- flows ----
make() { conntrack -I "$@" >/dev/null 2>"$work/made" || { cat "$work/made"; ok "an entry is made: $*" 1; }; }
established() { make -p tcp --state ESTABLISHED -u ASSURED,SEEN_REPLY -t 432000 -d 198.51.100.1 --dport 443 "$@"; }
quiet() { # SECONDS: established and silent for so long
    local idle=$1; shift
    make -p tcp --state ESTABLISHED -u ASSURED,SEEN_REPLY -t $((432000 - idle)) -d 198.51.100.2 --dport 443 "$@"
}
unanswered() { make -p udp -t 600 -d 198.51.100.3 --dport 53 "$@"; }
DAY=86400
# Those of nobody's interest, more than half of the table.
crowd() {
    local source # each has a port of its own; none has 80
    for source in 2000 2002 2004; do
        fill -n 20 -s 1 -p tcp -u 0 -a 100 -t 432000 -F $source -o $((source * 50))
        fill -n 10 -s 1 -p udp -u 0 -a 100 -t 120 -F $source -o $((source * 50 + 30))
    done
    established -s 10.1.0.67 --sport 1000
}

# ---- for each recipe: lives_NAME makes what must live besides the crowd, goes_NAME what must go ----
lives_source() { unanswered -s 10.1.0.6 --sport 1; unanswered -s 10.9.0.1 --sport 2 -d 10.1.0.66; }
goes_source() { unanswered -s 10.1.0.66 --sport 1; established -s 10.1.0.66 --sport 2 -m 9; }
lives_unanswered() { established -s 10.1.0.66 --sport 3; unanswered -s 10.1.0.65 --sport 1; }
goes_unanswered() { unanswered -s 10.1.0.66 --sport 1; make -p tcp --state SYN_SENT -t 100 -s 10.1.0.66 -d 198.51.100.9 --sport 9 --dport 22; }
lives_port() { unanswered -s 10.1.0.5 --sport 80 --dport 80; established -s 10.1.0.5 --sport 80; }
goes_port() { established -s 10.1.0.5 --sport 1 --dport 80; quiet 9 -s 10.1.0.6 --sport 1 --dport 80; }
lives_stale() { quiet $((DAY - 600)) -s 10.1.0.1 --sport 1; make -p tcp --state ESTABLISHED -t 200 -s 10.1.0.3 -d 198.51.100.1 --sport 7 --dport 7 -u ASSURED,SEEN_REPLY; }
goes_stale() { quiet $((DAY + 60)) -s 10.1.0.1 --sport 2; quiet $((4 * DAY)) -s 10.1.0.2 --sport 1; }
lives_stale-protect() { lives_stale; quiet $((2 * DAY)) -s 10.0.0.3 --sport 5; }
goes_stale-protect() { goes_stale; quiet $((2 * DAY)) -s 10.0.0.9 --sport 5; }
lives_wan-mark() { established -s 10.1.0.1 --sport 1 -m 1; established -s 10.1.0.1 --sport 2 -m 0x102; }
goes_wan-mark() { established -s 10.1.0.1 --sport 3 -m 2; unanswered -s 10.1.0.1 --sport 4 -m 2; }
lives_wan-address() { unanswered -s 10.1.0.1 --sport 1 --src-nat 203.0.113.2; unanswered -s 203.0.113.1 --sport 1; }
goes_wan-address() { unanswered -s 10.1.0.1 --sport 2 --src-nat 203.0.113.1; unanswered -s 10.1.0.2 --sport 3 --src-nat 203.0.113.1; }
lives_scanner() {
    established -s 192.0.2.7 --sport 1; unanswered -s 192.0.2.7 --sport 2
    make -p tcp --state SYN_RECV -u SEEN_REPLY -t 50 -s 10.1.0.1 -d 198.51.100.1 --sport 3 --dport 22
}
goes_scanner() {
    make -p tcp --state SYN_RECV -u SEEN_REPLY -t 50 -s 192.0.2.7 -d 198.51.100.1 --sport 4 --dport 22
    make -p tcp --state SYN_SENT -t 100 -s 192.0.2.8 -d 198.51.100.1 --sport 5 --dport 23
}
lives_ban() { unanswered -s 192.0.2.70 --sport 1; unanswered -s 10.1.0.1 -d 192.0.2.8 --sport 2; }
goes_ban() {
    unanswered -s 192.0.2.7 --sport 1; unanswered -s 10.1.0.1 -d 192.0.2.7 --sport 2
    unanswered -s 10.1.0.1 --sport 3 -d 10.96.0.1 --dst-nat 192.0.2.7
}
lives_ban-list() { lives_ban; make -p udp -t 600 -s 2001:db8:bad:1::1 -d 2001:db8::1 --sport 1 --dport 53; }
goes_ban-list() { goes_ban; make -p udp -t 600 -s 2001:db8:bad::1 -d 2001:db8::1 --sport 1 --dport 53; }
lives_zone() { unanswered -s 10.1.0.1 --sport 1; unanswered -s 10.1.0.1 --sport 1 -w 8; }
goes_zone() { unanswered -s 10.1.0.1 --sport 1 -w 7; established -s 10.1.0.2 --sport 1 -w 7; }
lives_tenant() { established -s 10.8.0.1 --sport 1 -m 0x300; unanswered -s 10.8.0.1 -d 10.8.0.2 --sport 2 -m 2; }
goes_tenant() { established -s 10.8.0.9 --sport 3 -m 0x2ff; unanswered -s 10.7.1.1 --sport 4; unanswered -s 10.1.0.1 -d 10.7.255.1 --sport 5; }
lives_pickup() { make -p tcp --state SYN_SENT -t 100 -s 10.1.0.1 -d 198.51.100.1 --sport 1 --dport 22; unanswered -s 10.1.0.1 --sport 1; }
goes_pickup() { make -p tcp --state ESTABLISHED -t 300 -s 198.51.100.1 -d 10.1.0.1 --sport 443 --dport 5000; }
lives_nightly() { quiet $((2 * DAY - 600)) -s 10.1.0.1 --sport 1; }
goes_nightly() { quiet $((2 * DAY + 60)) -s 10.1.0.1 --sport 2; quiet $((4 * DAY)) -s 10.1.0.2 --sport 3; }

set_up() { # NAME
    empty
    crowd
    "lives_$1"
    list >"$work/living"
    "goes_$1"
    list >"$work/before"
}
all_live() { same "$1: what must live lives, the rest went" "$(cat "$work/living")" "$(list)"; }

recipe_plain() { # NAME
    set_up "$1"
    ok "$1: there is something to go" "$([ "$(wc -l <"$work/before")" -gt "$(wc -l <"$work/living")" ]; echo $?)"
    same "$1: and it would be there without the recipe" "$(cat "$work/before")" "$(list)"
    run_block "$1"; code=$?
    same "$1: $(tail -n 1 "$work/block"): exit 0" 0 $code
    [ $code = 0 ] || sed 's/^/#   /' "$work/err"
    all_live "$1"
    run_block "$1"
    same "$1: again: nothing to do, exit 0" 0 $?
    all_live "$1, again"
}

# ---- those with more to see ----
recipe_shorten() {
    empty
    crowd
    lives_stale
    goes_stale
    list >"$work/before"
    run_block shorten
    same "shorten: exit 0" 0 $?
    same "shorten: nothing goes at once" "$(cat "$work/before")" "$(list)"
    same "shorten: the two quiet ones have an hour left, no other" "2" \
        "$(conntrack -L -o extended -p tcp 2>/dev/null | awk '$5 <= 3600 && $5 > 3000' | wc -l)"
}

# A client that goes on sending to a service whose endpoint has moved; all addresses are this namespace's.
recipe_endpoint() {
    empty
    ip addr add 10.244.0.0/24 dev lo
    ip route add 10.96.0.10 dev lo
    nft -f - <<'N'
table ip recipes {
    chain out { type nat hook output priority -100; ip daddr 10.96.0.10 udp dport 53 dnat to 10.244.0.5; }
    chain in { type filter hook input priority 0; ip daddr 10.244.0.5 udp dport 53 drop; }
}
N
    crowd
    unanswered -s 10.1.0.1 --sport 1
    make -p udp -u SEEN_REPLY -t 600 -s 10.1.0.2 -d 10.96.0.10 --sport 1 --dport 53 --dst-nat 10.244.0.5
    make -p udp -t 600 -s 10.1.0.2 -d 10.96.0.10 --sport 2 --dport 53 --dst-nat 10.244.0.6
    list >"$work/living"
    : >"$work/sent"; : >"$work/got"
    /usr/bin/python3 - "$work" <<'P' &
import socket, sys, time
got = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
got.bind(("10.244.0.6", 53))
got.setblocking(False)
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.bind(("127.0.0.1", 4000))
for i in range(2400):
    try:
        client.sendto(b"x", ("10.96.0.10", 53))
    except OSError:
        pass
    open(sys.argv[1] + "/sent", "a").write("x")
    time.sleep(0.05)
    try:
        got.recv(100)
        open(sys.argv[1] + "/got", "a").write("x")
    except BlockingIOError:
        pass
P
    pids+=($!)
    until_true grep -q x "$work/sent"
    sent_more
    ok "endpoint: the client's flow is translated to the dead target" "$(conntrack -L -p udp 2>/dev/null |
        grep 'src=127.0.0.1' | grep 'UNREPLIED' | grep -q 'src=10.244.0.5'; echo $?)"
    nft flush chain ip recipes out
    nft add rule ip recipes out ip daddr 10.96.0.10 udp dport 53 dnat to 10.244.0.6
    sent_more
    same "endpoint: the rule alone does not help: the sender keeps its entry" "" "$(cat "$work/got")"
    run_block endpoint
    same "endpoint: exit 0" 0 $?
    until_true grep -q x "$work/got"
    ok "endpoint: the next packet finds the new target" $?
    same "endpoint: what must live lives" "$(cat "$work/living")" "$(list | grep -v 'src=127.0.0.1')"
    kill "${pids[-1]}"; wait "${pids[-1]}" 2>/dev/null
    unset 'pids[-1]'
    nft delete table ip recipes
}
until_true() { # COMMAND...
    local end=$((SECONDS + 60))
    until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.05; done
}
sent_more() { # until ten more packets are on their way
    local now; now=$(wc -c <"$work/sent")
    # shellcheck disable=SC2016 # expanded inside
    until_true bash -c '[ $(wc -c <"$1") -gt $(($2 + 10)) ]' more "$work/sent" "$now"
}

# ---- the units ----
check_units() {
    local unit=$top/dist/ctwarden-cleanup.service line
    line=$(sed -n 's/^ExecStart=//p' "$unit")
    same "the unit runs the line of the recipe" "/usr/sbin/$(block nightly)" "$line"
    set_up nightly
    read -ra words <<<"${line/#\/usr\/sbin/$BIN}"
    # With the rights the unit leaves it.
    read -ra rights <<<"$(sed -n 's/^CapabilityBoundingSet=//p' "$unit" | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/^/-all /')"
    setpriv --bounding-set "$(IFS=,; echo "${rights[*]}")" --no-new-privs "${words[@]}" --config "$work/none.json" \
        >"$work/out" 2>"$work/err"
    same "the unit's line, with the unit's rights: exit and figures" "0 2 0" "$? $(member deleted left)"
    all_live "the unit's line"
    sums_up "the unit's line"
    "$PYTHON" "$here/../check-schemas.py" "$work/out" >"$work/schemas" 2>&1; ok "its log fits the schema" $?
    for n in $(seq 1 9); do quiet $((2 * DAY + n * 600)) -s 10.1.1.1 --sport $((10 * n)); done
    for i in "${!words[@]}"; do [ "${words[i]}" != 100000 ] || words[i]=4; done
    "${words[@]}" --config "$work/none.json" >"$work/out" 2>"$work/err"
    same "a limit takes those silent longest" "4 5 10 20 30 40 50" \
        "$(member deleted left) $(conntrack -L -s 10.1.1.1 2>/dev/null | grep -oE 'sport=[0-9]+' | awk 'NR % 2' | cut -d= -f2 | sort -n | xargs)"
    if command -v systemd-analyze >/dev/null; then
        sed "s|/usr/sbin|$BIN|" "$unit" >"$work/ctwarden-cleanup.service"
        cp "$top/dist/ctwarden-cleanup.timer" "$work"
        systemd-analyze verify --man=no "$work/ctwarden-cleanup.service" "$work/ctwarden-cleanup.timer" >"$work/verify" 2>&1
        same "systemd-analyze verify: exit and words" "0 " "$? $(cat "$work/verify")"
    else
        echo "# systemd-analyze is not installed: the units are not verified"
    fi
}
PYTHON=/usr/bin/python3

# ---- conntrack side by side ----
beside() { # NAME FILTER...: the recipe and conntrack -D take the same
    local name=$1; shift
    set_up "$name"
    conntrack -D "$@" >/dev/null 2>&1
    all_live "conntrack -D $*"
}

for name in $names; do
    if declare -F "recipe_$name" >/dev/null; then "recipe_$name"; else recipe_plain "$name"; fi
done
same "every recipe of this test is in the document" "$(echo "$names" | sort)" \
    "$(declare -F | sed -n 's/^declare -f \(goes\|recipe\)_//p' | grep -v '^plain$' | sort)"
beside source -s 10.1.0.66
beside port -p tcp --dport 80
beside wan-mark -m 2
beside wan-address -n 203.0.113.1
beside zone -w 7
check_units
# What the manual shows as an example is one of these.
sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/s/^\.Dl # //p' "$top/man/ctwarden.8" | grep -E '^ctwarden (-j )?(flush|timeout|kill)' >"$work/man"
for name in $names; do block "$name"; done >"$work/blocks"
same "the examples of the manual are recipes" "" "$(grep -vxFf "$work/blocks" "$work/man")"
ok "and there are some" "$([ "$(wc -l <"$work/man")" -ge 8 ]; echo $?)"
act_done
