# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is measured, against what, and what is to be reached.

A contender is a program that speaks as bench/contender.h says. All of a group take turns, in rounds, so that other
work on the machine hits them alike, and ratios are taken within each round.
"""

from typing import NamedTuple, Optional

NS = "ns"
BYTES = "B"
KILOBYTES = "kB"


class Contender(NamedTuple):
    title: str
    command: str              # {build} and {source} are the folders bench/ in the build and the source tree
    limit: Optional[str] = None  # the contender that it cannot be better than
    package: str = ""         # what is missing when the program is
    calls: int = 0            # in each turn; 0: as many as fill it
    rounds: int = 0           # at most; 0: all
    unit: str = NS


class Group(NamedTuple):
    title: str
    contenders: dict  # by name; names are unique among all groups
    is_ordinary: bool = False  # run without root's rights: as those of most programs are


class Bar(NamedTuple):
    """One of: the value, its ratio to another in the same rounds, or its difference from another's."""
    title: str
    of: str
    at_most: float = 0
    at_least: float = 0
    over: str = ""
    minus: str = ""
    statistic: str = "median"


def calls(name):
    return "{build}/bench-calls " + name


def waiting(name):
    return "{build}/bench-queue " + name


def limits(name):
    return "{build}/bench-limits " + name


def python(name):
    return "/usr/bin/python3 -B {source}/peers/pools.py " + name


def node(name):
    return "node {source}/peers/node.js " + name


def callr(name):
    return "Rscript --vanilla {source}/peers/callr.R " + name


def codec(value, work):
    return "{build}/bench-codec " + value + ":" + work


ONE_SHOT = Group("A process for each call", {
    "posix-spawn": Contender("limit: posix_spawn() and wait, this program", calls("posix-spawn")),
    "posix-spawn-resident": Contender("limit: the same, 2 GiB resident", calls("posix-spawn-resident")),
    "fork": Contender("limit: fork() of a small process, reply, wait", limits("fork")),
    "spawner": Contender("ProcfunSpawner", calls("spawner"), "posix-spawn"),
    "spawner-resident": Contender("ProcfunSpawner, 2 GiB resident", calls("spawner-resident"),
                                  "posix-spawn-resident"),
    "fork-server": Contender("ProcfunForkServer", calls("fork-server"), "fork"),
    "fork-server-no-spare": Contender("ProcfunForkServer, none forked ahead", calls("fork-server-no-spare"), "fork"),
    "fork-server-resident": Contender("ProcfunForkServer, 2 GiB resident", calls("fork-server-resident"), "fork"),
    "fork-server-shut-in": Contender("ProcfunForkServer, in a sandbox that only computes", calls("fork-server-shut-in"),
                                     "fork"),
    "py-fork": Contender("Python multiprocessing.Process, fork", python("fork"), "fork"),
    "py-forkserver": Contender("Python multiprocessing.Process, forkserver", python("forkserver"), "fork"),
    "py-spawn": Contender("Python multiprocessing.Process, spawn", python("spawn"), "posix-spawn"),
    "py-executor-one": Contender("Python ProcessPoolExecutor, for one call", python("executor-for-one"), "fork"),
    "node-child-one": Contender("Node child_process.fork()", node("child-for-one"), "posix-spawn", "nodejs"),
    "callr": Contender("R callr::r()", callr("process"), "posix-spawn", "r-base-core"),
})

WARM = Group("A process that waits for the call, one call after the other", {
    "mark": Contender("limit: GVariant over a blocking socketpair", limits("mark")),
    "mark-paused": Contender("limit: the same, a millisecond apart", limits("mark-paused"), "mark"),
    "spare-paused": Contender("limit: the same with a process each, forked before", limits("spare-paused"), "mark"),
    "fork-server-paused": Contender("ProcfunForkServer, a millisecond apart", calls("fork-server-paused"),
                                    "spare-paused"),
    "pool": Contender("ProcfunPool", calls("pool"), "mark"),
    "pool-shut-in": Contender("ProcfunPool, in a sandbox that only computes", calls("pool-shut-in"), "mark"),
    "pool-async": Contender("ProcfunPool, on a main context", calls("pool-async"), "mark"),
    "zeromq": Contender("ZeroMQ REQ/REP, GVariant", "{build}/peers/zeromq warm", "mark", "libzmq3-dev"),
    "gdbus": Contender("GDBus, peer to peer", "{build}/peers/gdbus warm", "mark"),
    "jsonrpc": Contender("jsonrpc-glib", "{build}/peers/jsonrpc warm", "mark", "libjsonrpc-glib-1.0-dev"),
    "py-pool": Contender("Python multiprocessing.Pool", python("pool"), "mark"),
    "py-executor": Contender("Python ProcessPoolExecutor", python("executor"), "mark"),
    "pebble": Contender("Python pebble", python("pebble"), "mark", "python3-pebble"),
    "node-child": Contender("Node child_process", node("child"), "mark", "nodejs"),
    "piscina": Contender("Node piscina (threads)", node("piscina"), "mark", "nodejs"),
    "workerpool": Contender("Node workerpool, processes", node("workerpool"), "mark", "nodejs"),
    "callr-session": Contender("R callr::r_session", callr("session"), "mark", "r-base-core"),
})

PIPELINED = Group("Two processes that are kept, 64 calls under way to each", {
    name: contender._replace(limit=None if name == "mark-pipelined" else "mark-pipelined", calls=2560, rounds=20)
    for name, contender in {
        "mark-pipelined": Contender("limit: GVariant, read and written in batches", limits("mark-pipelined")),
        "pool-pipelined": Contender("ProcfunPool", calls("pool-pipelined")),
        "pool-pipelined-json": Contender("ProcfunPool, JSON", calls("pool-pipelined-json")),
        "zeromq-pipelined": Contender("ZeroMQ DEALER, GVariant", "{build}/peers/zeromq pipelined",
                                      package="libzmq3-dev"),
        "gdbus-pipelined": Contender("GDBus, peer to peer", "{build}/peers/gdbus pipelined"),
        "jsonrpc-pipelined": Contender("jsonrpc-glib", "{build}/peers/jsonrpc pipelined",
                                       package="libjsonrpc-glib-1.0-dev"),
        "py-pool-map": Contender("Python multiprocessing.Pool.map()", python("pool-map")),
        "py-executor-map": Contender("Python ProcessPoolExecutor.map()", python("executor-map")),
        "node-child-pipelined": Contender("Node child_process", node("child-pipelined"), package="nodejs"),
        "piscina-pipelined": Contender("Node piscina (threads)", node("piscina-pipelined"), package="nodejs"),
        "workerpool-pipelined": Contender("Node workerpool, processes", node("workerpool-pipelined"),
                                          package="nodejs"),
    }.items()
}, is_ordinary=True)

MAP = Group("A function over 1 000 000 elements, two processes", {
    "map": Contender("procfun_pool_map()", calls("map"), calls=1000000, rounds=5),
    "py-pool-map-chunks": Contender("Python multiprocessing.Pool.map(), chunks", python("pool-map-chunks"),
                                    calls=1000000, rounds=5),
    "py-executor-map-chunks": Contender("Python ProcessPoolExecutor.map(), 100 each", python("executor-map-chunks"),
                                        calls=1000000, rounds=5),
})

# Depths at which all of these can be asked; the ratio is that of the cost of a call.
FEW = 1000
MANY = 64000


def queue(name, title, command, package=""):
    return {
        f"{name}-few": Contender(f"{title}, {FEW} at once", command, package=package, calls=FEW, rounds=10),
        f"{name}-many": Contender(f"{title}, {MANY} at once", command, f"{name}-few", package, MANY, 3),
    }


QUEUE = Group("Calls that wait on a main context, two processes", {
    **queue("queue", "ProcfunPool", waiting("queue")),
    **queue("py-pool-queue", "Python multiprocessing.Pool", python("pool-queue")),
    **queue("py-executor-queue", "Python ProcessPoolExecutor", python("executor-queue")),
    **queue("piscina-queue", "Node piscina (threads)", node("piscina-queue"), "nodejs"),
    **queue("workerpool-queue", "Node workerpool, processes", node("workerpool-queue"), "nodejs"),
    "burst": Contender("ProcfunForkServer, a process each, 1000 at once", waiting("burst"), calls=FEW, rounds=3),
})


def threads(name, title, command):
    return {f"{name}-{n}": Contender(f"{title}, {n} threads", f"{command}-{n}", f"{name}-4" if n > 4 else None,
                                     calls=5120, rounds=10) for n in (4, 64, 256)}


THREADS = Group("Threads that wait for two processes", {
    **threads("threads", "ProcfunPool", waiting("threads")),
    **threads("py-pool-threads", "Python multiprocessing.Pool", python("pool-threads")),
    **threads("py-executor-threads", "Python ProcessPoolExecutor", python("executor-threads")),
})

GAP = Group("Longest time between ticks of 5 ms of a main loop, which asks for 2000 calls of 2 ms at once", {
    name: contender._replace(calls=1, rounds=3) for name, contender in {
        "gap-pool": Contender("ProcfunPool", waiting("gap-pool")),
        "gap-fork-server": Contender("ProcfunForkServer", waiting("gap-fork-server")),
        "gap-spawner": Contender("ProcfunSpawner", waiting("gap-spawner")),
        "py-executor-gap": Contender("Python asyncio, ProcessPoolExecutor", python("executor-gap")),
        "piscina-gap": Contender("Node piscina (threads)", node("piscina-gap"), package="nodejs"),
        "workerpool-gap": Contender("Node workerpool, processes", node("workerpool-gap"), package="nodejs"),
    }.items()
})

NO_PROCESS = Group("No other process", {
    "inline": Contender("ProcfunInline", calls("inline")),
})

HOLD = Group("To hold a call", {
    "abort": Contender("procfun_call_abort() to error, in a busy loop", "{build}/bench-control abort"),
    "deadline": Contender("deadline to error, in a busy loop", "{build}/bench-control deadline"),
    "plain": Contender("ProcfunSpawner, no limits", "{build}/bench-control plain"),
    "limits": Contender("cpu=10s files=64 file-size=1M, two times", "{build}/bench-control limits"),
    "limits-with-memory": Contender("the same and memory=200M", "{build}/bench-control limits-with-memory"),
})

VALUES = {
    "pair": "(ii)",
    "doubles": "1000 doubles",
    "integers": "1000 integers",
    "dictionaries": "1000 a{sv} of 4",
    "many-doubles": "1 000 000 doubles",
    "many-integers": "1 000 000 integers",
    "bytes": "1 MiB of bytes",
}

WORKS = {
    "json-write": "JSON, written",
    "json-read": "JSON, read",
    "gvariant-write": "GVariant, written",
    "gvariant-read": "GVariant, read",
    "json-glib-write": "json-glib, written",
    "json-glib-read": "json-glib, read",
    "visit": "visited, value by value",
    "build": "GVariantBuilder",
    "build-store": "GVariantBuilder, and serialised",
}


def make_codecs():
    contenders = {}
    for value, value_title in VALUES.items():
        for work, work_title in WORKS.items():
            if work.startswith("json-glib") and (value.startswith("many") or value == "bytes"):
                continue  # takes hours for some
            if work.startswith("build") and value != "dictionaries":
                continue
            contenders[value + ":" + work] = Contender(value_title + ": " + work_title, codec(value, work))
    return Group("Codecs (time of the processor)", contenders)


MEMORY = Group("Private memory of a process for calls", {
    "memory-forked": Contender("ProcfunPool, an idle worker", calls("memory-forked"), calls=1, rounds=5,
                               unit=KILOBYTES),
    "memory-executed": Contender("ProcfunSpawner, in a call", calls("memory-executed"), calls=1, rounds=5,
                                 unit=KILOBYTES),
})

WAITING_MEMORY = Group("Memory of a call that waits, of 1 000 000", {
    "memory-queued": Contender("ProcfunPool", waiting("memory-queued"), calls=1, rounds=1, unit=BYTES),
})

SIZE = Group("Text of a definition", {
    "size-" + case: Contender(title, "sh {source}/definition-size.sh " + case, calls=1, rounds=1, unit=BYTES)
    for case, title in (("pair", "int f (int, int)"), ("struct", "Point f (Point, Point)"),
                        ("twelve", "char *f (12 arguments, GError **)"))
})

GROUPS = {
    "one-shot": ONE_SHOT,
    "warm": WARM,
    "pipelined": PIPELINED,
    "map": MAP,
    "queue": QUEUE,
    "threads": THREADS,
    "gap": GAP,
    "inline": NO_PROCESS,
    "control": HOLD,
    "memory": MEMORY,
    "memory-queued": WAITING_MEMORY,
    "codecs": make_codecs(),
    "size": SIZE,
}

US = 1e3
MS = 1e6

BARS = [
    Bar("ProcfunSpawner ÷ posix_spawn() and wait", "spawner", 1.25, over="posix-spawn"),
    Bar("ProcfunSpawner ÷ posix_spawn() and wait, 2 GiB resident", "spawner-resident", 1.25,
        over="posix-spawn-resident"),
    Bar("ProcfunForkServer ÷ fork() and wait", "fork-server", 1.35, over="fork"),
    Bar("ProcfunForkServer, 2 GiB resident ÷ fork() and wait", "fork-server-resident", 1.35, over="fork"),
    Bar("ProcfunForkServer, a millisecond apart ÷ process forked before", "fork-server-paused", 2.5,
        over="spare-paused"),
    Bar("ProcfunPool ÷ mark", "pool", 1.3, over="mark"),
    Bar("ProcfunPool, on a main context ÷ mark", "pool-async", 2, over="mark"),
    Bar("ProcfunPool, 64 under way to each ÷ mark, likewise", "pool-pipelined", 1.5, over="mark-pipelined"),
    Bar("ProcfunPool, JSON, 64 under way to each ÷ mark, likewise", "pool-pipelined-json", 3,
        over="mark-pipelined"),
    Bar("Node child_process ÷ ProcfunPool, 64 under way to each", "node-child-pipelined", at_least=4,
        over="pool-pipelined"),
    Bar("ZeroMQ ÷ ProcfunPool, 64 under way to each", "zeromq-pipelined", at_least=6, over="pool-pipelined"),
    Bar("multiprocessing.Pool ÷ ProcfunPool", "py-pool", at_least=5, over="pool"),
    Bar("piscina ÷ ProcfunPool", "piscina", at_least=5, over="pool"),
    Bar("GDBus ÷ ProcfunPool", "gdbus", at_least=8, over="pool"),
    Bar("ProcessPoolExecutor ÷ ProcfunPool", "py-executor", at_least=8, over="pool"),
    Bar("ZeroMQ ÷ ProcfunPool", "zeromq", at_least=1, over="pool"),
    Bar("ProcfunPool, 64000 waiting ÷ 1000 waiting", "queue-many", 1.2, over="queue-few"),
    Bar("ProcfunPool, 256 threads ÷ 4 threads", "threads-256", 1.5, over="threads-4"),
    Bar("longest stop of the main loop, ProcfunForkServer", "gap-fork-server", 10 * MS),
    Bar("longest stop of the main loop, ProcfunSpawner", "gap-spawner", 20 * MS),
    Bar("longest stop of the main loop, ProcfunPool", "gap-pool", 10 * MS),
    Bar("procfun_pool_map(), an element", "map", 1 * US),
    Bar("memory of an idle worker of ProcfunPool", "memory-forked", 150),
    Bar("memory of an executed process", "memory-executed", 3000),
    Bar("memory of a call that waits for ProcfunPool", "memory-queued", 600),
    Bar("ProcfunInline", "inline", 5 * US),
    Bar("procfun_call_abort() to error, p95", "abort", 10 * MS, statistic="p95"),
    Bar("deadline to error, p95", "deadline", 5 * MS, statistic="p95"),
    Bar("a sandbox that only computes − none, ProcfunForkServer", "fork-server-shut-in", 250 * US,
        minus="fork-server"),
    Bar("a sandbox that only computes ÷ none, ProcfunPool", "pool-shut-in", 1.03, over="pool"),
    Bar("limits − no limits", "limits", 500 * US, minus="plain"),
    Bar("limits with memory − no limits", "limits-with-memory", 500 * US, minus="plain"),
    *[bar for work in ("write", "read") for bar in (
        Bar(f"JSON {work}: 1000 doubles, least", f"doubles:json-{work}", 150 * US, statistic="min"),
        Bar(f"JSON {work}: 1000 doubles ÷ json-glib", f"doubles:json-{work}", 0.5, over=f"doubles:json-glib-{work}"),
        Bar(f"JSON {work}: 1000 a{{sv}} of 4, least", f"dictionaries:json-{work}", 500 * US, statistic="min"),
        Bar(f"JSON {work}: 1 000 000 integers, least", f"many-integers:json-{work}", 8 * MS, statistic="min"),
        Bar(f"JSON {work}: 1 000 000 doubles ÷ 1000 doubles", f"many-doubles:json-{work}", 2000,
            over=f"doubles:json-{work}"),
        Bar(f"JSON {work}: 1 MiB of bytes, least", f"bytes:json-{work}", 3 * MS, statistic="min"))],
    *[Bar(f"definition: {contender.title}", name, 2048) for name, contender in SIZE.contenders.items()],
]
