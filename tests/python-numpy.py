# SPDX-License-Identifier: LGPL-2.1-or-later
"""Arrays of numpy as arguments and results; test-python.sh runs one case after the other."""

import sys

import numpy
import procfun

from gi.repository import GLib

LARGE = 3 * 1024 * 1024


def is_shared(array):
    """Whether it is memory that came from another process, and no copy of it."""
    address = array.__array_interface__["data"][0]
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            begin, end = (int(number, 16) for number in line.split()[0].split("-"))
            if begin <= address < end:
                return "/memfd:procfun" in line
    return False


@procfun.function
def double(values: numpy.ndarray) -> numpy.ndarray:
    return values + values


@procfun.function
def copy(values: numpy.ndarray) -> numpy.ndarray:
    return values.copy()


@procfun.function
def is_shared_there(values: numpy.ndarray) -> bool:
    return is_shared(values)


@procfun.function
def give_back(data: bytes) -> bytes:
    return data[::-1]


procfun.serve()


def check(values):
    result = copy.process(values)
    assert result.dtype == values.dtype and result.shape == values.shape, (result.dtype, result.shape)
    assert numpy.array_equal(result, values)


def case_arrays_of_all_shapes_arrive():
    check(numpy.arange(24.0))
    check(numpy.arange(24, dtype=numpy.int16).reshape(2, 3, 4))
    check(numpy.arange(24, dtype=">f4").reshape(4, 6).T)
    check(numpy.arange(24)[::-2])
    check(numpy.array(7.5))
    check(numpy.zeros((0, 3)))
    check(numpy.array([True, False]))
    check(numpy.array([1 + 2j, 3j]))
    check(numpy.array(["2026-11-29", "1970-01-01"], dtype="datetime64[s]"))


def case_large_arrays_arrive():
    values = numpy.arange(LARGE, dtype=numpy.float64)
    result = double.process(values)
    assert numpy.array_equal(result, 2 * values)
    check(values.reshape(1024, -1).T)
    check(values[::3])


def case_large_arrays_are_not_copied():
    values = numpy.arange(LARGE, dtype=numpy.float64)
    assert is_shared_there.process(values)
    assert is_shared(copy.process(values))
    with procfun.Pool(1) as pool:
        assert is_shared_there.using(executor=pool).process(values)
        assert is_shared(copy.using(executor=pool).process(values))


def case_results_outlive_pool_and_call():
    values = numpy.arange(LARGE, dtype=numpy.float64)
    with procfun.Pool(1) as pool:
        results = [copy.using(executor=pool).process(values + i) for i in range(3)]
    for i, result in enumerate(results):
        assert numpy.array_equal(result, values + i)
        try:
            result[0] = 1
        except ValueError:
            continue
        raise AssertionError("a result can be written")


def case_large_bytes_arrive():
    for size in (0, 1, 65535, 65536, 5000001):
        data = bytes(i * 7 % 251 for i in range(1000)) * (size // 1000) + b"x" * (size % 1000)
        for value in (data, bytearray(data), memoryview(data), numpy.frombuffer(data, numpy.uint8)):
            assert give_back.process(value) == data[::-1], size


def case_forged_arrays_are_refused():
    from gi.overrides import Procfun

    kind = Procfun._numpy_array()
    for dtype, shape, data in (
        ("O", (1,), b"12345678"),
        ("<f8", (2,), b"12345678"),
        ("<f8", (-1, -1), b"12345678"),
        ("<f8", (1 << 40, 1 << 40), b""),
        ("nonsense", (1,), b"12345678"),
        ("[('a', 'O')]", (1,), b"12345678"),
    ):
        variant = GLib.Variant("(saxay)", (dtype, shape, data))
        try:
            kind.unpack(variant)
        except (TypeError, ValueError):
            continue
        raise AssertionError((dtype, shape, data))


if __name__ == "__main__":
    globals()["case_" + sys.argv[1]]()
