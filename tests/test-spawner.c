/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Settings of the spawner and what they do. Ends of calls are in test-spawner-failures.c, many
 * calls at once and cancelling in test-spawner-async.c. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static ProcfunSpawner *
new_spawner (void)
{
  return procfun_spawner_new ();
}

static ProcfunCall *
on (ProcfunSpawner *spawner, ProcfunCall *call)
{
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (spawner));
  return call;
}

/* Properties */

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  ++*(guint *)user_data;
}

static void
test_properties (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  static const char *const command[] = { "nice", "-n", "1", NULL };
  g_auto (GStrv) launcher = NULL;
  g_autoptr (ProcfunCodec) codec = NULL;
  ProcfunTransport transport;
  guint64 bytes;
  guint n = 0;

  g_object_get (spawner, "transport", &transport, "codec", &codec, "launcher", &launcher,
                "max-payload", &bytes, NULL);
  g_assert_cmpint (transport, ==, PROCFUN_TRANSPORT_CHANNEL);
  g_assert_true (codec == procfun_codec_get_json ());
  g_assert_null (launcher);
  g_assert_cmpuint (bytes, ==, (guint64)1 << 30);

  g_signal_connect (spawner, "notify", G_CALLBACK (count_notify), &n);
  for (guint i = 0; i < 2; i++)
    g_object_set (spawner, "transport", PROCFUN_TRANSPORT_ARGV, "codec",
                  procfun_codec_get_gvariant (), "launcher", command, "max-payload", (guint64)100,
                  NULL);
  g_assert_cmpuint (n, ==, 4);
  g_assert_cmpint (procfun_spawner_get_transport (spawner), ==, PROCFUN_TRANSPORT_ARGV);
  g_assert_true (procfun_process_executor_get_codec (PROCFUN_PROCESS_EXECUTOR (spawner))
                 == procfun_codec_get_gvariant ());
  g_assert_cmpstrv (procfun_spawner_get_launcher (spawner), command);
  g_assert_cmpuint (procfun_process_executor_get_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner)),
                    ==, 100);
  procfun_spawner_set_launcher (spawner, NULL);
  g_assert_null (procfun_spawner_get_launcher (spawner));
}

static void
test_misuse (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();

  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*PROCFUN_IS_CODEC*");
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (spawner), NULL);
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*bytes >= 1*");
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner), 0);
  g_test_expect_message ("procfun", G_LOG_LEVEL_CRITICAL, "*PROCFUN_IS_SPAWNER*");
  procfun_spawner_set_transport (NULL, PROCFUN_TRANSPORT_ARGV);
  g_test_assert_expected_messages ();
}

/* The process of a call */

static void
assert_only_crashes_are_handled (char **signals)
{
  static const int handled[]
      = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ, SIGURG };

  g_assert_cmpuint (g_strv_length (signals), ==, G_N_ELEMENTS (handled));
  for (gsize i = 0; i < G_N_ELEMENTS (handled); i++)
    g_assert_true (g_strv_contains ((const char *const *)signals, g_strsignal (handled[i])));
}

static void
test_process (void)
{
  g_autoptr (GError) error = NULL;
  gint pid = get_process_id_process (&error);
  g_auto (GStrv) descriptors = NULL;
  g_auto (GStrv) signals = NULL;

  g_assert_cmpint (pid, >, 0);
  g_assert_cmpint (pid, !=, getpid ());
  g_assert_false (in_child ());
  g_assert_true (in_child_process (&error));
  g_assert_cmpint (get_session_id_process (&error), !=, getsid (0));

  signals = get_changed_signals_process (&error);
  assert_only_crashes_are_handled (signals);

  /* Standard streams, the channel, the lifeline and the crash report. */
  descriptors = get_descriptors_process (&error);
  g_assert_cmpstrv (descriptors, ((const char *[]){ "0", "1", "2", "3", "4", "5", NULL }));
  g_assert_no_error (error);
}

/* The child begins with the default of every signal, whatever this program has changed. */
static void
test_signals_are_reset (void)
{
  g_autoptr (GError) error = NULL;
  sigset_t all, before;
  g_auto (GStrv) signals = NULL;

  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &before);
  signal (SIGUSR2, SIG_IGN);
  signals = get_changed_signals_process (&error);
  signal (SIGUSR2, SIG_DFL);
  pthread_sigmask (SIG_SETMASK, &before, NULL);
  g_assert_no_error (error);
  assert_only_crashes_are_handled (signals);
}

/* Nothing of the function's process is this one's. */
static void
test_folder (void)
{
  g_autofree char *before = g_get_current_dir ();
  g_autofree char *in_child_at_first = get_folder_process (NULL);
  g_autofree char *changed = do_change_folder_process ("/", NULL);
  g_autofree char *after = g_get_current_dir ();

  g_assert_cmpstr (in_child_at_first, ==, before);
  g_assert_cmpstr (changed, ==, "/");
  g_assert_cmpstr (after, ==, before);
}

static void
test_output (void)
{
  g_autoptr (GError) error = NULL;

  if (g_test_subprocess ())
    {
      g_assert_cmpint (do_print_process ("# to stdout, no newline", "# to stderr\n", &error), ==,
                       1);
      g_assert_no_error (error);
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stdout ("*# to stdout, no newline*");
  g_test_trap_assert_stderr ("*# to stderr*");
}

/* Transports */

/* (transfer full) */
static GStrv
run_get_command_line (ProcfunSpawner *spawner)
{
  g_autoptr (ProcfunCall) call = on (spawner, get_command_line_call ());
  g_autoptr (GError) error = NULL;
  GStrv command_line = get_command_line_run (call, NULL, &error);

  g_assert_no_error (error);
  return command_line;
}

static gboolean
has_arguments_on_command_line (ProcfunSpawner *spawner)
{
  g_auto (GStrv) command_line = run_get_command_line (spawner);

  return g_strv_contains ((const char *const *)command_line, "[]");
}

static void
test_argv (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();

  g_assert_false (has_arguments_on_command_line (spawner));
  procfun_spawner_set_transport (spawner, PROCFUN_TRANSPORT_ARGV);
  g_assert_true (has_arguments_on_command_line (spawner));
}

/* Every user can look at the command line, so arguments are there only when that was asked for. But
 * the function's name is, for ps. */
static void
test_names_on_command_line (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  g_auto (GStrv) command_line = run_get_command_line (spawner);

  g_assert_true (g_strv_contains ((const char *const *)command_line, "get_command_line"));
  g_assert_true (
      g_str_has_suffix (command_line[1], procfun_function_get_hash (get_command_line_function ())));
}

/* Over both transports: how long a string goes through. One string of a command line has 128 KiB.
 */
static const struct
{
  const char *name;
  ProcfunTransport transport;
  guint length;
  gboolean fits;
} lengths[] = {
  { "channel-empty", PROCFUN_TRANSPORT_CHANNEL, 0, TRUE },
  { "channel-200k", PROCFUN_TRANSPORT_CHANNEL, 200 * 1024, TRUE },
  { "channel-4m", PROCFUN_TRANSPORT_CHANNEL, 4 * 1024 * 1024, TRUE },
  { "argv-empty", PROCFUN_TRANSPORT_ARGV, 0, TRUE },
  { "argv-100k", PROCFUN_TRANSPORT_ARGV, 100 * 1024, TRUE },
  { "argv-most", PROCFUN_TRANSPORT_ARGV, 128 * 1024 - 5, TRUE }, /* ["…"] and NUL */
  { "argv-too-much", PROCFUN_TRANSPORT_ARGV, 128 * 1024 - 4, FALSE },
  { "argv-200k", PROCFUN_TRANSPORT_ARGV, 200 * 1024, FALSE },
};

static void
test_length (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  g_autofree char *text = g_strnfill (lengths[i].length, 'x');
  g_autoptr (ProcfunCall) call = on (spawner, string_length_call (text));
  g_autoptr (GError) error = NULL;
  guint64 length;

  procfun_spawner_set_transport (spawner, lengths[i].transport);
  length = string_length_run (call, NULL, &error);
  if (lengths[i].fits)
    {
      g_assert_no_error (error);
      g_assert_cmpuint (length, ==, lengths[i].length);
    }
  else
    calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, "*string_length()*command line*");
}

static void
test_argv_text (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  ProcfunCall *call
      = calls_new ("echo_string", "('Grüße \"\\\\ \\n \\t --procfun-serve=1 $HOME',)");

  procfun_spawner_set_transport (spawner, PROCFUN_TRANSPORT_ARGV);
  calls_assert_result (PROCFUN_EXECUTOR (spawner), call, FALSE,
                       "'Grüße \"\\\\ \\n \\t --procfun-serve=1 $HOME'");
}

/* Neither side waits for the other to read. */
static const struct
{
  const char *codec;
  guint64 length;
} large[] = { { "json", 16 * 1024 * 1024 }, { "gvariant", 64 * 1024 * 1024 } };

static void
test_large (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  g_autoptr (GBytes) bytes = make_bytes (large[i].length);
  g_autoptr (ProcfunCall) call = on (spawner, pass_bytes_call (bytes));
  g_autoptr (GBytes) back = NULL;
  g_autoptr (GError) error = NULL;

  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (spawner),
                                      procfun_codec_lookup (large[i].codec));
  back = pass_bytes_run (call, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (bytes, back));
}

/* Limits */

static void
test_max_payload (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (spawner);
  g_autoptr (GBytes) bytes = make_bytes (748);

  /* 748 bytes are 1000 characters in Base64. */
  procfun_process_executor_set_codec (PROCFUN_PROCESS_EXECUTOR (spawner),
                                      procfun_codec_get_json ());
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner), 1004);
  calls_assert_result (executor, are_those_bytes_call (bytes), FALSE, "true");
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner), 1003);
  calls_assert_error (executor, are_those_bytes_call (bytes), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*arguments of are_those_bytes()*1004*1003*");
  calls_assert_result (executor, calls_new ("add", "(1, 2)"), FALSE, "3");
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner), 1001);
  calls_assert_error (executor, make_bytes_call (748), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                      "*result of make_bytes()*1002*1001*");
}

/* Only the payload counts. */
static void
test_smallest_payload (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (spawner);

  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner), 2);
  calls_assert_result (executor, nothing_call (), FALSE, "()");
  calls_assert_error (executor, get_folder_call (), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                      "*result of get_folder()*");
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (spawner), 10);
  calls_assert_error (executor, fail_void_call (3), FALSE, G_FILE_ERROR, 3, "failed with 3");
}

/* The kernel passes 253 descriptors at once. */
static void
test_many_descriptors (void)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_autoptr (GUnixFDList) most = open_many (253);
  g_autoptr (GUnixFDList) too_many = open_many (254);

  calls_assert_result (executor, count_many_call (most), FALSE, "uint32 253");
  calls_assert_error (executor, count_many_call (too_many), FALSE, PROCFUN_ERROR,
                      PROCFUN_ERROR_LIMIT, "*count_many()*254*253*");
  calls_assert_error (executor, open_many_call (254), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                      "*result of open_many()*254*253*");
}

/* Launchers */

static void
test_launcher_env (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (spawner);

  g_setenv ("PROCFUN_TEST_FOO", "1", TRUE);
  calls_assert_result (executor, get_variable_call ("PROCFUN_TEST_FOO"), FALSE, "@ms '1'");
  procfun_spawner_set_launcher (spawner, (const char *[]){ "env", "-u", "PROCFUN_TEST_FOO", NULL });
  calls_assert_result (executor, get_variable_call ("PROCFUN_TEST_FOO"), FALSE, "@ms nothing");
  procfun_spawner_set_launcher (spawner, (const char *[]){ "env", "PROCFUN_TEST_FOO=b c", NULL });
  calls_assert_result (executor, get_variable_call ("PROCFUN_TEST_FOO"), FALSE, "@ms 'b c'");
  procfun_spawner_set_transport (spawner, PROCFUN_TRANSPORT_ARGV);
  calls_assert_result (executor, get_variable_call ("PROCFUN_TEST_FOO"), FALSE, "@ms 'b c'");
  g_unsetenv ("PROCFUN_TEST_FOO");
}

static void
test_launcher_nice (void)
{
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();
  gint nice = MIN (getpriority (PRIO_PROCESS, 0) + 5, 19);
  g_autofree char *expected = g_strdup_printf ("%d", nice);

  procfun_spawner_set_launcher (spawner, (const char *[]){ "nice", "-n", "5", NULL });
  calls_assert_result (PROCFUN_EXECUTOR (spawner), get_nice_call (), FALSE, expected);
}

/* A failure before the function begins is not the function's fault. (Under valgrind, a program that
 * cannot be executed is one that ends with 127.) */
static const struct
{
  const char *name;
  const char *launcher[4];
  const char *message;
} bad_launchers[] = {
  { "vanished", { "/nonexistent/launcher" }, "*add()*" },
  { "no-program", { "/etc/passwd" }, "*add()*" },
  { "fails", { "false" }, "*add()*exit code 1*" },
  { "succeeds", { "true" }, "*add()*did not start*" },
  { "misused", { "env", "--no-such-option" }, "*add()*exit code 125*" },
  { "crashes", { "sh", "-c", "kill -SEGV $$" }, "*add()*SIGSEGV*" },
};

static void
test_bad_launcher (gconstpointer data)
{
  gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (ProcfunSpawner) spawner = new_spawner ();

  procfun_spawner_set_launcher (spawner, bad_launchers[i].launcher);
  for (gboolean async = FALSE; async <= TRUE; async++)
    calls_assert_error (PROCFUN_EXECUTOR (spawner), add_call (1, 2), async, PROCFUN_ERROR,
                        PROCFUN_ERROR_SPAWN, bad_launchers[i].message);
}

static void
add_for_each (const char *folder, const char *name, gsize i, GTestDataFunc func)
{
  g_autofree char *path = g_strconcat (folder, name, NULL);

  fixture_add_data_func (path, GSIZE_TO_POINTER (i), func);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/spawner/properties-are-read-and-written", test_properties);
  fixture_add_func ("/spawner/misuse-is-a-critical-message", test_misuse);
  fixture_add_func ("/spawner/each-call-has-a-process", test_process);
  fixture_add_func ("/spawner/process/signals-are-reset", test_signals_are_reset);
  fixture_add_func ("/spawner/process/the-childs-folder-is-its-own", test_folder);
  fixture_add_func ("/spawner/process/output-is-inherited", test_output);
  fixture_add_func ("/spawner/transport/arguments-go-by-argv", test_argv);
  fixture_add_func ("/spawner/transport/any-text-goes-by-argv", test_argv_text);
  fixture_add_func ("/spawner/transport/only-the-name-is-on-the-command-line",
                    test_names_on_command_line);
  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    add_for_each ("/spawner/transport/", lengths[i].name, i, test_length);
  for (gsize i = 0; i < G_N_ELEMENTS (large); i++)
    add_for_each ("/spawner/large/", large[i].codec, i, test_large);
  fixture_add_func ("/spawner/large-payloads-are-refused", test_max_payload);
  fixture_add_func ("/spawner/max-payload/the-smallest-payload-is-enough", test_smallest_payload);
  fixture_add_func ("/spawner/253-descriptors-are-passed", test_many_descriptors);
  fixture_add_func ("/spawner/launcher/env-can-launch", test_launcher_env);
  fixture_add_func ("/spawner/launcher/nice-can-launch", test_launcher_nice);
  for (gsize i = 0; i < G_N_ELEMENTS (bad_launchers); i++)
    add_for_each ("/spawner/launcher/", bad_launchers[i].name, i, test_bad_launcher);
  return fixture_run ();
}
