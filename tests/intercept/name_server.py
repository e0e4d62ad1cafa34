"""Run in a network and mount namespace of its own: a name server that knows no name, and commands beside it.

    unshare -n -m python name_server.py FILE      (a JSON list: a name, a command and an environment each)

Prints for each command a JSON list of its name, its exit status, what it wrote to both streams, and what was asked for.
"""

import json
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

from mockserver.intercept.isolate import _raise_loopback


def asked_name(question: bytes) -> str:
    labels, place = [], 12
    while length := question[place]:
        labels.append(question[place + 1 : place + 1 + length].decode())
        place += 1 + length
    return ".".join(labels)


def answer_all(server: socket.socket, asked: list[str]) -> None:
    """Answer that there is no such name (NXDOMAIN), and keep what was asked for."""
    while True:
        question, client = server.recvfrom(2000)
        asked.append(asked_name(question))
        end = question.index(b"\0", 12) + 5
        server.sendto(question[:2] + b"\x81\x83\0\1\0\0\0\0\0\0" + question[12:end], client)


def main() -> None:
    _raise_loopback()
    with tempfile.NamedTemporaryFile("w") as resolv:
        resolv.write("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
        resolv.flush()
        subprocess.run(["mount", "--bind", resolv.name, "/etc/resolv.conf"], check=True)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        server.bind(("127.0.0.1", 53))
        asked: list[str] = []
        threading.Thread(target=answer_all, args=(server, asked), daemon=True).start()
        work: Any = json.loads(Path(sys.argv[1]).read_text())
        for name, command, environment in work:
            asked.clear()
            done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
            print(json.dumps([name, done.returncode, done.stdout, done.stderr, list(asked)]), flush=True)


if __name__ == "__main__":
    main()
