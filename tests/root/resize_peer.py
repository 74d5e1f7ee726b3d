#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Resizes the hash of conntrack in the middle of passes: `resize_peer.py TIMES RESIZE... -- COMMAND...` starts COMMAND (or
watches the process whose id COMMAND is), stops it each time one of its dumps is under way, runs RESIZE, and lets it go on.
RESIZE finds the
id of what is stopped in STOPPED. TIMES: in how many passes; the exit code and the output are those of COMMAND; what was done is told on descriptor 3."""
import os
import signal
import subprocess
import sys
import time

NETLINK_NETFILTER = 12
PATIENCE_SEC = 120


def dumps():
    """Inodes of the netfilter sockets in this namespace that have a dump under way."""
    with open("/proc/net/netlink", encoding="ascii") as table:
        rows = [line.split() for line in list(table)[1:]]
    return {row[9] for row in rows if int(row[1]) == NETLINK_NETFILTER and int(row[6])}


def stopped(pid):
    """Every thread of it."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/stat", encoding="ascii") as file:
            if file.read().rsplit(")", 1)[1].split()[0] != "T":
                return False
    return True


def main():
    times = int(sys.argv[1])
    at = sys.argv.index("--")
    resize, command = sys.argv[2:at], sys.argv[at + 1:]
    process = None if command[0].isdigit() else subprocess.Popen(command)
    pid = process.pid if process else int(command[0])
    env = dict(os.environ, STOPPED=str(pid))
    done, seen, end = 0, set(), time.monotonic() + PATIENCE_SEC
    while done < times and time.monotonic() < end and not (process and process.poll() is not None):
        if not dumps() - seen:
            continue
        os.kill(pid, signal.SIGSTOP)
        try:
            while not stopped(pid):
                pass
            now = dumps() - seen
            if now:
                subprocess.run(resize, check=True, close_fds=False, env=env)  # it needs descriptor 8
                seen |= now
                done += 1
        finally:
            os.kill(pid, signal.SIGCONT)
    with os.fdopen(3, "w") as told:
        told.write(f"{done}\n")
    sys.exit(process.wait() if process else 0)


if __name__ == "__main__":
    main()
