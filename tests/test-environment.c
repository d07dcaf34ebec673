/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Effects of environment variables: each test runs again in a program of its own, with the variable
 * set. */

#include "procfun/base/debug.h"
#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include <string.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (wait_forever, void)
{
  for (;;)
    pause ();
}

static gboolean
runs_with (const char *name, const char *value)
{
  if (g_test_subprocess ())
    return TRUE;
  g_setenv (name, value, TRUE);
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_unsetenv (name);
  g_test_trap_assert_passed ();
  return FALSE;
}

/* A log writer that keeps what the library says */

static GPtrArray *messages; /* (element-type GHashTable): the fields */

static GLogWriterOutput
keep (GLogLevelFlags level, const GLogField *fields, gsize n_fields, gpointer data)
{
  GHashTable *message = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);

  g_assert_cmpint (level, ==, G_LOG_LEVEL_DEBUG);
  for (gsize i = 0; i < n_fields; i++)
    g_hash_table_insert (message, (char *)g_intern_string (fields[i].key),
                         g_strdup (fields[i].value));
  g_ptr_array_add (messages, message);
  return G_LOG_WRITER_HANDLED;
}

static void
keep_messages (void)
{
  messages = g_ptr_array_new_with_free_func ((GDestroyNotify)g_hash_table_unref);
  g_log_set_writer_func (keep, NULL, NULL);
}

static const char *
get_field (guint i, const char *key)
{
  g_assert_cmpuint (i, <, messages->len);
  return g_hash_table_lookup (messages->pdata[i], key);
}

static gboolean
is_said (const char *part)
{
  for (guint i = 0; i < messages->len; i++)
    if (strstr (get_field (i, "MESSAGE"), part) != NULL)
      return TRUE;
  return FALSE;
}

static void
run_add (void)
{
  g_assert_cmpint (add_process (2, 3, NULL), ==, 5);
}

/* PROCFUN_DEBUG */

static void
test_calls (void)
{
  if (!runs_with ("PROCFUN_DEBUG", "calls"))
    return;
  keep_messages ();
  run_add ();
  fail_process ("g-file-error-quark", 4, "no such thing", NULL);
  g_assert_cmpuint (messages->len, ==, 4);
  g_assert_cmpstr (get_field (0, "GLIB_DOMAIN"), ==, "procfun");
  g_assert_cmpstr (get_field (0, "PROCFUN_FUNCTION"), ==, "add");
  g_assert_cmpstr (get_field (0, "PROCFUN_CALL_ID"), ==, "1");
  g_assert_null (get_field (0, "PROCFUN_PID"));
  g_assert_cmpstr (get_field (1, "PROCFUN_CALL_ID"), ==, "1");
  g_assert_nonnull (get_field (1, "PROCFUN_PID"));
  g_assert_null (get_field (1, "PROCFUN_CAUSE"));
  g_assert_true (g_str_has_prefix (get_field (1, "MESSAGE"), "call 1: add() succeeded after "));
  g_assert_cmpstr (get_field (3, "PROCFUN_FUNCTION"), ==, "fail");
  g_assert_cmpstr (get_field (3, "PROCFUN_CALL_ID"), ==, "2");
  g_assert_cmpstr (get_field (3, "PROCFUN_CAUSE"), ==, "error");
  g_assert_nonnull (strstr (get_field (3, "MESSAGE"), "no such thing"));
}

/* The very line that is said, given to a shell, gives the same result. */
static void
test_command_line (void)
{
  const char *argv[] = { "sh", "-c", NULL, NULL };
  g_autofree char *output = NULL;

  if (!runs_with ("PROCFUN_DEBUG", "calls"))
    return;
  keep_messages ();
  g_assert_cmpuint (string_length_process ("it's \"quoted\" $HOME\n`ls` \\", NULL), ==, 26);
  argv[2] = strstr (get_field (0, "MESSAGE"), "PROCFUN_COMMAND_LINE=1 ");
  g_assert_nonnull (argv[2]);
  g_assert_nonnull (strstr (argv[2], " --procfun-call=string_length '"));
  g_assert_true (g_spawn_sync (NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &output,
                               NULL, NULL, NULL));
  g_assert_cmpstr (output, ==, "26\n");
}

static void
test_long_arguments (void)
{
  g_autofree char *text = g_strnfill (20000, 'x');
  const char *message;

  if (!runs_with ("PROCFUN_DEBUG", "calls"))
    return;
  keep_messages ();
  g_assert_cmpuint (string_length_process (text, NULL), ==, 20000);
  message = get_field (0, "MESSAGE");
  g_assert_nonnull (strstr (message, " --procfun-call=string_length - # 20004 bytes of JSON"));
  g_assert_cmpuint (strlen (message), <, 8192);
}

/* There is no program that could be started with them, but the call is told. */
static void
test_wrong_arguments (void)
{
  g_autoptr (ProcfunCall) call = NULL;

  if (!runs_with ("PROCFUN_DEBUG", "calls"))
    return;
  keep_messages ();
  call = procfun_call_new (procfun_registry_lookup_by_name (procfun_registry_get_default (), "add"),
                           g_variant_new ("(s)", "x"));
  g_assert_null (procfun_call_run (call, NULL, NULL));
  g_assert_true (is_said ("cannot be written"));
  g_assert_true (is_said ("failed after"));
}

static void
test_topics (gconstpointer data)
{
  const char *topics = data;
  gboolean all = g_str_equal (topics, "all");

  if (!runs_with ("PROCFUN_DEBUG", topics))
    return;
  keep_messages ();
  run_add ();
  g_assert_cmpint (is_said ("starts"), ==, all || strstr (topics, "calls") != NULL);
  g_assert_cmpint (is_said ("has ended"), ==, all || strstr (topics, "workers") != NULL);
  g_assert_cmpint (is_said ("frame received: result"), ==, all || strstr (topics, "wire") != NULL);
  for (guint i = 0; i < messages->len; i++)
    g_assert_cmpstr (get_field (i, "PROCFUN_CALL_ID"), ==, "1");
}

/* The messages come without G_MESSAGES_DEBUG, and no others come with them. */
static void
test_default_writer (void)
{
  if (!g_test_subprocess ())
    {
      runs_with ("PROCFUN_DEBUG", "calls");
      g_test_trap_assert_stdout ("*call 1: add() starts: PROCFUN_COMMAND_LINE=1 *");
      g_test_trap_assert_stdout_unmatched ("*nobody asked for this*");
      return;
    }
  g_log_set_writer_func (g_log_writer_default, NULL, NULL);
  run_add ();
  g_log_structured ("other", G_LOG_LEVEL_DEBUG, "MESSAGE", "nobody asked for this");
}

static void
test_unknown_topic (void)
{
  if (!runs_with ("PROCFUN_DEBUG", "calls,help"))
    return;
  g_test_expect_message ("procfun", G_LOG_LEVEL_WARNING, "*PROCFUN_DEBUG has “help”*");
  g_assert_true (debug_has (DEBUG_CALLS));
  g_assert_false (debug_has (DEBUG_WORKERS | DEBUG_WIRE));
  g_test_assert_expected_messages ();
}

/* PROCFUN_TIMEOUT */

static void
test_timeout (void)
{
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (ProcfunExecutor) inlined = NULL;

  if (!runs_with ("PROCFUN_TIMEOUT", "0.05"))
    return;
  call = calls_new ("wait_forever", "()");
  g_assert_cmpint (procfun_call_get_timeout (call), ==, 0);
  calls_assert_error (NULL, g_steal_pointer (&call), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                      "*timed out after 0.05 s*");
  inlined = PROCFUN_EXECUTOR (
      procfun_inline_new ()); /* where there can be none, which nobody asked for */
  calls_assert_result (inlined, calls_new ("add", "(2, 3)"), FALSE, "5");
}

/* A setting of the call itself goes before. */
static void
test_own_timeout (void)
{
  g_autoptr (ProcfunCall) call = NULL;

  if (!runs_with ("PROCFUN_TIMEOUT", "1000"))
    return;
  call = calls_new ("wait_forever", "()");
  procfun_call_set_timeout (call, 30000);
  calls_assert_error (NULL, g_steal_pointer (&call), FALSE, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                      "*timed out after 0.03 s*");
}

static void
test_wrong_timeout (gconstpointer data)
{
  if (!runs_with ("PROCFUN_TIMEOUT", data))
    return;
  g_test_expect_message ("procfun", G_LOG_LEVEL_WARNING, "*PROCFUN_TIMEOUT=*no number of seconds*");
  run_add ();
  g_test_assert_expected_messages ();
  run_add ();
}

/* Variables that are set after the first call */

PROCFUN_DEFINE_STATIC_FUNCTION (take_time, void) { g_usleep (200000); }

static void
test_late (void)
{
  g_autoptr (ProcfunExecutor) spawner = NULL;
  g_autoptr (GError) error = NULL;

  if (!runs_with ("PROCFUN_TIMEOUT", "1000"))
    return;
  run_add ();
  g_setenv ("PROCFUN_TIMEOUT", "0.05", TRUE);
  take_time_process (&error);
  g_assert_no_error (error);
  g_setenv ("PROCFUN_EXECUTOR", "inline", TRUE);
  g_assert_true (in_child_process (NULL));
  procfun_executor_set_default (NULL);
  g_assert_false (in_child_process (NULL));
  g_setenv ("PROCFUN_CODEC", "gvariant", TRUE);
  spawner = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_assert_true (procfun_process_executor_get_codec (PROCFUN_PROCESS_EXECUTOR (spawner))
                 == procfun_codec_get_gvariant ());
}

/* PROCFUN_CODEC */

static void
test_codec (void)
{
  g_autoptr (ProcfunExecutor) spawner = NULL;

  if (!runs_with ("PROCFUN_CODEC", "gvariant"))
    return;
  spawner = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_assert_true (procfun_process_executor_get_codec (PROCFUN_PROCESS_EXECUTOR (spawner))
                 == procfun_codec_get_gvariant ());
  run_add ();
}

static void
test_unknown_codec (void)
{
  g_autoptr (ProcfunExecutor) spawner = NULL;

  if (!runs_with ("PROCFUN_CODEC", "yaml"))
    return;
  g_test_expect_message ("procfun", G_LOG_LEVEL_WARNING, "*PROCFUN_CODEC=yaml*");
  spawner = PROCFUN_EXECUTOR (procfun_spawner_new ());
  g_test_assert_expected_messages ();
  g_assert_true (procfun_process_executor_get_codec (PROCFUN_PROCESS_EXECUTOR (spawner))
                 == procfun_codec_get_json ());
  procfun_executor_set_default (spawner); /* another one would say it again */
}

int
main (int argc, char *argv[])
{
  static const char *const wrong_timeouts[] = { "", "soon", "-1", "1s", "0x10", "1e99" };
  static const char *const topics[] = { "calls", "workers", "wire", "calls, wire,", "all", "" };

  fixture_init (&argc, &argv);

  fixture_add_func ("/environment/debug/calls-are-logged", test_calls);
  fixture_add_func ("/environment/debug/the-logged-command-line-repeats-the-call",
                    test_command_line);
  fixture_add_func ("/environment/debug/long-arguments-are-cut", test_long_arguments);
  fixture_add_func ("/environment/debug/a-call-that-cannot-start-is-logged", test_wrong_arguments);
  for (gsize i = 0; i < G_N_ELEMENTS (topics); i++)
    {
      g_autofree char *path = g_strdup_printf ("/environment/debug/topics/%zu", i);

      fixture_add_data_func (path, topics[i], test_topics);
    }
  fixture_add_func ("/environment/debug/messages-come-without-g-messages-debug",
                    test_default_writer);
  fixture_add_func ("/environment/debug/an-unknown-topic-is-warned-about", test_unknown_topic);
  fixture_add_func ("/environment/timeout/calls-get-the-default-timeout", test_timeout);
  fixture_add_func ("/environment/timeout/a-timeout-of-the-call-goes-first", test_own_timeout);
  for (gsize i = 0; i < G_N_ELEMENTS (wrong_timeouts); i++)
    {
      g_autofree char *path = g_strdup_printf ("/environment/timeout/wrong/%zu", i);

      fixture_add_data_func (path, wrong_timeouts[i], test_wrong_timeout);
    }
  fixture_add_func ("/environment/what-is-set-late-is-read-late", test_late);
  fixture_add_func ("/environment/codec/the-named-codec-is-used", test_codec);
  fixture_add_func ("/environment/codec/an-unknown-codec-is-warned-about", test_unknown_codec);
  return fixture_run ();
}
