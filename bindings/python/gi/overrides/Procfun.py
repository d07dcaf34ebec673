# SPDX-License-Identifier: LGPL-2.1-or-later
"""Procfun for Python: a decorator, and what Python expects around it.

PyGObject loads this file with ``from gi.repository import Procfun``; ``import procfun`` gives the same names.

    import procfun

    @procfun.function(timeout=2.0, limits="memory=200M")
    def square(n: int) -> int:
        return n * n

    procfun.serve()                      # a process that was started for a call goes no further
    print(square.process(7))
"""

import array
import asyncio
import builtins
import collections.abc
import concurrent.futures
import ctypes
import dataclasses
import functools
import inspect
import itertools
import json
import os
import sys
import threading
import traceback
import types
import typing

from gi.repository import Gio, GLib

from ..module import get_introspection_module
from ..overrides import override

Procfun = get_introspection_module("Procfun")
__all__ = []


def _export(thing):
    __all__.append(thing.__name__)
    return thing


# Values: each annotation has a GVariant type, and functions to and from a GLib.Variant.


class _Type:
    def __init__(self, signature, pack, unpack):
        self.signature = signature
        self.pack = pack
        self.unpack = unpack


def _from_bytes(signature, data):
    """Only for types of a fixed size, whose every byte pattern is a value, and for bytes."""
    return GLib.Variant.new_from_bytes(GLib.VariantType(signature), GLib.Bytes.new(data), True)


def _to_bytes(variant):
    return variant.get_data_as_bytes().get_data() or b""


def _children(variant):
    return (variant.get_child_value(i) for i in range(variant.n_children()))


def _plain(signature, kind):
    def pack(value):
        if kind is float:
            value = float(value)
        elif not isinstance(value, kind):
            raise TypeError(f"expected {kind.__name__}, not {type(value).__name__}")
        return GLib.Variant(signature, value)

    return _Type(signature, pack, GLib.Variant.unpack)


_PLAIN = {bool: _plain("b", bool), int: _plain("x", int), float: _plain("d", float), str: _plain("s", str)}


# Memory of this size is shared with other processes, instead of being copied to them.
_SHARE_MIN = 64 * 1024


def _view(address, size, owner):
    """Memory that @owner keeps, as Python sees it. The view keeps @owner."""
    memory = (ctypes.c_ubyte * size).from_address(address)
    memory.owner = owner
    return memory


def _share(size, fill):
    """A GLib.Variant with so many bytes, which fill(view) writes."""
    data, address = Procfun.bytes_new(size)
    if data is None:
        raise MemoryError(f"no memory for {size} bytes")
    fill(_view(address, size, data))
    return GLib.Variant.new_from_bytes(GLib.VariantType("ay"), data, True)


def _pack_bytes(value):
    try:
        value = memoryview(value).cast("B")
    except (TypeError, ValueError):
        value = memoryview(bytes(value))
    if value.nbytes < _SHARE_MIN:
        return _from_bytes("ay", value.tobytes())

    def fill(view):
        memoryview(view).cast("B")[:] = value

    return _share(value.nbytes, fill)


_BYTES = _Type("ay", _pack_bytes, _to_bytes)
_NONE = _Type("()", lambda value: GLib.Variant("()", ()), lambda variant: None)

# PyGObject takes microseconds for each element of an array, and the module array nanoseconds.
_ARRAY_CODES = {int: "q", float: "d"}


def _number_list(kind):
    code, signature = _ARRAY_CODES[kind], "a" + _PLAIN[kind].signature

    def unpack(variant):
        values = array.array(code)
        values.frombytes(_to_bytes(variant))
        return values.tolist()

    return _Type(signature, lambda values: _from_bytes(signature, array.array(code, values).tobytes()), unpack)


def _string_list():
    def pack(values):
        values = list(values)
        if not all(isinstance(value, str) for value in values):
            raise TypeError("expected a list of str")
        return GLib.Variant.new_strv(values)

    return _Type("as", pack, GLib.Variant.unpack)


def _list(element):
    element_type = GLib.VariantType(element.signature)
    return _Type(
        "a" + element.signature,
        lambda values: GLib.Variant.new_array(element_type, [element.pack(value) for value in values]),
        lambda variant: [element.unpack(child) for child in _children(variant)],
    )


def _tuple(elements, make, split):
    def pack(value):
        values = split(value)
        if len(values) != len(elements):
            raise TypeError(f"expected {len(elements)} elements, not {len(values)}")
        return GLib.Variant.new_tuple(*(element.pack(value) for element, value in zip(elements, values)))

    return _Type(
        "(" + "".join(element.signature for element in elements) + ")",
        pack,
        lambda variant: make(element.unpack(child) for element, child in zip(elements, _children(variant))),
    )


def _dict(key, value):
    signature = "{" + key.signature + value.signature + "}"

    def pack(mapping):
        entries = [GLib.Variant.new_dict_entry(key.pack(k), value.pack(v)) for k, v in mapping.items()]
        return GLib.Variant.new_array(GLib.VariantType(signature), entries)

    def unpack(variant):
        pairs = (tuple(_children(entry)) for entry in _children(variant))
        return {key.unpack(k): value.unpack(v) for k, v in pairs}

    return _Type("a" + signature, pack, unpack)


def _optional(inner):
    inner_type = GLib.VariantType(inner.signature)

    def unpack(variant):
        value = variant.get_maybe()
        return None if value is None else inner.unpack(value)

    return _Type(
        "m" + inner.signature,
        lambda value: GLib.Variant.new_maybe(inner_type, None if value is None else inner.pack(value)),
        unpack,
    )


def _any_of(value):
    """The type of a value that has no annotation of its own."""
    if value is None:
        return _NONE
    if isinstance(value, (bytes, bytearray, memoryview)):
        return _BYTES
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return _PLAIN[kind]
    if isinstance(value, dict):
        return _dict(_PLAIN[str], _ANY) if all(isinstance(key, str) for key in value) else _PAIRS
    if isinstance(value, list):
        return _list(_ANY)
    if isinstance(value, tuple):
        return _tuple([_ANY] * len(value), tuple, tuple)
    raise TypeError(f"a value of the type {type(value).__name__} cannot be sent")


def _unpack_any(variant):
    variant = variant.get_variant()
    kind = variant.get_type_string()
    if kind == "ay":
        return _to_bytes(variant)
    if kind == "()":
        return None
    if kind == "a{sv}":
        return _dict(_PLAIN[str], _ANY).unpack(variant)
    if kind == "a(vv)":
        return _PAIRS.unpack(variant)
    if kind.startswith("a") or kind.startswith("("):
        values = [_unpack_any(child) for child in _children(variant)]
        return values if kind.startswith("a") else tuple(values)
    return variant.unpack()


_ANY = _Type("v", lambda value: GLib.Variant.new_variant(_any_of(value).pack(value)), _unpack_any)


# A dictionary with keys that GVariant does not have.
_PAIR_LIST = _list(_tuple([_ANY, _ANY], tuple, tuple))
_PAIRS = _Type("a(vv)", lambda mapping: _PAIR_LIST.pack(mapping.items()), lambda variant: dict(_PAIR_LIST.unpack(variant)))


def _numpy_array():
    import numpy

    shape_type = _number_list(int)

    def pack_data(value):
        if value.nbytes < _SHARE_MIN:
            return _from_bytes("ay", value.tobytes())

        def fill(view):
            numpy.ndarray(value.shape, value.dtype, view)[...] = value

        return _share(value.nbytes, fill)

    def pack(value):
        value = numpy.asarray(value)
        if value.dtype.hasobject:
            raise TypeError("an array of Python objects cannot be sent")
        return GLib.Variant.new_tuple(
            GLib.Variant("s", value.dtype.str), shape_type.pack(value.shape), pack_data(value)
        )

    # The array is the memory of the value, which nobody may write. What stands there may be anything.
    def unpack(variant):
        dtype, shape, data = _children(variant)
        dtype, size = numpy.dtype(dtype.get_string()), data.get_size()
        if dtype.hasobject:
            raise TypeError("an array of Python objects came")
        memory = _view(data.get_data(), size, data) if size > 0 else b""
        values = numpy.ndarray(shape_type.unpack(shape), dtype, memory)
        values.flags.writeable = False
        return values

    return _Type("(saxay)", pack, unpack)


def _is_numpy_array(annotation):
    return getattr(annotation, "__module__", None) == "numpy" and getattr(annotation, "__name__", None) == "ndarray"


def _type_of(annotation):
    """The _Type of an annotation. TypeError: it has none."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if annotation in (None, type(None)):
        return _NONE
    if annotation is typing.Any or annotation is inspect.Parameter.empty:
        return _ANY
    if annotation in (bytes, bytearray):
        return _BYTES
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    if annotation in (list, tuple, dict):
        return _ANY
    if origin in (list, collections.abc.Sequence):
        if args[0] in _ARRAY_CODES:
            return _number_list(args[0])
        return _string_list() if args[0] is str else _list(_type_of(args[0]))
    if origin is tuple and len(args) == 2 and args[1] is Ellipsis:
        inner = _list(_type_of(args[0]))
        return _Type(inner.signature, inner.pack, lambda variant: tuple(inner.unpack(variant)))
    if origin is tuple:
        return _tuple([_type_of(arg) for arg in args], tuple, tuple)
    if origin is dict:
        return _dict(_type_of(args[0]), _type_of(args[1]))
    if origin in (typing.Union, getattr(types, "UnionType", None)) and len(args) == 2 and type(None) in args:
        return _optional(_type_of(next(arg for arg in args if arg is not type(None))))
    if _is_numpy_array(origin or annotation):
        return _numpy_array()
    if dataclasses.is_dataclass(annotation):
        names = [field.name for field in dataclasses.fields(annotation)]
        hints = typing.get_type_hints(annotation)
        return _tuple(
            [_type_of(hints[name]) for name in names],
            lambda values: annotation(*values),
            lambda value: [getattr(value, name) for name in names],
        )
    raise TypeError(f"{annotation!r} has no GVariant type")


# Exceptions: a child is not trusted, so nothing that it sends is unpickled. It names the class of an exception; only
# classes that the caller has imported are made, from plain arguments.

_DOMAIN = "python-exception"
_BREAK = "\n\nTraceback (most recent call last):\n"
_ARGUMENTS = "\nArguments: "


@_export
class RemoteTraceback(Exception):
    """The cause of an exception that a function raised in its process: where that was."""

    def __init__(self, text):
        super().__init__(text)
        self.text = text

    def __str__(self):
        return "\n" + self.text


@_export
class RemoteError(Exception):
    """An exception whose class is not known here."""


@_export
class ProcessError(Exception):
    """A call that failed without an exception of the function. ``error``: the GLib.Error; ``failure``: the
    Procfun.Failure, or None."""

    def __init__(self, error, failure=None):
        super().__init__(error.message)
        self.error = error
        self.failure = failure

    def matches(self, code):
        return self.error.matches(Procfun.error_quark(), code)


@_export
class Crashed(ProcessError):
    """The function crashed, or ended its process."""


@_export
class TimedOut(ProcessError, TimeoutError):
    """The function took longer than it may."""


@_export
class LimitExceeded(ProcessError):
    """The function used more memory, processor time or the like than it may."""


_CLASSES = {
    Procfun.Error.CRASHED: Crashed,
    Procfun.Error.EXITED: Crashed,
    Procfun.Error.KILLED: Crashed,
    Procfun.Error.TIMED_OUT: TimedOut,
    Procfun.Error.MEMORY_LIMIT: LimitExceeded,
    Procfun.Error.CPU_LIMIT: LimitExceeded,
    Procfun.Error.LIMIT: LimitExceeded,
}


def _name_of(exception):
    cls = type(exception)
    return cls.__qualname__ if cls.__module__ == "builtins" else cls.__module__ + "." + cls.__qualname__


def _describe(exception):
    """The message of an exception for the caller, readable also where that is not Python."""
    try:
        arguments = json.dumps(exception.args)
    except (TypeError, ValueError):
        arguments = json.dumps([str(exception)])
    frames = traceback.extract_tb(exception.__traceback__)[1:]  # without the one of this file
    text = "".join(traceback.format_list(frames))
    return f"{_name_of(exception)}: {exception}{_BREAK}{text}{_ARGUMENTS}{arguments}".replace("\0", "\\0")


def _find_class(name):
    module, _, attribute = name.rpartition(".")
    scope = vars(builtins) if module == "" else vars(sys.modules.get(module, builtins))
    cls = scope.get(attribute)
    if cls is None and module == "__mp_main__":
        cls = vars(sys.modules["__main__"]).get(attribute)
    return cls if isinstance(cls, type) and issubclass(cls, Exception) else None


def _rebuild(message):
    """The exception that _describe() was given, or a RemoteError. Anything may be in @message."""
    head, _, rest = message.partition(_BREAK)
    place, _, arguments = rest.rpartition(_ARGUMENTS)
    name, _, text = head.partition(": ")
    cls = _find_class(name)
    try:
        exception = cls(*json.loads(arguments)) if cls is not None else RemoteError(head)
    except Exception:
        exception = RemoteError(head)
    exception.__cause__ = RemoteTraceback("Traceback (most recent call last):\n" + place + head)
    return exception


def _to_exception(error, failure=None):
    if error.domain == _DOMAIN:
        return _rebuild(error.message)
    if error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED):
        return concurrent.futures.CancelledError()
    if error.matches(Procfun.error_quark(), error.code):
        return _CLASSES.get(error.code, ProcessError)(error, failure)
    return error


def _raise(error, failure=None):
    exception = _to_exception(error, failure)
    raise exception from exception.__cause__


# Waiting. C code that waits does not let Python handle Ctrl-C, and asyncio does not run GLib's main context: a thread
# runs a context of its own, and those who wait do so in Python.


class _Pump:
    def __init__(self):
        self.context = GLib.MainContext.new()
        self.thread = threading.Thread(target=self._run, name="procfun", daemon=True)
        self.thread.start()

    def _run(self):
        self.context.push_thread_default()
        GLib.MainLoop.new(self.context, False).run()

    def invoke(self, function):
        source = GLib.Idle(priority=GLib.PRIORITY_DEFAULT)
        source.set_callback(lambda *_: function() and False)
        source.attach(self.context)


_pump = None
_pump_lock = threading.Lock()


def _get_pump():
    global _pump
    with _pump_lock:
        if _pump is None:
            _pump = _Pump()
        return _pump


def _forget_pump():
    global _pump, _pump_lock
    _pump, _pump_lock = None, threading.Lock()


os.register_at_fork(after_in_child=_forget_pump)


def _run(start, finish, cancellable):
    """A concurrent.futures.Future of start(cancellable, callback), whose result finish(result) gives."""
    future = concurrent.futures.Future()
    future.set_running_or_notify_cancel()

    def on_done(source, result, *_):
        try:
            value = finish(result)
        except Exception as error:
            future.set_exception(error)
        else:
            future.set_result(value)

    def begin():
        try:
            start(cancellable, on_done)
        except Exception as error:
            future.set_exception(error)

    _get_pump().invoke(begin)
    return future


def _wait(future, cancellable):
    """Ctrl-C ends what is waited for."""
    try:
        return future.result()
    except (KeyboardInterrupt, SystemExit):
        cancellable.cancel()
        raise


# Functions


def _unpack_generator(annotation):
    if typing.get_origin(annotation) in (collections.abc.Iterator, collections.abc.Iterable, collections.abc.Generator):
        return typing.get_args(annotation)[0]
    raise TypeError("a generator is annotated with Iterator[…]")


def _make_limits(limits):
    return Procfun.Limits.new_from_string(limits) if isinstance(limits, str) else limits


_SETTINGS = {"timeout", "deadline", "limits", "executor", "priority", "grace_period", "launch_context"}


def _check_settings(settings):
    unknown = set(settings) - _SETTINGS
    if unknown:
        raise TypeError(f"unknown setting: {', '.join(sorted(unknown))}")


class Registry(Procfun.Registry):
    """Takes handlers that raise any exception: its class and text reach the caller as a GLib.Error."""

    def register(self, name, arg_names, args_type, return_type, handler, *data):
        return super().register(name, arg_names, args_type, return_type, _with_text(handler), *data)

    def register_generator(self, name, arg_names, args_type, item_type, handler, *data):
        return super().register_generator(name, arg_names, args_type, item_type, _with_text(handler), *data)


def _with_text(handler):
    def handle(*args):
        try:
            return handler(*args)
        except GLib.Error:
            raise
        except Exception as exception:
            raise GLib.Error(f"{_name_of(exception)}: {exception}".replace("\0", "\\0"), _DOMAIN, 0) from None

    return handle


Registry = override(Registry)
__all__.append("Registry")


class Function:
    """What @procfun.function makes of a function. It is called as before; ``process()`` runs it in another process."""

    def __init__(self, function, settings):
        _check_settings(settings)
        functools.update_wrapper(self, function)
        self._settings = settings
        self._python = function
        self._signature = inspect.signature(function)
        self._is_generator = inspect.isgeneratorfunction(function)
        hints = typing.get_type_hints(function)
        returned = hints.get("return", type(None) if "return" in hints else inspect.Parameter.empty)
        if self._is_generator:
            returned = _unpack_generator(returned)
        names = list(self._signature.parameters)
        self._arguments = _tuple([_type_of(hints.get(name, inspect.Parameter.empty)) for name in names], tuple, tuple)
        self._result = _type_of(returned)
        registry = Procfun.Registry.get_default()
        register = registry.register_generator if self._is_generator else registry.register
        self.function = register(
            function.__name__,
            names,
            GLib.VariantType(self._arguments.signature),
            GLib.VariantType(self._result.signature),
            self._handle,
        )

    def __call__(self, *args, **kwargs):
        return self._python(*args, **kwargs)

    def __repr__(self):
        return f"<procfun.function {self.function.get_signature()}>"

    def using(self, **settings):
        """The same function with other settings."""
        _check_settings(settings)
        other = object.__new__(Function)
        other.__dict__.update(self.__dict__)
        other._settings = {**self._settings, **settings}
        return other

    # In the process of a call

    def _handle(self, args):
        try:
            result = self._python(*self._arguments.unpack(args))
            if not self._is_generator:
                return self._result.pack(result)
            for item in result:
                if not Procfun.yield_item(self._result.pack(item)):
                    break
            return GLib.Variant("()", ())
        except (GLib.Error, SystemExit):
            raise
        except BaseException as exception:
            raise GLib.Error(_describe(exception), _DOMAIN, 0) from None

    # In the caller

    def _bind(self, args, kwargs):
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return self._arguments.pack(tuple(bound.arguments.values()))

    def call(self, *args, **kwargs):
        """A Procfun.Call with these arguments and the settings of the function."""
        call = Procfun.Call.new(self.function, self._bind(args, kwargs))
        for name, value in self._settings.items():
            if name in ("timeout", "deadline", "grace_period"):
                value = round(value * 1000000)
            elif name == "limits":
                value = _make_limits(value)
            if value is not None:
                getattr(call, "set_" + name)(value)
        return call

    def _start(self, call, cancellable):
        def finish(result):
            try:
                return self._result.unpack(call.run_finish(result))
            except GLib.Error as error:
                _raise(error, call.get_failure())

        return _run(call.run_async, finish, cancellable)

    def process(self, *args, **kwargs):
        """Calls the function in a process of its own, and waits for the result. A generator gives an iterator."""
        call = self.call(*args, **kwargs)
        if self._is_generator:
            return self._iterate(call)
        cancellable = Gio.Cancellable()
        try:
            return _wait(self._start(call, cancellable), cancellable)
        except Exception as exception:
            raise exception.with_traceback(None) from exception.__cause__

    def _iterate(self, call):
        cancellable = Gio.Cancellable()

        def finish(result):
            try:
                return call.next_finish(result)
            except GLib.Error as error:
                _raise(error, call.get_failure())

        try:
            while (item := _wait(_run(call.next_async, finish, cancellable), cancellable)) is not None:
                yield self._result.unpack(item)
        finally:
            call.abort()

    async def process_async(self, *args, **kwargs):
        """The same for asyncio. Cancelling the task ends the call."""
        if self._is_generator:
            raise TypeError(f"{self.__name__}() is a generator: use process()")
        cancellable = Gio.Cancellable()
        future = self._start(self.call(*args, **kwargs), cancellable)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            cancellable.cancel()
            raise

    def map(self, iterable, *others, pool=None, chunk=4096):
        """Calls the function for each element of the iterable on all processors, and yields the results in order.
        With several iterables the function gets an element of each, as with Python's map(). At the place of an
        element that failed, its exception is raised. At most @chunk elements are taken ahead."""
        rows = zip(iterable, *others)
        pool = pool or self._settings.get("executor") or _get_default_pool()
        size = min(chunk, 64)
        while rows_now := list(itertools.islice(rows, size)):
            yield from self._map_some(pool, rows_now)
            size = min(chunk, size * 2)

    def _map_some(self, pool, rows):
        arguments_type = GLib.VariantType(self._arguments.signature)
        job = Procfun.Map.new(pool, self.function)
        job.set_array(GLib.Variant.new_array(arguments_type, [self._bind(row, {}) for row in rows]))
        job.set_on_error(Procfun.MapOnError.COLLECT)
        if self._settings.get("timeout"):
            job.set_timeout(round(self._settings["timeout"] * 1000000))
        if self._settings.get("limits"):
            job.set_limits(_make_limits(self._settings["limits"]))
        cancellable = Gio.Cancellable()
        try:
            results = _wait(_run(job.run_async, job.run_finish, cancellable), cancellable)
        except GLib.Error as error:
            _raise(error)
        for index, result in enumerate(_children(results)):
            value = result.get_maybe()
            if value is None:
                _raise(job.get_error(index))
            yield self._result.unpack(value)


@_export
def function(function=None, **settings):
    """Marks a function whose arguments and result are annotated. Settings: timeout, deadline and grace_period in
    seconds, limits as text or Procfun.Limits, executor, priority, launch_context."""
    if function is None:
        return lambda function: Function(function, settings)
    return Function(function, settings)


@_export
def serve():
    """Serves the call for which this process was started, if it was, and then does not return."""
    Procfun.Registry.get_default().serve()


# Pools


class Pool(Procfun.Pool):
    """``with procfun.Pool(4) as pool:`` closes it at the end."""

    def __init__(self, max_workers=None, **properties):
        if max_workers is not None:
            properties["max_workers"] = max_workers
        super().__init__(**properties)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close(None)

    def map(self, function, *others, **settings):
        """pool.map(square, range(5)) is square.map(range(5), pool=pool). With a Procfun.Function it is the method of C."""
        if isinstance(function, Function):
            return function.map(*others, pool=self, **settings)
        return super().map(function, *others, **settings)


Pool = override(Pool)
__all__.append("Pool")

_default_pool = None


def _get_default_pool():
    global _default_pool
    if _default_pool is None:
        _default_pool = Pool(os.cpu_count() or 1)
    return _default_pool
