#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs a command at a terminal of its own: `terminal_peer.py ANSWER COMMAND...`. ANSWER is written, as it is, once the command
asks "[y/N]"; "-" where it is not expected to ask. What it wrote there is printed; the exit code is the command's."""
import os
import pty
import sys


def main():
    answer, argv = sys.argv[1], sys.argv[2:]
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(argv[0], argv)
    seen, is_answered = b"", answer == "-"
    while True:
        try:
            data = os.read(terminal, 4096)
        except OSError:  # the command has ended
            break
        if not data:
            break
        seen += data
        if not is_answered and b"[y/N]" in seen:
            os.write(terminal, answer.encode())
            is_answered = True
    sys.stdout.write(seen.decode())
    sys.stdout.flush()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
