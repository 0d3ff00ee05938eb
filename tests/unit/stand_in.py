"""A program that stands in for a part: it listens, answers every HTTP request with 200, and dies on command.

`stand_in.py PORT [stubborn] [parent]`: a stubborn one ignores SIGTERM; a parent has a child that would outlive it.
A request for /die ends it, with an error on its standard error.
"""

import os
import signal
import socket
import sys

port, traits = int(sys.argv[1]), sys.argv[2:]
if "parent" in traits and os.fork() == 0:
    while True:
        signal.pause()
if "stubborn" in traits:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)

listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", port))
listener.listen()
print(f"listening on {port}", flush=True)
while True:
    caller, _ = listener.accept()
    with caller:
        if caller.recv(4096).startswith(b"GET /die"):
            sys.exit("ERROR: told to die")
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
