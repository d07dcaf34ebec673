#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Makes each system call of the library fail in turn, and tells what misbehaves.

inject.py BUILD [--sample N] [--kinds LIST] [--roles LIST] [--calls LIST] [--jobs N]: BUILD is the build folder.
First the program tests/injected runs once for each executor and each role to count the calls that are made. Then it runs
once for each point: the n-th call, or all from the n-th on, fails with an error that fits. A point misbehaves when the
program crashes, hangs for ten seconds, gives a wrong result or error, or leaves something behind. Exit status: 1 if any
does."""

import argparse
import collections
import concurrent.futures
import errno
import mmap
import os
import pathlib
import random
import resource
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time

HANG_S = 90  # the program ends by itself when a step takes ten seconds
PATIENCE_S = 2
MOST = 12  # calls of a kind that fail one by one; later ones are mostly those of a loop
MOST_MALLOC = 60
ROLES = ("caller", "zygote", "child", "host")
KINDS = ("spawner", "fork-server", "pool", "crash", "map", "generator", "output", "huge", "sandbox", "session", "remote")

MEMORY = ("ENOMEM",)
DESCRIPTORS = ("EMFILE", "ENFILE")
ERRORS = {
    "open": ("EMFILE", "ENOENT", "EACCES"), "openat": ("EMFILE", "ENOENT"), "read": ("EINTR", "EIO"),
    "pread": ("EINTR", "EIO"), "write": ("EINTR", "EPIPE", "ENOSPC"), "pwrite": ("EINTR", "ENOSPC"),
    "readlink": ("ENOENT", "EACCES"), "socketpair": DESCRIPTORS + MEMORY, "pipe2": DESCRIPTORS,
    "memfd_create": DESCRIPTORS + MEMORY, "eventfd": DESCRIPTORS, "signalfd": DESCRIPTORS,
    "dup2": ("EMFILE", "EINTR"), "dup3": ("EMFILE", "EINTR"), "fcntl": ("EMFILE", "EPERM", "EINVAL"),
    "sendmsg": ("EINTR", "EAGAIN", "EPIPE", "ENOBUFS", "ETOOMANYREFS"), "send": ("EINTR", "EAGAIN", "EPIPE"),
    "recvmsg": ("EINTR", "EAGAIN", "ECONNRESET", "ENOMEM"), "recv": ("EINTR", "EAGAIN", "ECONNRESET"),
    "poll": ("EINTR", "ENOMEM"), "ppoll": ("EINTR", "ENOMEM"), "mmap": ("ENOMEM", "EPERM"), "mprotect": MEMORY,
    "madvise": ("EINVAL", "ENOMEM"), "ftruncate": ("ENOSPC", "EFBIG"), "fallocate": ("ENOSPC", "EOPNOTSUPP"),
    "fstat": ("EACCES", "EOVERFLOW"), "stat": ("ENOENT", "EACCES"), "fork": ("EAGAIN", "ENOMEM"),
    "posix_spawn": ("EAGAIN", "ENOMEM", "ENOENT"), "posix_spawnp": ("EAGAIN", "ENOENT"), "waitid": ("ECHILD", "EINTR"),
    "waitpid": ("ECHILD", "EINTR"), "kill": ("ESRCH", "EPERM"), "prctl": ("EINVAL", "EPERM"), "setrlimit": ("EPERM",),
    "getrlimit": ("EPERM",), "getrusage": ("EINVAL",), "setsid": ("EPERM",), "setsockopt": ("ENOPROTOOPT", "ENOMEM"),
    "getsockopt": ("ENOPROTOOPT",), "sigaltstack": ("EPERM",), "syscall": ("ENOSYS", "EPERM"), "malloc": MEMORY,
}
# A call that says so for ever asks to be made again for ever.
NOT_ONWARD = ("EINTR", "EAGAIN")

# Known to misbehave, and left out: (kind, role, call, how).
KNOWN = {
    # Once poll() never works again, a closed pool leaves its zygote until the program ends.
    (kind, "caller", "poll", "onward") for kind in ("pool", "map", "generator", "huge", "sandbox", "session")
}

# Likewise, with one error: (kind, role, call, error).
IMPOSSIBLE = {
    # Where there is no child, no process is left to be reaped.
    ("remote", "caller", "waitpid", "ECHILD"), ("crash", "caller", "waitpid", "ECHILD"),
}

Point = collections.namedtuple("Point", "kind role call number error how")


# Misbehaved once, and are in each sample.
MENDED = [
    Point("fork-server", "zygote", "read", 2, "EIO", "onward"),
    Point("fork-server", "zygote", "poll", 1, "ENOMEM", "onward"),
    Point("fork-server", "caller", "poll", 4, "ENOMEM", "onward"),
    Point("spawner", "caller", "poll", 2, "ENOMEM", "onward"),
    Point("pool", "caller", "syscall", 6, "EPERM", "once"),
    Point("spawner", "child", "setsid", 1, "EPERM", "once"),
    Point("generator", "caller", "sendmsg", 4, "EPIPE", "onward"),
    Point("remote", "host", "read", 3, "EIO", "onward"),
    Point("remote", "host", "fcntl", 5, "EINVAL", "once"),
]


class Shared:
    """The memory that the shim sees: see its struct Shared."""

    HEAD = struct.Struct("=II")
    ENTRY = struct.Struct("=24sII")
    SIZE = HEAD.size + 64 * ENTRY.size

    def __init__(self, folder):
        self.path = os.path.join(folder, f"shared-{threading.get_ident()}")
        with open(self.path, "wb") as file:
            file.truncate(self.SIZE)
        self.file = open(self.path, "r+b")
        self.memory = mmap.mmap(self.file.fileno(), self.SIZE)

    def clear(self):
        self.memory[:] = bytes(self.SIZE)

    def count_failed(self):
        return self.HEAD.unpack_from(self.memory)[1]

    def get_counts(self):
        entries = self.ENTRY.iter_unpack(self.memory[self.HEAD.size:])
        return {name.rstrip(b"\0").decode(): most for name, most, _ in entries if most > 0}


def find_left(path):
    """Processes that still have the path in their environment."""
    wanted = f"PROCFUN_INJECT_FILE={path}\0".encode()
    left = []
    for entry in pathlib.Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and wanted in (entry / "environ").read_bytes():
                left.append(int(entry.name))
        except OSError:
            pass
    return left


def kill_left(path):
    for _ in range(20):
        left = find_left(path)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        if not left:
            return
        time.sleep(0.02)


class Runner:
    def __init__(self, build, folder):
        self.build = build
        self.folder = folder
        self.local = threading.local()

    def run(self, point):
        """What was wrong, or None; and whether the fault came to pass."""
        if not hasattr(self.local, "shared"):
            self.local.shared = Shared(self.folder)
        shared = self.local.shared
        shared.clear()
        number = getattr(errno, point.error) if point.error else 0
        env = dict(os.environ, LD_PRELOAD=str(self.build / "tests/.libs/inject-shim.so"), LC_ALL="C.UTF-8",
                   G_DEBUG="fatal-criticals", PROCFUN_WORKER=str(self.build / "tools/procfun-worker-in-tree"),
                   PROCFUN_INJECT_FILE=shared.path,
                   PROCFUN_INJECT=f"{point.role}:{point.call}:{point.number}:{number}:{point.how}")
        process = subprocess.Popen([self.build / "tests/injected", point.kind], env=env, stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True)
        try:
            words = process.communicate(timeout=HANG_S)[1].decode(errors="replace").strip().splitlines()
        except subprocess.TimeoutExpired:
            kill_left(shared.path)
            process.kill()
            process.communicate()
            return "hangs", shared.count_failed() > 0
        wrong = None
        if process.returncode < 0:
            name = signal.Signals(-process.returncode).name
            wrong = "hangs" if name == "SIGALRM" else f"{name}: {words[-1] if words else ''}"
        elif process.returncode > 0:
            wrong = words[-1] if words else f"exit status {process.returncode}"
        end = time.monotonic() + PATIENCE_S
        while find_left(shared.path):
            if time.monotonic() > end:
                kill_left(shared.path)
                wrong = wrong or "leaves a process"
            time.sleep(0.005)
        return wrong, shared.count_failed() > 0

    def count(self, kind, role):
        wrong, _ = self.run(Point(kind, role, "?", 1, "", "once"))
        if wrong is not None:
            sys.exit(f"{kind} without any failure: {wrong}")
        return self.local.shared.get_counts()


def list_points(runner, kinds, roles, calls):
    for kind in kinds:
        for role in roles:
            for call, most in sorted(runner.count(kind, role).items()):
                if calls and call not in calls:
                    continue
                for number in range(1, min(most, MOST_MALLOC if call == "malloc" else MOST) + 1):
                    for error in ERRORS[call]:
                        for how in ("once",) if error in NOT_ONWARD else ("once", "onward"):
                            if (kind, role, call, how) not in KNOWN and (kind, role, call, error) not in IMPOSSIBLE:
                                yield Point(kind, role, call, number, error, how)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--sample", type=int, help="so many points, spread evenly")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--roles", default=",".join(ROLES))
    parser.add_argument("--calls", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--minutes", type=float, help="no new point after so many")
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    end = time.monotonic() + (options.minutes or 1e6) * 60
    n_hit = n_wrong = n_run = 0
    with tempfile.TemporaryDirectory() as folder:
        runner = Runner(options.build.resolve(), folder)
        points = list(list_points(runner, options.kinds.split(","), options.roles.split(","),
                                  [call for call in options.calls.split(",") if call]))
        n_all = len(points)
        if options.sample:
            points = points[::max(1, n_all // options.sample)][:options.sample] + MENDED
        elif options.minutes:
            random.Random(1).shuffle(points)
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for point, result in zip(points, pool.map(
                    lambda point: runner.run(point) if time.monotonic() < end else None, points)):
                if result is None:
                    continue
                n_run += 1
                n_hit += result[1]
                if result[0] is not None:
                    n_wrong += 1
                    print(f"{' '.join(map(str, point))}: {result[0]}", flush=True)
    print(f"{n_run} of {n_all} points, {n_hit} of them came to pass, {n_wrong} misbehave")
    sys.exit(n_wrong > 0)


if __name__ == "__main__":
    main()
