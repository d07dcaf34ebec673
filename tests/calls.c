/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/calls.h"

#include "tests/fixture.h"
#include <fcntl.h>
#include <glib-unix.h>
#include <unistd.h>

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

GAsyncResult *
calls_await (ProcfunCall *call, GCancellable *cancellable)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  GAsyncResult *result = NULL;

  procfun_call_run_async (call, cancellable, keep_result, &result);
  while (result == NULL)
    g_main_context_iteration (context, TRUE);
  return result;
}

static GVariant *
run_async (ProcfunCall *call, GCancellable *cancellable, GError **error)
{
  g_autoptr (GMainContext) context = g_main_context_new ();
  g_autoptr (GAsyncResult) result = NULL;

  g_main_context_push_thread_default (context);
  result = calls_await (call, cancellable);
  g_main_context_pop_thread_default (context);
  return procfun_call_run_finish (call, result, error);
}

GVariant *
calls_run (ProcfunCall *call, gboolean async, GCancellable *cancellable, GError **error)
{
  GVariant *result
      = async ? run_async (call, cancellable, error) : procfun_call_run (call, cancellable, error);

  g_assert_true (result == NULL || !g_variant_is_floating (result));
  g_object_unref (call);
  return result;
}

void
calls_assert_result (ProcfunExecutor *executor, ProcfunCall *call, gboolean async,
                     const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;
  g_autofree char *text = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, async, NULL, &error);
  g_assert_no_error (error);
  text = g_variant_print (result, TRUE);
  g_assert_cmpstr (text, ==, expected);
}

void
calls_check_error (const GError *error, GQuark domain, gint code, const char *pattern)
{
  g_assert_error (error, domain, code);
  if (!g_pattern_match_simple (pattern, error->message))
    g_error ("“%s” does not fit “%s”", error->message, pattern);
}

void
calls_assert_error (ProcfunExecutor *executor, ProcfunCall *call, gboolean async, GQuark domain,
                    gint code, const char *pattern)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  procfun_call_set_executor (call, executor);
  result = calls_run (call, async, NULL, &error);
  g_assert_null (result);
  calls_check_error (error, domain, code, pattern);
}

ProcfunCall *
calls_new (const char *name, const char *arguments)
{
  ProcfunFunction *function
      = procfun_registry_lookup_by_name (procfun_registry_get_default (), name);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) args = NULL;

  if (function == NULL)
    g_error ("there is no function %s()", name);
  args = g_variant_parse (procfun_function_get_arguments_type (function), arguments, NULL, NULL,
                          &error);
  g_assert_no_error (error);
  return procfun_call_new (function, args);
}

/* On each executor */

static ProcfunExecutor *
make_spawner (void)
{
  return PROCFUN_EXECUTOR (procfun_spawner_new ());
}

static ProcfunExecutor *
make_fork_server (void)
{
  return PROCFUN_EXECUTOR (procfun_fork_server_new ());
}

static ProcfunExecutor *
make_pool (void)
{
  return PROCFUN_EXECUTOR (procfun_pool_new (1));
}

static ProcfunExecutor *
make_inline (void)
{
  return PROCFUN_EXECUTOR (procfun_inline_new ());
}

static const struct
{
  const char *name;
  const char *variable; /* PROCFUN_EXECUTOR, for programs that the test starts */
  ProcfunExecutor *(*make) (void);
} executors[CALLS_ON_ALL] = { { "spawner", "spawn", make_spawner },
                              { "fork-server", "fork", make_fork_server },
                              { "pool", "pool", make_pool },
                              { "inline", "inline", make_inline } };

typedef struct
{
  gsize executor;
  GTestFunc func;
  GTestDataFunc data_func;
  gconstpointer data;
} Test;

static gsize current; /* of executors */

ProcfunExecutor *
calls_new_executor (void)
{
  return executors[current].make ();
}

ProcfunCall *
calls_on_executor (ProcfunCall *call)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  procfun_call_set_executor (call, executor);
  return call;
}

/* The fixture closes it. */
static void
run_test (gconstpointer data)
{
  const Test *test = data;
  g_autoptr (ProcfunExecutor) executor = NULL;

  current = test->executor;
  executor = calls_new_executor ();
  procfun_executor_set_default (executor);
  g_setenv ("PROCFUN_EXECUTOR", executors[current].variable, TRUE);
  if (test->func != NULL)
    test->func ();
  else
    test->data_func (test->data);
  g_unsetenv ("PROCFUN_EXECUTOR");
}

static void
add (const char *path, CallsReach reach, const Test *test)
{
  static GPtrArray *tests; /* so that LeakSanitizer sees them */

  if (tests == NULL)
    tests = g_ptr_array_new ();
  for (gsize i = 0; i < reach; i++)
    {
      g_autofree char *own_path = g_strdup_printf ("/%s%s", executors[i].name, path);
      Test *own = g_memdup2 (test, sizeof *test);

      own->executor = i;
      g_ptr_array_add (tests, own);
      fixture_add_data_func (own_path, own, run_test);
    }
}

void
calls_add_func_for (CallsReach reach, const char *path, GTestFunc func)
{
  const Test test = { .func = func };

  add (path, reach, &test);
}

void
calls_add_func (const char *path, GTestFunc func)
{
  calls_add_func_for (CALLS_ON_FRESH_PROCESSES, path, func);
}

void
calls_add_data_func (const char *path, gconstpointer data, GTestDataFunc func)
{
  const Test test = { .data_func = func, .data = data };

  add (path, CALLS_ON_FRESH_PROCESSES, &test);
}

void
signal_open (Signal *self)
{
  g_assert_no_errno (pipe2 (self->ends, O_CLOEXEC));
}

void
signal_open_inherited (Signal *self)
{
  g_assert_no_errno (pipe (self->ends));
  for (gsize i = 0; i < G_N_ELEMENTS (self->ends); i++)
    {
      int low = self->ends[i];

      self->ends[i]
          = fcntl (low, F_DUPFD, 100); /* no number that the child has for something else */
      close (low);
    }
}

void
signal_wait (Signal *self)
{
  char byte;

  g_assert_cmpint (read (self->ends[0], &byte, 1), ==, 1);
}

static gboolean
on_ready (int fd, GIOCondition condition, gpointer is_ready)
{
  *(gboolean *)is_ready = TRUE;
  return G_SOURCE_REMOVE;
}

void
signal_await (Signal *self)
{
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  g_autoptr (GSource) source = g_unix_fd_source_new (self->ends[0], G_IO_IN);
  gboolean is_ready = FALSE;

  g_source_set_callback (source, G_SOURCE_FUNC (on_ready), &is_ready, NULL);
  g_source_attach (source, context);
  while (!is_ready)
    g_main_context_iteration (context, TRUE);
  signal_wait (self);
}

void
signal_close (Signal *self)
{
  close (self->ends[0]);
  close (self->ends[1]);
}
