#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A peer of the guard: the timeouts that blogs suggest against a full table, all of them short, and nothing else.
set -e
set_timeout() { sysctl -qw "net.netfilter.nf_conntrack_$1=$2"; }
set_timeout tcp_timeout_established 600
for state in syn_sent syn_recv fin_wait close_wait; do set_timeout tcp_timeout_$state 20; done
for state in last_ack time_wait; do set_timeout tcp_timeout_$state 10; done
set_timeout tcp_timeout_close 5
set_timeout tcp_timeout_unacknowledged 60
set_timeout tcp_timeout_max_retrans 60
set_timeout udp_timeout 10
set_timeout udp_timeout_stream 60
set_timeout icmp_timeout 5
exec sleep 3600
