# SPDX-License-Identifier: LGPL-2.1-or-later
"""The decorator of the Python binding; test-python.sh runs one case after the other."""

import asyncio
import concurrent.futures
import dataclasses
import os
import signal
import sys
import threading
import time
import typing

import procfun

from gi.repository import GLib


@dataclasses.dataclass
class Point:
    x: float
    y: float


class OwnError(Exception):
    pass


@procfun.function
def square(n: int) -> int:
    return n * n


@procfun.function(timeout=0.2)
def sleep_long() -> None:
    time.sleep(60)


@procfun.function(limits="memory=300M")
def allocate(size: int) -> int:
    return len(bytearray(size))


@procfun.function
def echo(
    flag: bool,
    number: int,
    real: float,
    text: str,
    data: bytes,
    numbers: list[int],
    words: list[str],
    pair: tuple[int, str],
    table: dict[str, float],
    maybe: typing.Optional[str],
    points: list[Point],
    anything: typing.Any,
) -> tuple[
    bool, int, float, str, bytes, list[int], list[str], tuple[int, str], dict[str, float],
    typing.Optional[str], list[Point], typing.Any,
]:  # fmt: skip
    return (flag, number, real, text, data, numbers, words, pair, table, maybe, points, anything)


@procfun.function
def fail(kind: str) -> None:
    if kind == "value":
        raise ValueError("bad marker", 7)
    if kind == "key":
        raise KeyError("absent")
    if kind == "own":
        raise OwnError("of this program")
    if kind == "local":

        class Local(Exception):
            pass

        raise Local("not known elsewhere")
    raise OSError(2, "No such file")


@procfun.function
def crash() -> None:
    os.abort()


@procfun.function
def count(n: int) -> typing.Iterator[int]:
    for i in range(n):
        if i == 5:
            raise ValueError("five")
        yield i


@procfun.function
def get_pid() -> int:
    return os.getpid()


@procfun.function
def only_even(n: int) -> int:
    if n % 2 != 0:
        raise ValueError(n)
    return n


@procfun.function
def length(data: bytes) -> int:
    return len(data)


@procfun.function
def without_annotations(a, b=2):
    return {"sum": a + b}


procfun.serve()


def raises(cls, function, *args):
    try:
        function(*args)
    except cls as exception:
        return exception
    raise AssertionError(f"no {cls.__name__}")


def case_decorated_function_is_called_here_and_in_a_process():
    assert square(7) == 49 and square.process(7) == 49 and square.process(n=7) == 49
    assert get_pid() == os.getpid() != get_pid.process()
    assert square.__name__ == "square"


def case_values_of_all_annotations_arrive():
    values = (True, -(2**63), 0.1, "a\u00e9", b"\0\xff", [1, -2], ["x", ""], (3, "y"), {"k": 1.5}, None, [Point(1, 2)])
    for anything in (None, 1, 2.5, "t", b"b", [1, "two", None], (1, b"2"), {"a": [1]}, {1: "a"}):
        assert echo.process(*values, anything) == (*values, anything)
    assert without_annotations.process(1) == {"sum": 3}


def case_wrong_values_are_refused_before_anything_is_sent():
    raises(TypeError, square.process, "7")
    raises(TypeError, square.process)
    raises(OverflowError, square.process, 2**63)


def case_megabytes_are_sent_in_no_time():
    begin = time.monotonic()
    assert length.process(bytes(16 << 20)) == 16 << 20
    assert time.monotonic() - begin < 5


def case_exceptions_arrive_as_their_class_with_the_traceback():
    exception = raises(ValueError, fail.process, "value")
    assert exception.args == ("bad marker", 7)
    assert 'raise ValueError("bad marker", 7)' in str(exception.__cause__)
    assert raises(KeyError, fail.process, "key").args == ("absent",)
    assert raises(FileNotFoundError, fail.process, "").errno == 2
    assert raises(OwnError, fail.process, "own").args == ("of this program",)
    assert "not known elsewhere" in str(raises(procfun.RemoteError, fail.process, "local"))


def case_crash_is_an_exception_with_the_failure():
    exception = raises(procfun.Crashed, crash.process)
    assert exception.failure.get_signal() == signal.SIGABRT
    assert exception.matches(procfun.Error.CRASHED)


def case_timeout_is_a_timeout_error():
    assert isinstance(raises(TimeoutError, sleep_long.process), procfun.TimedOut)


def case_memory_limit_is_told():
    raises((procfun.LimitExceeded, MemoryError), allocate.process, 1 << 30)


def case_settings_can_be_replaced():
    with procfun.Pool(1) as pool:
        worker = get_pid.using(executor=pool)
        assert worker.process() == worker.process() != os.getpid()
    raises(TypeError, lambda: square.using(tiemout=1))


def case_generator_gives_an_iterator():
    assert list(count.process(3)) == [0, 1, 2]
    items = count.process(9)
    assert [next(items) for _ in range(5)] == [0, 1, 2, 3, 4]
    raises(ValueError, next, items)


def case_map_yields_in_order():
    assert list(square.map(range(1000))) == [n * n for n in range(1000)]
    assert next(square.map(n for n in iter(int, 1))) == 0


def case_pool_maps_a_function_of_python():
    with procfun.Pool(2) as pool:
        assert list(pool.map(square, range(10))) == list(square.map(range(10), pool=pool)) == [n * n for n in range(10)]


def case_map_raises_where_an_element_failed():
    results = only_even.map([0, 2, 3])
    assert next(results) == 0 and next(results) == 2
    assert raises(ValueError, next, results).args == (3,)


def case_asyncio_awaits_many_calls():
    async def main():
        assert await asyncio.gather(*(square.process_async(n) for n in range(20))) == [n * n for n in range(20)]
        try:
            await fail.process_async("value")
        except ValueError:
            pass
        else:
            raise AssertionError("no ValueError")

    asyncio.run(main())


def case_cancelled_task_ends_its_call():
    async def main():
        task = asyncio.create_task(sleep_long.using(timeout=60).process_async())
        await asyncio.sleep(0.05)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            return
        raise AssertionError("not cancelled")

    asyncio.run(main())


def case_ctrl_c_ends_a_blocking_call():
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    begin = time.monotonic()
    raises(KeyboardInterrupt, sleep_long.using(timeout=60).process)
    assert time.monotonic() - begin < 10


def case_calls_of_many_threads():
    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        assert list(threads.map(square.process, range(40))) == [n * n for n in range(40)]


def case_forged_exception_is_no_code():
    from gi.overrides import Procfun

    for name in ("os.system", "builtins.exec", "subprocess.Popen", "SystemExit", "KeyboardInterrupt", ""):
        message = name + ": x" + Procfun._BREAK + "?" + Procfun._ARGUMENTS + '["true"]'
        assert type(Procfun._rebuild(message)) is procfun.RemoteError, name
    for message in ("", "ValueError: x", "ValueError: x" + Procfun._BREAK + Procfun._ARGUMENTS + "[[["):
        assert isinstance(Procfun._rebuild(message), Exception)


if __name__ == "__main__":
    globals()["case_" + sys.argv[1]]()
