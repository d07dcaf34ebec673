# SPDX-License-Identifier: LGPL-2.1-or-later
"""Functions in Python that run in processes of their own; test-python.sh runs one case after the other."""

import os
import sys

import gi

gi.require_version("Json", "1.0")
gi.require_version("Procfun", "1.0")
from gi.repository import Gio, GLib, GObject, Json, Procfun


NO_ARGUMENTS = GLib.Variant("()", ())


def run(function, args=NO_ARGUMENTS, executor=None):
    call = Procfun.Call.new(function, args)
    call.set_executor(executor)
    return call.run(None).unpack()


def divide(args):
    dividend, divisor = args.unpack()
    if divisor == 0:
        raise GLib.Error("division by zero", "python-calls", 7)
    return GLib.Variant("d", dividend / divisor)


def get_pid(args):
    return GLib.Variant("i", os.getpid())


def nothing(args):
    return GLib.Variant("()", ())


def fail_otherwise(args):
    raise ValueError("not an error that GLib knows")


def leave(args):
    sys.exit(args.unpack()[0])


def crash(args):
    os.abort()


def double_of(args):
    value = args.unpack()[0]
    if value == 0:
        return GLib.Variant("i", 0)
    below = run(DOUBLE, GLib.Variant("(i)", (value - 1,)))
    return GLib.Variant("i", below + 2)


def register(name, arg_names, args_type, return_type, handler):
    return registry.register(name, arg_names, GLib.VariantType(args_type), GLib.VariantType(return_type), handler)


class TextCodec(GObject.Object, Procfun.Codec):
    """The text form of GVariant."""

    def do_get_name(self):
        return "text"

    def do_encode(self, schema, value):
        return GLib.Bytes.new(value.print_(True).encode())

    def do_decode(self, schema, data):
        return GLib.Variant.parse(schema.get_variant_type(), data.get_data().decode(), None, None)


class Constant(Procfun.Executor):
    """Has one answer to everything."""

    def do_run(self, call, cancellable):
        return GLib.Variant("i", 42)


codec = TextCodec()
assert codec.register() and Procfun.codec_lookup("text") == codec
registry = Procfun.Registry.get_default()
DIVIDE = register("divide", ["dividend", "divisor"], "(dd)", "d", divide)
GET_PID = register("get_pid", None, "()", "i", get_pid)
NOTHING = register("nothing", [], "()", "()", nothing)
FAIL_OTHERWISE = register("fail_otherwise", None, "()", "()", fail_otherwise)
LEAVE = register("leave", ["code"], "(i)", "()", leave)
CRASH = register("crash", None, "()", "()", crash)
DOUBLE = register("double_of", ["value"], "(i)", "i", double_of)
registry.serve()


def fails(function, args, domain, code):
    try:
        run(function, args)
    except GLib.Error as error:
        assert error.matches(GLib.quark_from_string(domain), code), error
        return error
    raise AssertionError("no error")


def fails_with(code, function, args=NO_ARGUMENTS):
    return fails(function, args, "procfun-error-quark", code)


def case_described():
    assert DIVIDE.get_signature() == "divide(dd)d"
    assert DIVIDE.props.hash == DIVIDE.get_hash() and len(DIVIDE.get_hash()) == 16
    assert [DIVIDE.get_argument_name(i) for i in range(DIVIDE.get_n_arguments())] == ["dividend", "divisor"]
    assert DIVIDE.get_arguments_type().dup_string() == "(dd)"
    assert DIVIDE.get_arguments_schema().get_child_name(1) == "divisor"
    assert DIVIDE.get_flags() & Procfun.FunctionFlags.RUN_TIME
    assert DIVIDE.get_module() is None


def case_registry():
    assert DIVIDE in list(registry) and registry.get_n_items() == 7
    assert registry.lookup_by_name("divide") == registry.lookup(DIVIDE.get_hash()) == DIVIDE
    assert registry.lookup_by_name("no such function") is None
    for name, arg_names in (("divide", ["a", "b"]), ("new", ["only one"]), ("no identifier", ["a", "b"])):
        try:
            register(name, arg_names, "(dd)", "d", divide)
        except GLib.Error as error:
            assert error.matches(Procfun.error_quark(), Procfun.Error.INVALID), error
        else:
            raise AssertionError(name)


def case_result():
    assert run(DIVIDE, GLib.Variant("(dd)", (1, 4))) == 0.25
    assert run(GET_PID) not in (os.getpid(), run(GET_PID))
    assert run(NOTHING) == ()


def case_error():
    error = fails(DIVIDE, GLib.Variant("(dd)", (1, 0)), "python-calls", 7)
    assert error.message == "division by zero"


def case_exception():
    error = fails(FAIL_OTHERWISE, NO_ARGUMENTS, "python-exception", 0)
    assert error.message == "ValueError: not an error that GLib knows", error


def case_exit():
    assert "exit (5)" in fails_with(Procfun.Error.EXITED, LEAVE, GLib.Variant("(i)", (5,))).message


def case_crash():
    assert "SIGABRT" in fails_with(Procfun.Error.CRASHED, CRASH).message


def case_wrong_arguments():
    fails_with(Procfun.Error.INVALID, DIVIDE, GLib.Variant("(ss)", ("1", "4")))


def case_nested():
    assert run(DOUBLE, GLib.Variant("(i)", (3,))) == 6
    fails_with(Procfun.Error.NESTED, DOUBLE, GLib.Variant("(i)", (8,)))


def case_cancelled():
    cancellable = Gio.Cancellable()
    cancellable.cancel()
    try:
        Procfun.Call.new(NOTHING, NO_ARGUMENTS).run(cancellable)
    except GLib.Error as error:
        assert error.matches(Gio.io_error_quark(), Gio.IOErrorEnum.CANCELLED), error
    else:
        raise AssertionError("no error")


def case_async():
    loop = GLib.MainLoop()
    seen = []

    def on_done(call, result):
        seen.append(call.run_finish(result).unpack())
        loop.quit()

    call = Procfun.Call.new(GET_PID, NO_ARGUMENTS)
    call.connect("started", lambda call, pid: seen.append(pid))
    call.connect("finished", lambda call: seen.append(call.get_state()))
    call.run_async(None, on_done)
    loop.run()
    assert seen == [call.get_pid(), Procfun.CallState.SUCCEEDED, call.get_pid()], seen
    assert call.get_result().unpack() == call.get_pid() != os.getpid()


def case_executors():
    assert run(GET_PID, executor=Procfun.Inline.new()) == os.getpid()
    spawner = Procfun.Spawner(max_payload=1000, launcher=["nice", "-n", "1"], codec=Procfun.codec_get_gvariant())
    assert spawner.get_codec().get_name() == "gvariant" and spawner.get_launcher() == ["nice", "-n", "1"]
    assert run(GET_PID, executor=spawner) != os.getpid()
    spawner.set_transport(Procfun.Transport.ARGV)
    assert run(DIVIDE, GLib.Variant("(dd)", (1, 4)), executor=spawner) == 0.25
    assert spawner.close(None) and spawner.is_closed()
    spawner.set_default()
    fails_with(Procfun.Error.CLOSED, NOTHING)


def case_json_nodes():
    call = Procfun.Call.new_json(DIVIDE, Json.from_string('{"dividend": 1, "divisor": 4}'))
    assert call.run(None).unpack() == 0.25
    assert Json.to_string(call.get_result_json(), False) == "0.25"
    node = Procfun.json_from_variant(DIVIDE.get_arguments_schema(), GLib.Variant("(dd)", (1, 4)))
    assert Procfun.json_to_variant(DIVIDE.get_arguments_schema(), node).unpack() == (1, 4)
    try:
        Procfun.Call.new_json(DIVIDE, Json.from_string("[1, true]"))
    except GLib.Error as error:
        assert error.matches(Procfun.error_quark(), Procfun.Error.DECODE), error
    else:
        raise AssertionError("no error")


def case_own_executor():
    assert run(GET_PID, executor=Constant()) == 42


def case_own_codec():
    assert run(DIVIDE, GLib.Variant("(dd)", (1, 4)), executor=Procfun.Spawner(codec=codec)) == 0.25


def case_codecs():
    schema = DIVIDE.get_arguments_schema()
    json = Procfun.codec_get_json()
    assert json.encode(schema, GLib.Variant("(dd)", (1, 4))).get_data() == b"[1.0,4.0]"
    text = GLib.Bytes.new(b'{"divisor": 4, "dividend": 1}')
    assert json.decode(schema, text).unpack() == (1, 4)
    try:
        json.decode(schema, GLib.Bytes.new(b"[1, null]"))
    except GLib.Error as error:
        assert error.matches(Procfun.error_quark(), Procfun.Error.DECODE) and "divisor" in error.message, error
    else:
        raise AssertionError("no error")


globals()["case_" + sys.argv[1]]()
