/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Functions that run once before anything is forked, for a fork server and for a pool. */

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"
#include "tests/pools.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The loaded model, as the process of a call sees it. */
static gint model;
static pid_t loaded_by;
static guint64 n_loaded;

PROCFUN_DEFINE_STATIC_FUNCTION (load, void, (gint, value))
{
  model = 10 * model + value;
  loaded_by = getpid ();
}
PROCFUN_DEFINE_STATIC_FUNCTION (get_model, gint) { return model; }
PROCFUN_DEFINE_STATIC_FUNCTION (get_loader, gint) { return loaded_by; }
PROCFUN_DEFINE_STATIC_FUNCTION (load_bytes, void, (GBytes *, bytes))
{
  n_loaded = g_bytes_get_size (bytes);
}
PROCFUN_DEFINE_STATIC_FUNCTION (get_n_loaded, guint64) { return n_loaded; }

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (load_file, void, (const char *, path))
{
  g_autofree char *text = NULL;

  if (g_file_get_contents (path, &text, NULL, error))
    load (1);
}
PROCFUN_DEFINE_STATIC_FUNCTION (hang, void)
{
  for (;;)
    pause ();
}
PROCFUN_DEFINE_STATIC_FUNCTION (leave_eventfd, void)
{
  g_assert_cmpint (eventfd (0, EFD_CLOEXEC), >=, 0);
}

static gpointer
load_in_thread (gpointer user_data)
{
  load (7);
  return NULL;
}
PROCFUN_DEFINE_STATIC_FUNCTION (load_with_thread, void)
{
  g_thread_join (g_thread_new ("loader", load_in_thread, NULL));
}

/* Neither asks a process that nobody listens to. */
PROCFUN_DEFINE_STATIC_FUNCTION (load_and_report, void)
{
  for (guint i = 0; i < 100; i++)
    procfun_report_progress (0.5, "half");
  if (!g_cancellable_is_cancelled (procfun_get_cancellable ()))
    load (8);
}

/* Executors */

typedef void (*AddFunc) (ProcfunExecutor *executor, ProcfunFunction *function, GVariant *args);

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (2));
}

static void
add_to_fork_server (ProcfunExecutor *executor, ProcfunFunction *function, GVariant *args)
{
  procfun_fork_server_add_preload (PROCFUN_FORK_SERVER (executor), function, args);
}

static void
add_to_pool (ProcfunExecutor *executor, ProcfunFunction *function, GVariant *args)
{
  procfun_pool_add_preload (PROCFUN_POOL (executor), function, args);
}

typedef struct
{
  const char *name;
  ProcfunExecutor *(*make) (void);
  AddFunc add;
} Kind;

static const Kind kinds[] = { { "fork-server", make_fork_server, add_to_fork_server },
                              { "pool", make_pool, add_to_pool } };

static void
skip_if_unavailable (void)
{
  if (fixture_has_thread_sanitizer ())
    g_test_skip ("a process with the thread sanitizer has a thread of its own");
}

/* Success */

static void
test_once (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();
  gint loader;

  kind->add (executor, load_function (), g_variant_new ("(i)", 4));
  kind->add (executor, load_function (), g_variant_new ("(i)", 2));
  loader = pools_get_number (executor, get_loader_call ());
  g_assert_cmpint (loader, >, 0);
  g_assert_cmpint (loader, !=, getpid ());
  g_assert_cmpint (loader, !=, pools_get_pid (executor));
  for (guint i = 0; i < 4; i++)
    {
      calls_assert_result (executor, get_model_call (), i % 2, "42");
      g_assert_cmpint (pools_get_number (executor, get_loader_call ()), ==, loader);
    }
  g_assert_cmpint (model, ==, 0);
}

/* Processes that are there know nothing of it, and are not used again. */
static void
test_later (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();

  g_assert_cmpint (pools_get_number (executor, get_model_call ()), ==, 0);
  kind->add (executor, load_function (), g_variant_new ("(i)", 4));
  g_assert_cmpint (pools_get_number (executor, get_model_call ()), ==, 4);
}

static void
test_own_zygote (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();
  g_autoptr (ProcfunExecutor) other = kind->make ();

  kind->add (executor, load_function (), g_variant_new ("(i)", 4));
  g_assert_cmpint (pools_get_number (executor, get_model_call ()), ==, 4);
  g_assert_cmpint (pools_get_number (other, get_model_call ()), ==, 0);
}

static void
test_thread_that_ends (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();

  kind->add (executor, load_with_thread_function (), NULL);
  kind->add (executor, do_leave_child_function (), NULL);
  kind->add (executor, load_and_report_function (), NULL);
  g_assert_cmpint (pools_get_number (executor, get_model_call ()), ==, 78);
}

/* More than a socket holds. */
static void
test_large (gconstpointer data)
{
  const Kind *kind = data;

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunExecutor) executor = kind->make ();
      g_autofree guint8 *zeroes = g_new0 (guint8, 5000000);

      kind->add (executor, load_bytes_function (),
                 g_variant_new (
                     "(@ay)", g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, zeroes, 5000000, 1)));
      calls_assert_result (executor, get_n_loaded_call (), async, "uint64 5000000");
    }
}

/* One that was not prepared would end with the last process that it has forked. */
static void
test_stays (void)
{
  g_autoptr (ProcfunForkServer) executor = procfun_fork_server_new ();
  gint loader;

  procfun_fork_server_set_idle_timeout (executor, G_TIME_SPAN_MILLISECOND);
  procfun_fork_server_add_preload (executor, load_function (), g_variant_new ("(i)", 4));
  loader = pools_get_number (executor, get_loader_call ());
  for (guint i = 0; i < 5; i++)
    {
      while (fixture_count_processes () > 1)
        g_usleep (500);
      g_assert_cmpint (pools_get_number (executor, get_loader_call ()), ==, loader);
    }
}

static void
test_fork (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();
  gint loader;
  pid_t pid;

  kind->add (executor, load_function (), g_variant_new ("(i)", 4));
  loader = pools_get_number (executor, get_loader_call ());
  pid = fixture_fork ();
  if (pid == 0)
    {
      g_assert_cmpint (pools_get_number (executor, get_model_call ()), ==, 4);
      g_assert_cmpint (pools_get_number (executor, get_loader_call ()), !=, loader);
      g_object_unref (executor);
      fixture_exit_fork (TRUE);
    }
  fixture_wait_for_fork (pid);
  g_assert_cmpint (pools_get_number (executor, get_loader_call ()), ==, loader);
}

/* Failure */

static const struct
{
  const char *name;
  ProcfunFunction *(*function) (void);
  const char *args;
  const char *message;
} failures[] = {
  { "an error", load_file_function, "('/nonexistent',)",
    "*could not be prepared by load_file(): *nonexistent*" },
  { "a crash", do_abort_function, "()", "*could not be prepared by do_abort(): *SIGABRT*" },
  { "an exit", do_exit_function, "(3,)",
    "*could not be prepared by do_exit(): it ended with exit code 3*" },
  { "a thread", leave_thread_function, "()",
    "*could not be prepared by leave_thread(): *another thread: “left”*" },
  { "an eventfd", leave_eventfd_function, "()",
    "*could not be prepared by leave_eventfd(): *eventfd*" },
};

/* It is the same for all calls, also while it is not tried again. */
static void
assert_failure (ProcfunExecutor *executor, const char *message)
{
  for (guint i = 0; i < 4; i++)
    calls_assert_error (executor, get_model_call (), i % 2, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                        message);
}

static void
test_failure (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  const gboolean ends
      = failures[i].function == do_abort_function || failures[i].function == do_exit_function;

  if (ends && !fixture_has_pidfds ())
    {
      g_test_skip ("without pidfds, GLib's thread may be the one that learns how it ended");
      return;
    }
  for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        g_autoptr (ProcfunExecutor) executor = kinds[k].make ();
        GVariant *args
            = g_variant_parse (procfun_function_get_arguments_type (failures[i].function ()),
                               failures[i].args, NULL, NULL, NULL);

        kinds[k].add (executor, load_function (), g_variant_new ("(i)", 4));
        kinds[k].add (executor, failures[i].function (), args);
        g_variant_unref (args);
        calls_assert_error (executor, get_model_call (), async, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN,
                            failures[i].message);
        assert_failure (executor, failures[i].message);
      }
}

static void
test_wrong_arguments (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();

  kind->add (executor, load_function (), g_variant_new ("(s)", "four"));
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = get_model_call ();
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, executor);
      result = calls_run (g_object_ref (call), async, NULL, &error);
      g_assert_null (result);
      g_assert_true (strstr (error->message, "load()") != NULL);
    }
}

/* The missing file is there now. */
static void
test_retry (gconstpointer data)
{
  const Kind *kind = data;
  g_autoptr (ProcfunExecutor) executor = kind->make ();
  g_autofree char *path = NULL;
  int fd = g_file_open_tmp (NULL, &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_cmpint (unlink (path), ==, 0);
  kind->add (executor, load_file_function (), g_variant_new ("(s)", path));
  assert_failure (executor, "*load_file()*");
  g_assert_true (g_file_set_contents (path, "", -1, NULL));
  for (;;) /* it may be too early to start another one */
    {
      g_autoptr (ProcfunCall) call = get_model_call ();
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      procfun_process_executor_renew (PROCFUN_PROCESS_EXECUTOR (executor));
      procfun_call_set_executor (call, executor);
      result = calls_run (g_object_ref (call), FALSE, NULL, &error);
      if (result != NULL)
        break;
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
    }
  g_assert_cmpint (pools_get_number (executor, get_model_call ()), ==, 1);
  g_assert_cmpint (unlink (path), ==, 0);
}

/* Patience */

#define SHORT (50 * G_TIME_SPAN_MILLISECOND)

static void
test_hanging (gconstpointer data)
{
  const Kind *kind = data;

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunExecutor) executor = kind->make ();
      ProcfunCall *call = get_model_call ();
      ProcfunCall *late = get_model_call ();

      kind->add (executor, load_function (), g_variant_new ("(i)", 4));
      kind->add (executor, hang_function (), NULL);
      procfun_call_set_timeout (call, SHORT);
      calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                          "*get_model() timed out after 0.05 s*");
      procfun_call_set_deadline (late, SHORT);
      calls_assert_error (executor, late, async, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                          "*get_model()*deadline of 0.05 s*");
    }
}

static gpointer
cancel_soon (gpointer cancellable)
{
  g_usleep (SHORT);
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_cancelled (gconstpointer data)
{
  const Kind *kind = data;

  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunExecutor) executor = kind->make ();
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (ProcfunCall) call = get_model_call ();
      g_autoptr (GError) error = NULL;
      GThread *thread = g_thread_new ("cancel", cancel_soon, cancellable);

      kind->add (executor, hang_function (), NULL);
      procfun_call_set_executor (call, executor);
      g_assert_null (calls_run (g_object_ref (call), async, cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_thread_join (thread);
    }
}

/* A program that is gone would leave the process that waits for ever. */
static void
test_killed_program (gconstpointer data)
{
  const Kind *kind = data;
  int ends[2];
  char byte;
  int status;
  pid_t pid;

  g_assert_cmpint (pipe (ends), ==, 0);
  pid = fork ();
  g_assert_cmpint (pid, >=, 0);
  if (pid == 0)
    {
      ProcfunExecutor *executor = kind->make ();
      ProcfunCall *call = get_model_call ();

      close (ends[0]);
      kind->add (executor, hang_function (), NULL);
      procfun_call_set_executor (call, executor);
      procfun_call_set_timeout (call, 4 * SHORT);
      g_assert_null (procfun_call_run (call, NULL, NULL));
      kill (getpid (), SIGKILL);
    }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &byte, 1), ==, 0);
  close (ends[0]);
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (WTERMSIG (status), ==, SIGKILL);
}

static const struct
{
  const char *path;
  GTestDataFunc func;
} tests[] = {
  { "it runs once, before anything is forked", test_once },
  { "processes from before are replaced", test_later },
  { "another executor knows nothing of it", test_own_zygote },
  { "it may have threads and children that end", test_thread_that_ends },
  { "its arguments may be large", test_large },
  { "a program that forks itself runs it again", test_fork },
  { "wrong arguments are the error of the calls", test_wrong_arguments },
  { "it is tried again", test_retry },
  { "timeout and deadline of a call end the wait for it", test_hanging },
  { "cancelling a call ends the wait for it", test_cancelled },
  { "it ends with the program, even if it hangs", test_killed_program },
};

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  if (fixture_has_thread_sanitizer ())
    {
      fixture_add_func ("/preload", skip_if_unavailable);
      return fixture_run ();
    }
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    for (gsize k = 0; k < G_N_ELEMENTS (kinds); k++)
      {
        g_autofree char *path = g_strdup_printf ("/preload/%s/%s", kinds[k].name, tests[i].path);

        fixture_add_data_func (path, &kinds[k], tests[i].func);
      }
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/preload/%s is the error of the calls", failures[i].name);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_failure);
    }
  fixture_add_func ("/preload/a prepared zygote stays when it is idle", test_stays);
  return fixture_run ();
}
