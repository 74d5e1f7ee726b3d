#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A connection of this host with itself whose server is a process of a given name: `session_peer.py PORT NAME VIA` listens on
PORT, connects to VIA (PORT, or what is redirected there), says ready, and ends with its standard input."""
import ctypes, os, socket, sys
port, name, via = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
server = socket.create_server(("127.0.0.1", port))
client = socket.socket(); client.connect(("127.0.0.1", via))
inner, _ = server.accept()
server.close()
if os.fork() == 0:
    inner.close() # the client is a process of its own
    sys.stdin.read()
    os._exit(0)
client.close()
ctypes.CDLL(None).prctl(15, name.encode())
print("ready", flush=True)
sys.stdin.read()
