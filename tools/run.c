/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/run.h"

#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <unistd.h>

typedef struct
{
  ProcfunCall *call;
  gboolean (*take) (GVariant *item, gpointer user_data);
  gpointer user_data;
  int kept;   /* stdout */
  int signum; /* 0: nobody interrupted it */
  gboolean done;
  GVariant *result; /* (nullable) */
  GError *error;    /* (nullable) */
} Run;

typedef struct
{
  Run *run;
  int signum;
  guint source; /* 0: not watched */
} Watch;

/* With its source the signal gets back the effect that it has by itself. */
static gboolean
on_signal (gpointer user_data)
{
  Watch *watch = user_data;

  watch->source = 0;
  if (watch->run->signum == 0)
    watch->run->signum = watch->signum;
  procfun_call_abort (watch->run->call);
  return G_SOURCE_REMOVE;
}

/* A signal that is ignored stays so: nohup(1) and background jobs are not to be ended by it. */
static gboolean
is_ignored (int signum)
{
  struct sigaction action;

  return sigaction (signum, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static void
watch_begin (Watch *self)
{
  if (!is_ignored (self->signum))
    self->source = g_unix_signal_add (self->signum, on_signal, self);
}

static void
watch_end (Watch *self)
{
  if (self->source != 0)
    g_source_remove (self->source);
}

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;

  run->result = procfun_call_run_finish (PROCFUN_CALL (source), result, &run->error);
  run->done = TRUE;
}

/* With what stdout is by itself. */
static gboolean
take_item (Run *run, GVariant *item)
{
  gboolean wants_more;

  dup2 (run->kept, STDOUT_FILENO);
  wants_more = run->take (item, run->user_data);
  dup2 (STDERR_FILENO, STDOUT_FILENO);
  return wants_more;
}

static void
on_next (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Run *run = user_data;
  ProcfunCall *call = PROCFUN_CALL (source);
  g_autoptr (GVariant) item = procfun_call_next_finish (call, result, &run->error);

  if (item != NULL)
    {
      if (!take_item (run, item))
        procfun_call_abort (call);
      procfun_call_next_async (call, NULL, on_next, run);
      return;
    }
  if (run->error == NULL)
    run->result = g_variant_ref (procfun_call_get_result (call));
  run->done = TRUE;
}

static void
start (Run *run)
{
  ProcfunFunction *function = procfun_call_get_function (run->call);

  if ((procfun_function_get_flags (function) & PROCFUN_FUNCTION_GENERATOR) != 0)
    procfun_call_next_async (run->call, NULL, on_next, run);
  else
    procfun_call_run_async (run->call, NULL, on_ended, run);
}

static void
wait_for_end (Run *run)
{
  Watch watches[] = { { run, SIGINT, 0 }, { run, SIGTERM, 0 }, { run, SIGHUP, 0 } };

  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    watch_begin (&watches[i]);
  start (run);
  while (!run->done)
    g_main_context_iteration (NULL, TRUE);
  for (gsize i = 0; i < G_N_ELEMENTS (watches); i++)
    watch_end (&watches[i]);
}

int
run_set_stdout_aside (void)
{
  int kept = fcntl (STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

  dup2 (STDERR_FILENO, STDOUT_FILENO);
  return kept;
}

void
run_put_stdout_back (int kept)
{
  dup2 (kept, STDOUT_FILENO);
  close (kept);
}

GVariant *
run_call (ProcfunCall *call, gboolean (*take) (GVariant *item, gpointer user_data),
          gpointer user_data, int *signum, GError **error)
{
  int kept = run_set_stdout_aside ();
  Run run = { .call = call, .take = take, .user_data = user_data, .kept = kept };

  wait_for_end (&run);
  run_put_stdout_back (kept);
  *signum = run.signum;
  if (run.error != NULL)
    g_propagate_error (error, run.error);
  return run.result;
}
