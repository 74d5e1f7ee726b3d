#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes real flows on the loopback of its own network namespace, for ./quickstart demo.

usage: flows.py prepare | calm | surge N

prepare: addresses, short timeouts and a rule that makes conntrack work in this namespace; refuses the host's own.
calm:    some hundred TCP connections and UDP exchanges of 40 clients; prints "ready", keeps them until stdin ends.
surge N: N one-way UDP flows of 10.1.0.66 and a few hundred of two others, in about two seconds."""
import select
import socket
import subprocess
import sys

SERVER = "10.2.0.1"
TCP_PORTS = (22, 80, 443)
RULES = """
table inet demo {
    chain in { type filter hook input priority 0; ct state new counter; }
    chain out { type filter hook output priority 0; ct state new counter; }
}
"""


def run(*argv, text=None):
    subprocess.run(argv, input=text, text=True, check=True)


def prepare():
    # A fresh namespace has no interface that is up; the host's has.
    if subprocess.run(["ip", "-o", "link", "show", "up"], capture_output=True, check=True).stdout:
        sys.exit("flows.py: this network namespace is in use; run it under unshare -n")
    run("ip", "link", "set", "lo", "up")
    for net in ("10.1.0.0/16", "10.2.0.0/24"):
        run("ip", "addr", "add", net, "dev", "lo")
    run("ip", "-6", "addr", "add", "fd00:7::1/128", "dev", "lo", "nodad")
    run("nft", "-f", "-", text=RULES)
    # What stays unanswered leaves soon, so that the end of the surge is seen, too.
    with open("/proc/sys/net/netfilter/nf_conntrack_udp_timeout", "w") as f:
        f.write("8")


def listen_tcp(address, port, family=socket.AF_INET):
    server = socket.socket(family, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind((address, port))
    server.listen(4096)
    return server


def connect_tcp(server, address, client, family=socket.AF_INET):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.bind((client, 0))
    s.connect((address, server.getsockname()[1]))
    return [s, server.accept()[0]]


def calm():
    keep = []
    servers = [listen_tcp(SERVER, port) for port in TCP_PORTS]
    resolver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    resolver.bind((SERVER, 53))
    for number in range(40):
        client = f"10.1.{number // 10}.{number + 10}"
        for i in range(4 + number % 12):
            pair = connect_tcp(servers[i % len(servers)], SERVER, client)
            keep += pair
            if i % 5 == 4:
                pair[0].close()
                pair[1].close()
        for _ in range(3):
            s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            s.bind((client, 0))
            s.sendto(b"?", (SERVER, 53))
            resolver.sendto(b"!", resolver.recvfrom(16)[1])
            keep.append(s)
    server6 = listen_tcp("fd00:7::1", 443, socket.AF_INET6)
    for _ in range(25):
        keep += connect_tcp(server6, "fd00:7::1", "fd00:7::1", socket.AF_INET6)
    print("ready", flush=True)
    select.select([sys.stdin], [], [])


def surge(count):
    for source, share in (("10.1.0.66", 100), ("10.1.3.7", 6), ("10.1.2.9", 4)):
        s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        s.bind((source, 0))
        for i in range(count * share // 110):
            try:
                s.sendto(b"x", (f"10.2.0.{2 + i % 250}", 1024 + i // 250))
            except ConnectionRefusedError:
                pass


def main():
    sys.stdin.reconfigure(errors="replace")
    if sys.argv[1:] == ["prepare"]:
        prepare()
    elif sys.argv[1:] == ["calm"]:
        calm()
    elif len(sys.argv) == 3 and sys.argv[1] == "surge":
        surge(int(sys.argv[2]))
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
