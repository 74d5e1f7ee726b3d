# shellcheck shell=bash disable=SC2154 # run sets what is used here
# SPDX-License-Identifier: GPL-2.0-or-later
# The scenarios of the gateway lab. Sourced by run, whose settings (MAX, SECONDS_LONG, RATE, BASE, ...) they use. A scenario
# is up to three functions: heavy_NAME starts honest flows that are there before everything, calm_NAME happens while the
# users are up and nothing is wrong, attack_NAME starts the attack (all its processes end by themselves).

# name and what happens; the order of the tables
SCENARIOS='calm          no attack
synflood      one source, SYNs that nobody answers
udpflood      one source, datagrams that nobody answers
estflood      16 sources, handshakes completed
widesyn       65,536 spoofed sources, SYNs
wideest       65,536 sources, handshakes completed
udptwoway     16 sources, datagrams that are answered
ramp          handshakes of 16 sources, slowly more
bursts        handshakes of 16 sources, 2 s on, 2 s off
infected      a host of the users own network, handshakes
ipv6          users and flood over IPv6
several       SYN, UDP, established and IPv6 floods at once
service       handshakes at the port of the users service
servicesyn    spoofed SYNs at the server of the users
quiet         estflood while 300 flows are silent
busy          a heavy honest source holds 70 %, then udpflood
honest80      many honest sources hold 80 %, then estflood
longlived     honest long-lived flows are opened during estflood
latestart     estflood, the guard is started in the middle; counted from when it is up
stale         idle entries of dead peers fill the table at once
leftovers     the same, slowly, in calm
squatters     attackers hold 74 % quietly, then a flood
failover      80 % put in by ctnetlink at once, then a flood
flashcrowd    honest: many sources to one service, 84 % in the end'

GHOSTS=198.51.100.0/24
seed=0

scenario_known() { grep -q "^$1 " <<<"$SCENARIOS"; }
scenario_do() { # heavy|calm|attack NAME
    if declare -F "$1_$2" >/dev/null; then "$1_$2"; fi
}
scenario_quiet() { [ "$1" = quiet ] && echo 300 || echo 50; }

# ---- what they are made of ----

attacker() { # NAMESPACE GATEWAY-DEVICE OPTIONS
    local ns=$1 dev=$2
    shift 2
    seed=$((seed + 1))
    ip netns exec "$ns" "$PROGRAMS/ghost" --if eth0 --gw "$(mac "$GATEWAY" "$dev")" --seed $seed --secs "$SECONDS_LONG" \
        "$@" >>"$work/attackers" 9>&- &
    children+=($!)
}
attack() { attacker "$ATTACKERS" att "$@"; }
ghost_server() { # OPTIONS
    ip netns exec "$SERVERS" "$PROGRAMS/ghost" --server --if eth0 --secs "$LIMIT" "$@" >/dev/null 9>&- &
    children+=($!)
}
flood_est() { # SOURCES [OPTIONS]: handshakes completed at the ghost servers
    local src=$1
    shift
    ghost_server --dst $GHOSTS
    attack --src "$src" --dst $GHOSTS --dport 80 --mode est --rate "$RATE" "$@"
}
# One address and port has 64,512 NAT ports.
one_victim() { [ "$MAX" -gt 60000 ] && echo 198.51.100.0/28 || echo 198.51.100.9/32; }

# Heavy honest flows: N held by several processes (the files of one are limited), from SOURCES.
heavy_flows() { # N SOURCES
    local parts=$(($1 / FILES_EACH + 1)) k
    for ((k = 0; k < parts; k++)); do
        users "heavy$k" --addr 203.0.113.2 --from "$2" --spread 16 --gold $(($1 / parts)) --beat $((4 + $1 / 5000))
        heavy_pids+=("$users_pid")
    done
    for ((k = 0; k < parts; k++)); do users_up "heavy$k"; done
    heavy=$(($1 / parts * parts))
}
# Honest flows that are opened in the course of the attack and stay.
kept_flows() { # N SOURCES SPREAD
    local parts=$(($1 / FILES_EACH + 1)) k
    for ((k = 0; k < parts; k++)); do
        users "heavy$k" --addr 203.0.113.2 --from "$2" --spread "$3" --keep --secs "$SECONDS_LONG" \
            --rate $(($1 * 1000 / SECONDS_LONG / parts))e-3
        heavy_pids+=("$users_pid")
    done
    heavy=$1
}
# Entries whose peers are dead, made as packets make them and not as a table sync does: idle for 1 h, 4 h, 1 day, 4 days, as far as the gateway's timeout lets them live.
leftover_timeouts() { echo $((BASE - 3600)),$((BASE - 14400)),$((BASE - 86400)),$((BASE - 345600)); }
leftover_entries() { # OPTIONS
    gw "$PROGRAMS/entries" put $((MAX + MAX / 20)) --late --src 10.9.0.0/16 --dst $GHOSTS --timeouts "$(leftover_timeouts)" "$@" \
        >"$work/put" 9>&- &
    children+=($!)
}

# ---- the scenarios ----

attack_synflood() { attack --src 10.9.0.7/32 --dst "$(one_victim)" --dport 1-60000 --mode syn --rate "$RATE"; }
attack_udpflood() { attack --src 10.9.0.7/32 --dst $GHOSTS --dport 1-60000 --mode udp --rate "$RATE"; }
attack_estflood() { flood_est 10.9.0.0/28; }
attack_widesyn() { attack --src 10.9.0.0/16 --dst $GHOSTS --dport 80 --mode syn --rate "$RATE"; }
attack_wideest() { flood_est 10.9.0.0/16; }
attack_udptwoway() {
    ghost_server --dst $GHOSTS --udp-echo
    attack --src 10.9.0.0/28 --dst $GHOSTS --dport 53 --mode udp --rate "$RATE"
}
attack_ramp() { flood_est 10.9.0.0/28 --rate0 50; }
attack_bursts() { flood_est 10.9.0.0/28 --on 2 --off 2; }
attack_infected() {
    ghost_server --dst $GHOSTS
    attacker "$LAN" lan --src 10.1.0.66/32 --dst $GHOSTS --dport 443 --mode est --rate "$RATE"
}
attack_ipv6() {
    ghost_server --dst $GHOSTS --v6
    attack --v6 --src 10.9.0.0/16 --dst $GHOSTS --dport 80 --mode est --rate "$RATE"
}
attack_several() {
    local each=$((RATE / 4))
    ghost_server --dst $GHOSTS
    ghost_server --dst $GHOSTS --v6
    attack --src 10.9.0.7/32 --dst "$(one_victim)" --dport 1-60000 --mode syn --rate $each
    attack --src 10.9.0.8/32 --dst $GHOSTS --dport 1-60000 --mode udp --rate $each
    attack --src 10.9.1.0/28 --dst $GHOSTS --dport 80 --mode est --rate $each
    attack --v6 --src 10.9.2.0/24 --dst $GHOSTS --dport 80 --mode est --rate $each
}
attack_service() { # behind the same prefix and port as the users' server
    ghost_server --dst 203.0.113.128/25
    attack --src 10.9.0.0/16 --dst 203.0.113.128/25 --dport 7000 --mode est --rate "$RATE"
}
attack_servicesyn() { attack --src 10.9.0.0/16 --dst 203.0.113.2/32 --dport 7000 --mode syn --rate "$RATE"; }
attack_quiet() { attack_estflood; }
heavy_busy() { heavy_flows $((MAX * 7 / 10)) 10.1.0.80/32; }
attack_busy() { attack_udpflood; }
heavy_honest80() { heavy_flows $((MAX * 8 / 10)) 10.4.0.0/16; }
attack_honest80() { attack_estflood; }
attack_longlived() {
    attack_estflood
    kept_flows 100 10.1.0.2/32 0
}
attack_latestart() { attack_estflood; }
attack_stale() { leftover_entries; }
attack_leftovers() { leftover_entries --rate $((MAX * 105 / 100 / SECONDS_LONG)); }
calm_squatters() {
    ghost_server --dst $GHOSTS
    attack --src 10.9.0.0/24 --dst $GHOSTS --dport 80 --mode est --rate $((MAX * 74 / 400)) --secs 4
    sleep $((4 + WARMUP))
}
attack_squatters() { attack --src 10.9.16.0/20 --dst $GHOSTS --dport 80 --mode est --rate "$RATE"; }
calm_failover() {
    heavy=$((MAX * 8 / 10))
    gw "$PROGRAMS/entries" put $heavy --src 10.3.0.0/16 --dst 198.18.0.0/24 --timeouts "$BASE" >"$work/put"
    sleep 1
}
attack_failover() { attack_estflood; }
attack_flashcrowd() { kept_flows $((MAX * 84 / 100)) 10.4.0.0/16 $((MAX > 60000 ? 16 : 0)); }
