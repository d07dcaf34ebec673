// SPDX-License-Identifier: LGPL-2.1-or-later
// Functions in Vala: in processes of their own, in a pool, with progress, and with what can go wrong.

/* A function of any number of integers. */
Procfun.Function define (string name, string[] arguments, string result, owned Procfun.Handler handler) throws Error {
  var types = "(" + string.nfill (arguments.length, 'i') + ")";
  return Procfun.Registry.get_default ().register (name, arguments, new VariantType (types), new VariantType (result),
                                                   (owned) handler);
}

Variant square (Variant args) throws Error {
  int n = args.get_child_value (0).get_int32 ();
  return new Variant.int32 (n * n);
}

Variant convert (Variant args) throws Error {
  int n_pages = args.get_child_value (0).get_int32 ();
  for (int page = 1; page <= n_pages; page++)
    Procfun.report_progress ((double) page / n_pages, @"page $page");
  return new Variant.int32 (n_pages);
}

Variant fail (Variant args) throws Error {
  throw new IOError.NOT_FOUND ("there is no page 5");
}

Variant crash (Variant args) throws Error {
  Process.abort ();
}

Variant hang (Variant args) throws Error {
  Thread.usleep (600000000);
  return new Variant ("()");
}

int main () {
  try {
    var square_function = define ("square", { "n" }, "i", square);
    var convert_function = define ("convert", { "pages" }, "i", convert);
    Procfun.Function[] failing = { define ("fail", {}, "()", fail), define ("crash", {}, "()", crash),
                                   define ("hang", {}, "()", hang) };
    Procfun.Registry.get_default ().serve ();

    var seven = new Procfun.Call (square_function, new Variant ("(i)", 7));
    print ("in a process: %d\n", seven.run ().get_int32 ());

    var pool = new Procfun.Pool (2);
    var squares = pool.map (square_function, new Variant.parsed ("[(0,), (1,), (2,), (3,)]"));
    print ("in a pool:");
    foreach (var number in squares)
      print (" %d", number.get_int32 ());
    print ("\n");

    double last = 0;
    var call = new Procfun.Call (convert_function, new Variant ("(i)", 4));
    call.progress.connect ((fraction, message) => { last = fraction; });
    call.run ();
    print ("progress: %.0f%%\n", 100 * last);

    foreach (var function in failing) {
      try {
        var failing_call = new Procfun.Call (function, new Variant ("()"));
        failing_call.timeout = 500000;
        failing_call.run ();
      } catch (Procfun.Error.CRASHED error) {
        print ("a crash\n");
      } catch (Procfun.Error.TIMED_OUT error) {
        print ("a timeout\n");
      } catch (Error error) {
        print ("an exception: %s\n", error.message);
      }
    }
  } catch (Error error) {
    printerr ("%s\n", error.message);
    return 1;
  }
  return 0;
}
