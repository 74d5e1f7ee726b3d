#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Real traffic for test_flows.sh: `flows_peer.py server` echoes, `flows_peer.py client` opens flows of every kind and
holds them until its standard input closes. Addresses are those of the namespaces the test makes."""
import socket
import sys
import threading

SERVER4, SERVER6, GATEWAY4 = "10.2.0.2", "fd00:2::2", "10.1.0.1"


def serve_tcp(family, address, port):
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(128)
    kept = []

    def loop():
        while True:
            peer, _ = listener.accept()
            kept.append(peer)
            threading.Thread(target=echo, args=(peer,), daemon=True).start()

    def echo(peer):
        while data := peer.recv(4096):
            if data == b"bye":
                peer.close()
                return
            peer.sendall(data)

    threading.Thread(target=loop, daemon=True).start()


def serve_udp(family, address, port):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((address, port))

    def loop():
        while True:
            data, peer = sock.recvfrom(4096)
            sock.sendto(data, peer)

    threading.Thread(target=loop, daemon=True).start()


def server():
    for family, address in ((socket.AF_INET, SERVER4), (socket.AF_INET6, SERVER6)):
        serve_tcp(family, address, 80)
        serve_udp(family, address, 53)
    try:
        sctp = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SCTP)
        sctp.bind((SERVER4, 2905))
        sctp.listen(5)
    except OSError:
        pass
    print("ready", flush=True)
    sys.stdin.read()


def tcp(family, address, port, source=None, say=b"hello"):
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.settimeout(60)
    if source:
        sock.bind((source, 0))
    sock.connect((address, port))
    sock.sendall(say)
    if say != b"bye":
        sock.recv(100)
    return sock


def tcp_unanswered(address, port):
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setblocking(False)
    sock.connect_ex((address, port))
    return sock


def udp(family, address, port, wait, source=None, rounds=1):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(60)
    if source:
        sock.bind((source, 0))
    for _ in range(rounds):
        sock.sendto(b"x", (address, port))
        if wait:
            sock.recv(100)
    return sock


def client():
    held = []
    for _ in range(7):
        held.append(tcp(socket.AF_INET, SERVER4, 80))
    for last in (3, 4, 5):
        held.append(tcp(socket.AF_INET, SERVER4, 80, source=f"10.1.0.{last}"))
    held.append(tcp(socket.AF_INET6, SERVER6, 80))
    held.append(tcp(socket.AF_INET, GATEWAY4, 8080))                     # DNAT to the server
    tcp(socket.AF_INET, SERVER4, 80, say=b"bye").close()                 # closing
    half = tcp(socket.AF_INET, SERVER4, 80)
    half.shutdown(socket.SHUT_WR)
    held.append(half)
    for port in range(81, 86):
        held.append(tcp_unanswered(SERVER4, port))                       # dropped by the server: SYN_SENT
    held.append(tcp_unanswered(SERVER4, 90))                             # its answer is dropped here: SYN_RECV
    for _ in range(4):
        held.append(udp(socket.AF_INET, SERVER4, 53, True))
    held.append(udp(socket.AF_INET6, SERVER6, 53, True))
    for port in range(1000, 1020):
        held.append(udp(socket.AF_INET, SERVER4, port, False, source="10.1.0.9"))
    held.append(udp(socket.AF_INET6, SERVER6, 999, False))
    ping = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    ping.sendto(b"\x08\x00\xe5\xca\x12\x34\x00\x01", (SERVER4, 0))
    gre = socket.socket(socket.AF_INET, socket.SOCK_RAW, 47)
    gre.sendto(b"\x20\x00\x08\x00\x00\x00\x00\x07" + b"\0" * 8, (SERVER4, 0))
    odd = socket.socket(socket.AF_INET, socket.SOCK_RAW, 99)
    odd.sendto(b"\0" * 8, (SERVER4, 0))
    sctp = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_SCTP)
    init = b"\x30\x39\x0b\x59\0\0\0\0\0\0\0\0\x01\x00\x00\x14\0\0\0\x01\0\x01\0\0\0\x01\0\x01\0\0\0\x01"
    sctp.sendto(init[:8] + crc32c(init).to_bytes(4, "little") + init[12:], (SERVER4, 0))
    held += [ping, gre, odd, sctp]
    print("ready", flush=True)
    sys.stdin.read()


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


if __name__ == "__main__":
    {"server": server, "client": client}[sys.argv[1]]()
