"""Taking rights away from this process for good: memory, processor time, files, network.

Linux only gives all of it. :func:`confine` says what the kernel did not have, so that it can be told to people.
"""

from __future__ import annotations

import ctypes
import os
import resource
import struct
import sys
import sysconfig
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on every architecture
_NO_NEW_PRIVS, _DUMPABLE = 38, 4
_READ, _ENTER = 1 << 2, 1 << 3
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_CONNECT = 1 << 1
NAMED_SECONDS = 2.0
_QUIET_THREADS = ("jemalloc_bg_thd", "polars-ooc-clea")
_ALWAYS = ("/usr/share/zoneinfo", "/etc/localtime", "/proc/self", "/proc/meminfo", "/proc/cpuinfo", "/sys/fs/cgroup",
           "/sys/devices/system/cpu", "/dev/null", "/dev/urandom", "/lib", "/lib64", "/usr/lib", "/usr/lib64")  # fmt: skip
_REMOTE = (
    "/etc/ssl",
    "/etc/pki",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/usr/share/ca-certificates",
)


def confine(folders: Sequence[str], ports: Sequence[int], memory_mb: int, seconds: float) -> list[str]:
    """Limits this process, from now on and for every thread that it starts.

    Args:
        folders: what it may read besides the Python installation.
        ports: where it may connect to; none for no network.

    Returns:
        What is not enforced here, one line each.

    Raises:
        RuntimeError: a thread that could escape runs already.
    """
    missing = _limits(memory_mb, seconds)
    if landlock_version():
        _no_strange_threads()
        _landlock(folders, ports)
    return missing + unenforced()


def landlock_version() -> int:
    """The kernel's Landlock ABI; 0 where there is none."""
    if not sys.platform.startswith("linux"):
        return 0
    return max(0, int(ctypes.CDLL(None, use_errno=True).syscall(_CREATE, None, ctypes.c_size_t(0), 1)))


def unenforced() -> list[str]:
    """What this machine cannot keep of :func:`confine`, one line each; changes nothing."""
    if not sys.platform.startswith("linux"):
        return [f"{sys.platform} has no Landlock: files and network are kept by the gate alone"]
    version = landlock_version()
    if version == 0:
        return ["the kernel has no Landlock (Linux 5.13 or later): files and network are kept by the gate alone"]
    if version < 4:
        return [f"the kernel's Landlock {version} knows no network (Linux 6.7 or later): the gate alone keeps it"]
    return []


def _limits(memory_mb: int, seconds: float) -> list[str]:
    memory = memory_mb * 2**20
    cpu = int(seconds * (os.cpu_count() or 1)) + 2
    wanted = {"RLIMIT_CORE": 0, "RLIMIT_FSIZE": 0, "RLIMIT_CPU": cpu, "RLIMIT_DATA": memory}
    missing = []
    for name, value in wanted.items():
        try:
            resource.setrlimit(getattr(resource, name), (value, value))
        except (ValueError, OSError) as error:
            missing.append(f"{name} cannot be set: {error}")
    if not sys.platform.startswith("linux"):
        # RLIMIT_DATA counts what jemalloc maps on Linux only; there, RLIMIT_AS would count its reservations as well.
        missing.append(f"{sys.platform} does not limit mapped memory")
    return missing


def _no_strange_threads() -> None:
    """Landlock binds the thread that asks and those that it starts later; an older worker would stay free.

    A thread has its process's name until it has given itself its own: one that has just begun is looked at again.
    """
    deadline = time.monotonic() + NAMED_SECONDS
    while strange := [name for name in _threads() if name not in _QUIET_THREADS]:
        if time.monotonic() > deadline:
            raise RuntimeError(f"threads {', '.join(strange)} began before the process was confined")
        time.sleep(0.005)


def _threads() -> list[str]:
    """Names of the process's other threads; one that ends meanwhile is none."""
    own, names = str(os.getpid()), []
    for one in os.listdir("/proc/self/task"):
        with suppress(FileNotFoundError, ProcessLookupError):
            if one != own:
                names.append(Path(f"/proc/self/task/{one}/comm").read_text().strip())
    return names


def _landlock(folders: Sequence[str], ports: Sequence[int]) -> None:
    version = landlock_version()
    libc = ctypes.CDLL(None, use_errno=True)
    files = (1 << _FILE_RIGHTS.get(version, 16)) - 1
    network = 3 if version >= 4 else 0
    scoped = 3 if version >= 6 else 0
    attributes = struct.pack("=QQQ", files, network, scoped)[: 24 if version >= 6 else 16 if version >= 4 else 8]
    ruleset = _called(libc, _CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    places = [*_ALWAYS, *(_REMOTE if ports else ()), *folders]
    places += [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    for place in places:
        if os.path.exists(place):
            _readable(libc, ruleset, place)
    for port in ports if network else ():
        _called(libc, _ADD, ruleset, 2, struct.pack("=QQ", _CONNECT, port), 0)
    if libc.prctl(_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "no_new_privs")
    _called(libc, _RESTRICT, ruleset, 0)
    os.close(ruleset)


def _readable(libc: ctypes.CDLL, ruleset: int, place: str) -> None:
    rights = _READ | (_ENTER if os.path.isdir(place) else 0)
    folder = os.open(place, os.O_PATH | os.O_CLOEXEC)
    try:
        _called(libc, _ADD, ruleset, 1, struct.pack("=Qi", rights, folder), 0)
    finally:
        os.close(folder)


def _called(libc: ctypes.CDLL, number: int, *arguments: object) -> int:
    result = int(libc.syscall(number, *arguments))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"Landlock refused: {os.strerror(code)}")
    return result
