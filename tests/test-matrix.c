/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Every way of a call must end alike: each line of one table, on each executor, with each codec,
 * blocking and asynchronous. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <gio/gunixfdlist.h>
#include <sys/stat.h>

static ProcfunExecutor *
make_spawner (ProcfunCodec *codec)
{
  ProcfunExecutor *spawner = PROCFUN_EXECUTOR (procfun_spawner_new ());

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (spawner), codec);
  return spawner;
}

static ProcfunExecutor *
make_fork_server (ProcfunCodec *codec)
{
  ProcfunExecutor *server = PROCFUN_EXECUTOR (procfun_fork_server_new ());

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (server), codec);
  return server;
}

static ProcfunExecutor *
make_pool (ProcfunCodec *codec)
{
  ProcfunPool *pool = procfun_pool_new (2);

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (pool), codec);
  return PROCFUN_EXECUTOR (pool);
}

/* It has nothing to encode. */
static ProcfunExecutor *
make_inline (ProcfunCodec *codec)
{
  return PROCFUN_EXECUTOR (procfun_inline_new ());
}

static const struct
{
  const char *name;
  ProcfunExecutor *(*make) (ProcfunCodec *codec);
  gboolean isolates; /* a crash is the callee's alone */
} executors[] = {
  { "spawner", make_spawner, TRUE },
  { "fork-server", make_fork_server, TRUE },
  { "pool", make_pool, TRUE },
  { "inline", make_inline, FALSE },
};

static const char *const codecs[] = { "json", "gvariant" };

#define ITSELF NULL
#define ERROR(code) procfun_error_quark, PROCFUN_ERROR_##code

static const struct
{
  const char *function;
  const char *arguments;
  const char *result;      /* NULL: the first argument */
  GQuark (*domain) (void); /* not NULL: it fails, and */
  gint code;               /* with this, and */
  const char *message;     /* this pattern fits what it says */
  gboolean harms;          /* its process */
} cases[] = {
  { "nothing", "()", "()" },
  { "add", "(40, 2)", "42" },
  { "add", "(-2147483648, 2147483647)", "-1" },
  { "sum_of_twelve", "(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)", "78" },
  { "echo_boolean", "(true,)", ITSELF },
  { "echo_boolean", "(false,)", ITSELF },
  { "echo_byte", "(0x00,)", ITSELF },
  { "echo_byte", "(0xff,)", ITSELF },
  { "echo_int16", "(-32768,)", ITSELF },
  { "echo_int16", "(32767,)", ITSELF },
  { "echo_uint16", "(65535,)", ITSELF },
  { "echo_int32", "(-2147483648,)", ITSELF },
  { "echo_uint32", "(4294967295,)", ITSELF },
  { "echo_int64", "(-9223372036854775808,)", ITSELF },
  { "echo_int64", "(9223372036854775807,)", ITSELF },
  { "echo_int64", "(9007199254740993,)", ITSELF },
  { "echo_uint64", "(18446744073709551615,)", ITSELF },
  { "echo_double", "(0.1,)", ITSELF },
  { "echo_double", "(-0.0,)", ITSELF },
  { "echo_double", "(1.7976931348623157e308,)", ITSELF },
  { "echo_double", "(2.2250738585072014e-308,)", ITSELF },
  { "echo_double", "(inf,)", ITSELF },
  { "echo_double", "(-inf,)", ITSELF },
  { "echo_double", "(nan,)", ITSELF },
  { "echo_float", "(0.1,)", "0.10000000149011612" },
  { "echo_string", "('',)", ITSELF },
  { "echo_string", "('Grüße, 世界 😀 \"\\\\/\\n\\t\\u0001\\u007f',)", ITSELF },
  { "echo_maybe_string", "(nothing,)", ITSELF },
  { "echo_maybe_string", "('',)", ITSELF },
  { "echo_maybe_string", "('null',)", ITSELF },
  { "echo_strv", "(@as [],)", ITSELF },
  { "echo_strv", "(['', 'one', 'two words'],)", ITSELF },
  { "echo_bytes", "(@ay [],)", ITSELF },
  { "echo_bytes", "([byte 0x00, 0xff, 0x80, 0x00],)", ITSELF },
  { "echo_variant", "(<int16 5>,)", ITSELF },
  { "echo_variant", "(<{'a': <@ams [nothing, '']>, 'b': <(true, 0x07)>}>,)", ITSELF },
  { "echo_int16s", "([int16 -32768, 32767],)", ITSELF },
  { "echo_uint16s", "([uint16 0, 65535],)", ITSELF },
  { "echo_int32s", "([-2147483648, 2147483647],)", ITSELF },
  { "echo_uint32s", "([uint32 0, 4294967295],)", ITSELF },
  { "echo_int64s", "([int64 -9223372036854775808, 1],)", ITSELF },
  { "echo_uint64s", "([uint64 18446744073709551615],)", ITSELF },
  { "echo_doubles", "([0.1, -0.0, inf, 2.2250738585072014e-308],)", ITSELF },
  { "echo_doubles", "(@ad [],)", ITSELF },
  { "echo_colour", "(1,)", ITSELF },
  { "echo_colour", "(12345,)", ITSELF },
  { "echo_colours", "([0, 77, 1, -1],)", ITSELF },
  { "echo_spot", "((0.5, -3),)", ITSELF },
  { "echo_shape", "(('a square', 77, (1.0, 2), [(0.0, 0), (1.0, 1)]),)", ITSELF },
  { "echo_shapes", "([('', 0, (1.0, 2), @a(di) []), ('b', 1, (-0.0, -1), [(inf, 7)])],)", ITSELF },
  { "echo_shapes", "(@a(si(di)a(di)) [],)", ITSELF },

  { "fail", "('g-io-error-quark', 14, 'no such thing: %s é')", NULL, g_io_error_quark, 14,
    "no such thing: %s é" },
  { "fail", "('g-io-error-quark', -1, '')", NULL, g_io_error_quark, -1, "" },
  { "fail_void", "(3,)", NULL, g_file_error_quark, 3, "failed with 3" },
  { "fail_with_result", "(3,)", NULL, g_file_error_quark, 3, "failed with 3" },
  { "do_return_null", "()", NULL, ERROR (ENCODE), "*do_return_null()*" },
  { "do_return_latin1", "()", NULL, ERROR (ENCODE), "*do_return_latin1()*UTF-8*" },

  { "do_crash", "()", NULL, ERROR (CRASHED), "*do_crash()*SIGSEGV*", TRUE },
  { "do_abort", "()", NULL, ERROR (CRASHED), "*do_abort()*SIGABRT*", TRUE },
  { "do_raise", "(15,)", NULL, ERROR (CRASHED), "*do_raise()*SIGTERM*", TRUE },
  { "do_raise", "(9,)", NULL, ERROR (KILLED), "*do_raise()*SIGKILL*", TRUE },
  { "do_exit", "(0,)", NULL, ERROR (EXITED), "*do_exit()*exit (0)*", TRUE },
  { "do_exit", "(3,)", NULL, ERROR (EXITED), "*do_exit()*exit (3)*", TRUE },
  { "do_exit_at_once", "(0,)", NULL, ERROR (EXITED), "*do_exit_at_once()*", TRUE },
  { "do_exit_at_once", "(255,)", NULL, ERROR (EXITED), "*do_exit_at_once()* 255*", TRUE },
};

typedef struct
{
  gsize executor;
  const char *codec;
  gboolean async;
  gsize line; /* of cases */
} Cell;

static ProcfunExecutor *
make_executor (const Cell *cell)
{
  return executors[cell->executor].make (procfun_codec_lookup (cell->codec));
}

/* The expected end, in the words of the real one. */
static char *
get_expected (const Cell *cell, ProcfunCall *call)
{
  g_autoptr (GVariant) first = NULL;

  if (cases[cell->line].result != NULL)
    return g_strdup (cases[cell->line].result);
  first = g_variant_get_child_value (procfun_call_get_arguments (call), 0);
  return g_variant_print (first, TRUE);
}

static void
test_cell (gconstpointer data)
{
  const Cell *cell = data;
  g_autoptr (ProcfunExecutor) executor = make_executor (cell);
  ProcfunCall *call = calls_new (cases[cell->line].function, cases[cell->line].arguments);
  g_autofree char *expected = NULL;

  if (cases[cell->line].domain != NULL)
    {
      calls_assert_error (executor, call, cell->async, cases[cell->line].domain (),
                          cases[cell->line].code, cases[cell->line].message);
      return;
    }
  expected = get_expected (cell, call);
  calls_assert_result (executor, call, cell->async, expected);
}

/* The same function returns the descriptors that it is given. */
static void
test_descriptors (gconstpointer data)
{
  const Cell *cell = data;
  static const char *const functions[] = { "echo_fd", "echo_fd_list" };
  static const char *const arguments[] = { "(handle 0,)", "([handle 0, 1],)" };

  for (gsize i = 0; i < G_N_ELEMENTS (functions); i++)
    {
      g_autoptr (ProcfunExecutor) executor = make_executor (cell);
      g_autoptr (ProcfunCall) call = calls_new (functions[i], arguments[i]);
      g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
      g_autoptr (GVariant) result = NULL;
      g_autoptr (GError) error = NULL;
      GUnixFDList *back;

      g_unix_fd_list_append (list, 0, NULL);
      g_unix_fd_list_append (list, 1, NULL);
      procfun_call_set_executor (call, executor);
      procfun_call_set_fd_list (call, list);
      result = calls_run (g_object_ref (call), cell->async, NULL, &error);
      g_assert_no_error (error);
      back = procfun_call_get_result_fd_list (call);
      g_assert_cmpint (g_unix_fd_list_get_length (back), ==, i + 1);
    }
}

static void
add_test (const Cell *cell, const char *name, GTestDataFunc func)
{
  g_autofree char *path = g_strdup_printf ("/matrix/%s/%s/%s/%s", executors[cell->executor].name,
                                           cell->codec, cell->async ? "async" : "blocking", name);

  fixture_add_data_func (path, cell, func);
}

static void
add_cell (Cell cell)
{
  static Cell
      all[G_N_ELEMENTS (executors) * G_N_ELEMENTS (codecs) * 2 * (G_N_ELEMENTS (cases) + 1)];
  static gsize n;
  g_autofree char *name = NULL;

  if (cell.line < G_N_ELEMENTS (cases) && cases[cell.line].harms
      && !executors[cell.executor].isolates)
    return;
  all[n] = cell;
  if (cell.line == G_N_ELEMENTS (cases))
    {
      add_test (&all[n++], "descriptors", test_descriptors);
      return;
    }
  name = g_strdup_printf ("%" G_GSIZE_FORMAT "-%s", cell.line, cases[cell.line].function);
  add_test (&all[n++], name, test_cell);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize executor = 0; executor < G_N_ELEMENTS (executors); executor++)
    for (gsize codec = 0; codec < G_N_ELEMENTS (codecs); codec++)
      for (gboolean async = FALSE; async <= TRUE; async++)
        for (gsize line = 0; line <= G_N_ELEMENTS (cases); line++)
          add_cell ((Cell){ executor, codecs[codec], async, line });
  return fixture_run ();
}
