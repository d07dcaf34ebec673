/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/sandbox-conditions.h"

#include <errno.h>
#include <fcntl.h>
#include <procfun.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

PROCFUN_DEFINE_STATIC_FUNCTION (add, gint, (gint, a), (gint, b)) { return a + b; }

static int kept_fd = -1;

PROCFUN_DEFINE_STATIC_FUNCTION (open_kept, gint, (const char *, path))
{
  kept_fd = open (path, O_RDONLY);
  return kept_fd;
}

PROCFUN_DEFINE_STATIC_FUNCTION (read_kept, gint)
{
  char byte = 0;

  return pread (kept_fd, &byte, 1, 0) == 1 ? byte : -errno;
}

static gpointer
sleep_for_ever (gpointer data)
{
  for (;;)
    pause ();
  return NULL;
}

PROCFUN_DEFINE_STATIC_FUNCTION (leave_thread, gint)
{
  g_thread_unref (g_thread_new ("left", sleep_for_ever, NULL));
  return 0;
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (fail_to_prepare, void)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "nothing to prepare with");
}

PROCFUN_DEFINE_STATIC_FUNCTION (crash_to_prepare, void) { abort (); }

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static void
close_executor (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;

  procfun_executor_close (executor, NULL, &error);
  g_assert_no_error (error);
  g_object_unref (executor);
}

/* A worker is shut in once, and what it needs between calls it has. */
static void
test_kept_worker (void)
{
  ProcfunExecutor *executor = make_pool ();
  gint pid = 0;

  if (!sandbox_skips ())
    {
      procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (executor),
                                            PROCFUN_SANDBOX_PURE_COMPUTE);
      for (gint i = 0; i < 40; i++)
        {
          g_autoptr (ProcfunCall) call = add_call (i, 1);
          g_autoptr (GError) error = NULL;

          procfun_call_set_executor (call, executor);
          g_assert_cmpint (add_run (call, NULL, &error), ==, i + 1);
          g_assert_no_error (error);
          g_assert_cmpuint (procfun_call_get_sandbox (call), ==, PROCFUN_SANDBOX_PURE_COMPUTE);
          g_assert_true (pid == 0 || pid == procfun_call_get_pid (call));
          pid = procfun_call_get_pid (call);
        }
    }
  close_executor (executor);
}

static void
test_initializer (void)
{
  ProcfunExecutor *executor = make_pool ();
  g_autoptr (ProcfunCall) call = read_kept_call ();
  g_autoptr (GError) error = NULL;
  char *folder = sandbox_make_folder ();
  g_autofree char *path = g_build_filename (folder, "file", NULL);

  if (!sandbox_skips ())
    {
      procfun_pool_set_initializer (PROCFUN_POOL (executor), open_kept_function (),
                                    g_variant_new ("(s)", path));
      procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (executor),
                                            PROCFUN_SANDBOX_PURE_COMPUTE);
      procfun_call_set_executor (call, executor);
      g_assert_cmpint (read_kept_run (call, NULL, &error), ==, 't');
      g_assert_no_error (error);
    }
  close_executor (executor);
  sandbox_remove_folder (folder);
}

static void
test_threads (void)
{
  ProcfunExecutor *executor = make_pool ();
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  if (!sandbox_skips ())
    {
      procfun_pool_set_initializer (PROCFUN_POOL (executor), leave_thread_function (), NULL);
      procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (executor),
                                            PROCFUN_SANDBOX_NO_NETWORK);
      procfun_call_set_executor (call, executor);
      add_run (call, NULL, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SANDBOX);
      g_assert_nonnull (strstr (error->message, "threads"));
    }
  close_executor (executor);
}

/* A worker that others have used would be no place for a call with a sandbox of its own. */
static void
test_fresh_worker (void)
{
  ProcfunExecutor *executor = make_pool ();
  gint pids[3] = { 0 };

  if (sandbox_skips ())
    {
      close_executor (executor);
      return;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (pids); i++)
    {
      g_autoptr (ProcfunCall) call = add_call (1, 2);
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      if (i == 1)
        procfun_call_set_sandbox (call, PROCFUN_SANDBOX_NO_NETWORK);
      g_assert_cmpint (add_run (call, NULL, &error), ==, 3);
      g_assert_no_error (error);
      pids[i] = procfun_call_get_pid (call);
    }
  g_assert_cmpint (pids[0], !=, pids[1]);
  g_assert_cmpint (pids[1], !=, pids[2]);
  close_executor (executor);
}

static void
test_session (void)
{
  ProcfunExecutor *pool = make_pool ();
  g_autoptr (ProcfunSession) session = NULL;
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (ProcfunCall) stricter = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  if (!sandbox_skips ())
    {
      procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (pool),
                                            PROCFUN_SANDBOX_NO_NETWORK);
      session = procfun_pool_acquire (PROCFUN_POOL (pool), add_function (), NULL, &error);
      g_assert_no_error (error);
      procfun_call_set_executor (call, PROCFUN_EXECUTOR (session));
      g_assert_cmpint (add_run (call, NULL, &error), ==, 3);
      g_assert_no_error (error);
      g_assert_cmpuint (procfun_call_get_sandbox (call), ==, PROCFUN_SANDBOX_NO_NETWORK);
      procfun_call_set_executor (stricter, PROCFUN_EXECUTOR (session));
      procfun_call_set_sandbox (stricter, PROCFUN_SANDBOX_PURE_COMPUTE);
      add_run (stricter, NULL, &error);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID);
      g_clear_object (&session);
    }
  close_executor (pool);
}

static void
test_map (void)
{
  ProcfunExecutor *pool = make_pool ();
  const gint32 numbers[][2] = { { 1, 2 }, { 3, 4 }, { 5, 6 } };
  g_autoptr (GVariant) elements = g_variant_ref_sink (
      g_variant_new_fixed_array (G_VARIANT_TYPE ("(ii)"), numbers, 3, sizeof numbers[0]));
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;
  gint32 last = 0;

  if (!sandbox_skips ())
    {
      procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (pool),
                                            PROCFUN_SANDBOX_PURE_COMPUTE);
      results = procfun_pool_map (PROCFUN_POOL (pool), add_function (), elements, NULL, &error);
      g_assert_no_error (error);
      g_variant_get_child (results, 2, "i", &last);
      g_assert_cmpint (last, ==, 11);
    }
  close_executor (pool);
}

/* How an initializer fails, and whose sandbox it is. */
typedef struct
{
  const char *function;
  gboolean is_of_call;
} Failing;

static const Failing failing[] = { { "fail_to_prepare", FALSE },
                                   { "crash_to_prepare", FALSE },
                                   { "fail_to_prepare", TRUE },
                                   { "crash_to_prepare", TRUE } };

/* TRUE: no worker was started for it. */
static gboolean
fails_later (const Failing *self, ProcfunExecutor *executor)
{
  g_autoptr (ProcfunCall) call = add_call (1, 2);
  g_autoptr (GError) error = NULL;

  procfun_call_set_executor (call, executor);
  if (self->is_of_call)
    procfun_call_set_sandbox (call, PROCFUN_SANDBOX_PURE_COMPUTE);
  add_run (call, NULL, &error);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_SPAWN);
  g_assert_nonnull (strstr (error->message, self->function));
  return strstr (error->message, "next try") != NULL;
}

/* Each start is later than the one before, as without a sandbox. */
static void
test_back_off (gconstpointer data)
{
  const Failing *self = data;
  ProcfunExecutor *executor = make_pool ();
  guint n = 0;

  procfun_pool_set_initializer (
      PROCFUN_POOL (executor),
      procfun_registry_lookup_by_name (procfun_registry_get_default (), self->function), NULL);
  if (!self->is_of_call)
    procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (executor),
                                          PROCFUN_SANDBOX_PURE_COMPUTE);
  if (!sandbox_skips ())
    for (n = 1; !fails_later (self, executor); n++)
      g_assert_cmpuint (n, <, 40);
  close_executor (executor);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/sandbox-pool/a worker stays in its sandbox", test_kept_worker);
  fixture_add_func ("/sandbox-pool/the initializer of a pool runs outside", test_initializer);
  for (gsize i = 0; i < G_N_ELEMENTS (failing); i++)
    {
      g_autofree char *path
          = g_strdup_printf ("/sandbox-pool/%s of a sandboxed %s puts the next start off",
                             failing[i].function, failing[i].is_of_call ? "call" : "pool");

      fixture_add_data_func (path, &failing[i], test_back_off);
    }
  fixture_add_func ("/sandbox-pool/a thread outside is an error", test_threads);
  fixture_add_func ("/sandbox-pool/a sandbox of a call has a worker of its own", test_fresh_worker);
  fixture_add_func ("/sandbox-pool/a session is in the sandbox of its pool", test_session);
  fixture_add_func ("/sandbox-pool/a map is in the sandbox of its pool", test_map);
  sandbox_add_other_user ("/sandbox-pool/the same holds for a user without rights");
  return fixture_run ();
}
