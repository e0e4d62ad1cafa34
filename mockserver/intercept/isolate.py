"""Puts this process and all that it starts into a network namespace of its own: loopback, and nothing else (Linux)."""

import ctypes
import fcntl
import os
import socket
import struct
import sys
from pathlib import Path

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_SIOCGIFFLAGS, _SIOCSIFFLAGS, _IFF_UP = 0x8913, 0x8914, 0x1
_INTERFACE = "16sh"


def enter() -> None:
    """Leave the machine's network, before any thread is started. Open connections stay as they are.

    Raises:
        ValueError: where the system does not permit it, in a sentence.
    """
    if sys.platform != "linux":
        raise ValueError("--isolate needs Linux's network namespaces; this system has none")
    try:
        if not _unshare(_CLONE_NEWNET):
            _unshare_as_user()
        _raise_loopback()
    except OSError as error:
        raise ValueError(
            f"--isolate is not permitted here ({error.strerror}): run it as root, or allow user namespaces "
            "(in a container, give it CAP_SYS_ADMIN)"
        ) from None


def _unshare(flags: int) -> bool:
    """Whether the process now has namespaces of its own."""
    return bool(ctypes.CDLL(None, use_errno=True).unshare(flags) == 0)


def _unshare_as_user() -> None:
    """The same for who is not root: in a user namespace where this user keeps its number. Raises OSError."""
    user, group = os.getuid(), os.getgid()
    if not _unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
    Path("/proc/self/gid_map").write_text(f"{group} {group} 1")


def _raise_loopback() -> None:
    """Let 127.0.0.1 and ::1 work. Raises OSError."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack(_INTERFACE, b"lo", 0).ljust(40, b"\0")
        _, flags = struct.unpack_from(_INTERFACE, fcntl.ioctl(any_socket, _SIOCGIFFLAGS, asked))
        raised = struct.pack(_INTERFACE, b"lo", flags | _IFF_UP).ljust(40, b"\0")
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, raised)
