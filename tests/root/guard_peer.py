#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real traffic for the tests of the guard: `server [PORT [NAME]]` echoes TCP at port 80, as a process of that name; `honest N [PORT]` opens N connections to it and
answers each "check" on its standard input with how many of them still carry data; `flood N SOURCE` makes that many one-way
UDP flows; `crowd N` opens N connections from as many sources of 10.9.0.0/16, which all keep talking, and answers each "check"
likewise; `scatter N` makes one one-way UDP flow of each of N such sources; `try SOURCE` says whether a new connection from there succeeds. Addresses are those of guard_lab.sh."""
import ctypes
import select
import socket
import sys
import threading

SERVER = "10.2.0.2"
SERVER6 = "fd00:2::2"


def server():
    if len(sys.argv) > 3:
        ctypes.CDLL(None).prctl(15, sys.argv[3].encode())  # PR_SET_NAME
    listener = socket.socket(socket.AF_INET6)
    listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("::", int(sys.argv[2]) if len(sys.argv) > 2 else 80))
    listener.listen(512)
    print("ready", flush=True)

    def echo(peer):
        while data := peer.recv(4096):
            peer.sendall(data)

    while True:
        peer, _ = listener.accept()
        threading.Thread(target=echo, args=(peer,), daemon=True).start()


def connect(source, address=SERVER, port=80, patience=60):
    is_ipv6 = source and ":" in source
    sock = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET)
    sock.settimeout(patience)
    if source:
        sock.bind((source, 0))
    sock.connect((SERVER6 if is_ipv6 and address == SERVER else address, port))
    sock.sendall(b"x")
    assert sock.recv(1) == b"x"
    return sock


def alive(held):
    count = 0
    for sock in held:
        try:
            sock.sendall(b"y")
            count += sock.recv(1) == b"y"
        except OSError:
            pass
    return count


def honest():
    count, source = int(sys.argv[2]), sys.argv[3]
    address, port = (sys.argv[4], int(sys.argv[5])) if len(sys.argv) > 5 else (SERVER, 80)
    held = [connect(source, address, port) for _ in range(count)]
    print("ready", flush=True)
    for _ in sys.stdin:
        print(alive(held), flush=True)


def crowd_source(i):
    return "10.9.%d.%d" % (i // 250, 1 + i % 250)


def crowd():
    held = [connect(crowd_source(i)) for i in range(int(sys.argv[2]))]
    print("ready", flush=True)
    while True:
        asked = bool(select.select([sys.stdin], [], [], 0.2)[0])
        if asked and not sys.stdin.readline():
            return
        count = alive(held)
        if asked:
            print(count, flush=True)


def scatter():
    for i in range(int(sys.argv[2])):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.bind((crowd_source(i), 0))
            sock.sendto(b"x", ("10.3.200.%d" % (1 + i % 250), 9001))


def flood():
    count, source = int(sys.argv[2]), sys.argv[3]
    base = int(sys.argv[4]) if len(sys.argv) > 4 else 0
    is_ipv6 = ":" in source
    pattern = "fd00:3::%x:%x" if is_ipv6 else "10.3.%d.%d"
    sock = None
    for i in range(base, base + count):
        if i % 250 == base % 250 or sock is None:
            sock = socket.socket(socket.AF_INET6 if is_ipv6 else socket.AF_INET, socket.SOCK_DGRAM)
            sock.bind((source, 0))
        try:
            sock.sendto(b"x", (pattern % (i // 250 % 250, 1 + i % 250), 9000))
        except OSError:
            pass


def attempt():
    try:
        connect(sys.argv[2], patience=float(sys.argv[3]) if len(sys.argv) > 3 else 10)
    except OSError:
        print("refused")
        sys.exit(1)
    print("answered")


if __name__ == "__main__":
    {"server": server, "honest": honest, "flood": flood, "crowd": crowd, "scatter": scatter, "try": attempt}[sys.argv[1]]()
