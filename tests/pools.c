/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/pools.h"

#include "tests/functions.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static gint prepared;

PROCFUN_DEFINE_FUNCTION (count_calls, gint)
{
  static gint n;

  return ++n;
}

PROCFUN_DEFINE_FUNCTION (prepare, void, (gint, value)) { prepared += value; }

PROCFUN_DEFINE_FUNCTION (get_prepared, gint) { return prepared; }

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (fail_to_prepare, void)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "nothing to prepare with");
}

PROCFUN_DEFINE_FUNCTION (leave_descriptor, void)
{
  if (open ("/dev/null", O_RDONLY) < 0)
    g_error ("there is no /dev/null");
}

static gpointer
stay (gpointer user_data)
{
  for (;;)
    pause ();
  return NULL;
}

PROCFUN_DEFINE_FUNCTION (leave_thread, void) { g_thread_unref (g_thread_new ("left", stay, NULL)); }

PROCFUN_DEFINE_FUNCTION (leave_memory, void, (guint64, bytes))
{
  volatile char *left = g_malloc (bytes);

  for (guint64 i = 0; i < bytes; i += 1024)
    left[i] = 1;
}

PROCFUN_DEFINE_FUNCTION (stay_until, gint, (ProcfunFd, ready), (ProcfunFd, go), (gint, result))
{
  char byte = '!';

  if (write (ready, &byte, 1) != 1)
    g_error ("nobody waits");
  while (read (go, &byte, 1) > 0)
    ;
  return result;
}

/* Results */

void
results_init (Results *self)
{
  *self = (Results){ .results = g_array_new (FALSE, FALSE, sizeof (gint)) };
}

void
results_clear (Results *self)
{
  g_clear_error (&self->error);
  g_array_unref (self->results);
}

void
results_add (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Results *self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, &error);

  self->n_ended++;
  if (value != NULL)
    self->n_succeeded++;
  if (value != NULL && g_variant_is_of_type (value, G_VARIANT_TYPE_INT32))
    {
      gint number = g_variant_get_int32 (value);

      g_array_append_val (self->results, number);
    }
  if (error == NULL)
    return;
  g_clear_error (&self->error);
  self->error = g_steal_pointer (&error);
}

void
results_wait (Results *self, guint n)
{
  while (self->n_ended < n)
    g_main_context_iteration (NULL, TRUE);
}

void
results_run (Results *self, gpointer executor, ProcfunCall *call)
{
  procfun_call_set_executor (call, executor);
  procfun_call_run_async (call, NULL, results_add, self);
  g_object_unref (call);
}

/* Holders */

ProcfunCall *
holder_init (Holder *self, gint result)
{
  signal_open (&self->ready);
  signal_open (&self->go);
  self->call = stay_until_call (self->ready.ends[1], self->go.ends[0], result);
  return self->call;
}

void
holder_run (Holder *self, gpointer executor, Results *results)
{
  holder_init (self, 0);
  results_run (results, executor, g_object_ref (self->call));
  signal_await (&self->ready);
}

void
holder_let_go (Holder *self)
{
  close (self->go.ends[1]);
  self->go.ends[1] = -1;
}

void
holder_clear (Holder *self)
{
  signal_close (&self->ready);
  close (self->go.ends[0]);
  if (self->go.ends[1] >= 0)
    close (self->go.ends[1]);
  g_clear_object (&self->call);
}

/* Threads */

gpointer
thread_run (gpointer data)
{
  Thread *self = data;

  procfun_call_set_executor (self->call, PROCFUN_EXECUTOR (self->pool));
  self->result = procfun_call_run (self->call, self->cancellable, &self->error);
  return NULL;
}

void
thread_clear (Thread *self)
{
  g_clear_object (&self->call);
  g_clear_object (&self->cancellable);
  g_clear_error (&self->error);
  g_clear_pointer (&self->result, g_variant_unref);
}

/* Events */

static void
note (Events *self, int pid, char *word)
{
  g_mutex_lock (&self->lock);
  g_ptr_array_add (self->words, word);
  self->pid = pid;
  g_mutex_unlock (&self->lock);
}

static void
on_started (ProcfunExecutor *executor, int pid, Events *self)
{
  note (self, pid, g_strdup ("started"));
}

/* It may not have been reaped yet. */
static gboolean
is_dead (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/stat", pid);
  g_autofree char *stat = NULL;

  if (!g_file_get_contents (path, &stat, NULL, NULL) || strstr (stat, ") Z ") != NULL
      || strstr (stat, ") X ") != NULL)
    return TRUE;
  g_test_message ("process %d is still there: %s", pid, stat);
  return FALSE;
}

static void
on_exited (ProcfunExecutor *executor, int pid, int status, Events *self)
{
  self->status = status;
  g_assert_true (is_dead (pid));
  note (self, pid, g_strdup ("exited"));
}

static void
on_recycled (ProcfunExecutor *executor, int pid, const char *reason, Events *self)
{
  note (self, pid, g_strconcat ("recycled: ", reason, NULL));
}

void
events_init (Events *self, ProcfunPool *pool)
{
  *self = (Events){ .words = g_ptr_array_new_with_free_func (g_free) };
  g_mutex_init (&self->lock);
  g_signal_connect (pool, "worker-started", G_CALLBACK (on_started), self);
  g_signal_connect (pool, "worker-exited", G_CALLBACK (on_exited), self);
  g_signal_connect (pool, "worker-recycled", G_CALLBACK (on_recycled), self);
}

void
events_clear (Events *self)
{
  g_ptr_array_unref (self->words);
  g_mutex_clear (&self->lock);
}

guint
events_count (Events *self, const char *word)
{
  guint n = 0;

  g_mutex_lock (&self->lock);
  for (guint i = 0; i < self->words->len; i++)
    n += g_str_equal (self->words->pdata[i], word) ? 1 : 0;
  g_mutex_unlock (&self->lock);
  return n;
}

/* In this thread */

gint
pools_get_number (gpointer executor, ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, FALSE, NULL, &error);
  g_assert_no_error (error);
  return g_variant_is_of_type (result, G_VARIANT_TYPE_INT32) ? g_variant_get_int32 (result) : 0;
}

gint
pools_get_pid (gpointer executor)
{
  return pools_get_number (executor, get_process_id_call ());
}

void
pools_assert_error (gpointer executor, ProcfunCall *call, GQuark domain, gint code,
                    const char *pattern)
{
  calls_assert_error (executor, call, FALSE, domain, code, pattern);
}

guint64
pools_get_statistic (ProcfunPool *pool, const char *key)
{
  g_autoptr (GVariant) all = procfun_executor_get_statistics (PROCFUN_EXECUTOR (pool));
  g_autoptr (GVariant) value = g_variant_lookup_value (all, key, NULL);

  if (value == NULL)
    g_error ("there is no “%s” in the statistics", key);
  if (g_variant_is_of_type (value, G_VARIANT_TYPE_UINT32))
    return g_variant_get_uint32 (value);
  if (g_variant_is_container (value))
    return g_variant_n_children (value);
  return g_variant_get_uint64 (value);
}

void
pools_wait_until_queued (ProcfunPool *pool, guint n)
{
  while (pools_get_statistic (pool, "queued") != n)
    {
      g_main_context_iteration (NULL, FALSE);
      g_thread_yield ();
    }
}

/* The end of a test */

/* Calls that others have ended leave the pool moments later. */
#define IDLE_STEP_US 1000
#define IDLE_MAX_US (10 * G_USEC_PER_SEC)

static void
wait_until_idle (ProcfunPool *pool)
{
  const gint64 end = g_get_monotonic_time () + IDLE_MAX_US;

  while ((pools_get_statistic (pool, "running") > 0 || pools_get_statistic (pool, "queued") > 0)
         && g_get_monotonic_time () < end)
    {
      g_main_context_iteration (NULL, FALSE);
      g_usleep (IDLE_STEP_US);
    }
  g_assert_cmpuint (pools_get_statistic (pool, "running"), ==, 0);
  g_assert_cmpuint (pools_get_statistic (pool, "queued"), ==, 0);
}

static void
check (ProcfunPool *pool)
{
  const guint max_workers = procfun_pool_get_max_workers (pool);
  g_autoptr (GError) error = NULL;

  wait_until_idle (pool);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), <=,
                    max_workers > 0 ? max_workers : g_get_num_processors ());
  if (procfun_executor_is_closed (PROCFUN_EXECUTOR (pool)))
    return;
  g_assert_cmpint (add_process_with (20, 3, PROCFUN_EXECUTOR (pool), NULL, &error), ==, 23);
  g_assert_no_error (error);
  procfun_executor_close (PROCFUN_EXECUTOR (pool), NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (pools_get_statistic (pool, "workers"), ==, 0);
}

void
pools_check_clear (ProcfunPool **pool)
{
  if (*pool == NULL)
    return;
  g_signal_handlers_disconnect_matched (*pool, G_SIGNAL_MATCH_FUNC, 0, 0, NULL, on_started, NULL);
  g_signal_handlers_disconnect_matched (*pool, G_SIGNAL_MATCH_FUNC, 0, 0, NULL, on_exited, NULL);
  g_signal_handlers_disconnect_matched (*pool, G_SIGNAL_MATCH_FUNC, 0, 0, NULL, on_recycled, NULL);
  check (*pool);
  g_clear_object (pool);
}
