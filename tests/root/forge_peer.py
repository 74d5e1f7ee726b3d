#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that plays the kernel: `forge_peer.py MESSAGE` sends the message of that file (an event, or an entry of a dump),
an end of a dump and an error to every netfilter netlink socket of this network namespace, as many as its buffer takes,
over and over, for five minutes at most. Prints "ready" after the first round."""
import socket
import struct
import sys
import time

NLMSG_ERROR, NLMSG_DONE, NLM_F_MULTI = 2, 3, 2
NETLINK_NETFILTER = 12
EPERM = 1
COPIES = 100


def ports(own):
    with open("/proc/net/netlink", encoding="ascii") as table:
        for line in list(table)[1:]:
            fields = line.split()
            port = int(fields[2])
            if int(fields[1]) == NETLINK_NETFILTER and port not in (0, own):
                yield port


def main():
    with open(sys.argv[1], "rb") as file:
        message = file.read()
    done = struct.pack("=IHHIIi", 20, NLMSG_DONE, NLM_F_MULTI, 0, 0, 0)
    error = struct.pack("=IHHIIi", 20, NLMSG_ERROR, 0, 0, 0, -EPERM)
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, NETLINK_NETFILTER)
    sock.bind((0, 0))
    own = sock.getsockname()[0]
    sent = 0
    end = time.monotonic() + 300
    while time.monotonic() < end:
        time.sleep(0.001)
        for port in ports(own):
            for data in (message, done, error) * COPIES:
                try:
                    sent += sock.sendto(data, (port, 0)) > 0
                except OSError:
                    break  # gone, or its buffer is full
        if sent:
            print("ready", flush=True)
            sent = -(1 << 60)


if __name__ == "__main__":
    main()
