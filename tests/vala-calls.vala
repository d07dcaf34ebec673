// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions in Vala that run in processes of their own; test-vala.sh compiles it and runs it.

Variant divide (Variant args) throws GLib.Error {
  double dividend, divisor;
  args.get ("(dd)", out dividend, out divisor);
  if (divisor == 0)
    throw new IOError.INVALID_ARGUMENT ("division by zero");
  return new Variant.double (dividend / divisor);
}

Variant get_pid (Variant args) throws GLib.Error {
  return new Variant.int32 (Posix.getpid ());
}

Procfun.Call call_divide (Procfun.Function function, double dividend, double divisor) {
  return new Procfun.Call (function, new Variant ("(dd)", dividend, divisor));
}

async void run_later (Procfun.Function function, MainLoop loop) throws GLib.Error {
  var call = call_divide (function, 3, 4);
  int pid = 0;

  call.started.connect ((started_pid) => { pid = started_pid; });
  assert ((yield call.run_async (null)).get_double () == 0.75);
  assert (pid != 0 && pid == call.get_pid () && call.state == Procfun.CallState.SUCCEEDED);
  loop.quit ();
}

async void submit (Procfun.Function function, MainLoop loop) throws GLib.Error {
  var pool = new Procfun.Pool (1);
  Procfun.Call[] calls = { call_divide (function, 3, 4), call_divide (function, 1, 2), call_divide (function, 1, 4) };
  int n_ended = 0;

  assert (yield pool.submit (calls[0]));
  assert (yield ((Procfun.ProcessExecutor) pool).submit (calls[1]));
  assert (pool.try_submit (calls[2], null, (source, result) => {
    n_ended++;
  }));
  yield pool.drain_async ();
  while (n_ended < 1) {
    Idle.add (submit.callback);
    yield;
  }
  foreach (var call in calls)
    assert (call.state == Procfun.CallState.SUCCEEDED);
  yield pool.close_async ();
  loop.quit ();
}

int main (string[] args) {
  var registry = Procfun.Registry.get_default ();

  try {
    var function = registry.register ("divide", { "dividend", "divisor" }, new VariantType ("(dd)"),
                                      VariantType.DOUBLE, divide);
    var pid_function = registry.register ("get_pid", null, VariantType.UNIT, VariantType.INT32, get_pid);
    registry.serve ();

    assert (call_divide (function, 1, 4).run ().get_double () == 0.25);
    assert (new Procfun.Call (pid_function, new Variant ("()")).run ().get_int32 () != Posix.getpid ());

    try {
      call_divide (function, 1, 0).run ();
      assert_not_reached ();
    } catch (IOError.INVALID_ARGUMENT error) {
      assert (error.message == "division by zero");
    }

    try {
      new Procfun.Call (function, new Variant ("(i)", 1)).run ();
      assert_not_reached ();
    } catch (Procfun.Error.INVALID error) {
    }

    var spawner = new Procfun.Spawner () as Procfun.Spawner;
    var call = call_divide (function, 1, 2);
    spawner.codec = Procfun.Codec.get_gvariant ();
    call.set_executor (spawner);
    assert (call.run ().get_double () == 0.5);
    assert (spawner.close_full (Procfun.CloseFlags.NONE));

    var loop = new MainLoop ();
    run_later.begin (function, loop, (source, result) => {
      try {
        run_later.end (result);
      } catch (GLib.Error error) {
        GLib.error ("%s", error.message);
      }
    });
    loop.run ();
    submit.begin (function, loop, (source, result) => {
      try {
        submit.end (result);
      } catch (GLib.Error error) {
        GLib.error ("%s", error.message);
      }
    });
    loop.run ();
  } catch (GLib.Error error) {
    GLib.error ("%s", error.message);
  }
  return 0;
}
