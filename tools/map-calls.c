/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A call for each record: of generators, and for options that are about single calls. */

#include "procfun/core/executor.h"
#include "tools/map-job.h"
#include <string.h>

/* So many records may wait for their call, or their turn. */
#define MAX_WAITING 10000

/* So often memory is looked at while there is too little, in ms. */
#define MEMORY_MS 100

typedef struct
{
  MapRun *run;
  GQueue jobs;    /* (element-type MapJob): in order, until they are printed */
  GQueue waiting; /* (element-type MapJob) (unowned): those of them that were not started */
  guint n_running;
  gint64 next_start; /* not before, in µs of the monotonic clock */
  guint timer;       /* 0: none */
} Calls;

static Calls *
get_calls (MapRun *run)
{
  return run->engine;
}

/* Calls that may start */

/* “MemAvailable:  1234 kB”, in bytes */
static guint64
get_available_memory (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/meminfo", &text, NULL, NULL)
      || (line = strstr (text, "MemAvailable:")) == NULL)
    return G_MAXUINT64;
  return g_ascii_strtoull (line + strlen ("MemAvailable:"), NULL, 10) * 1024;
}

/* In ms, until something may be started; 0: now */
static guint
get_wait (Calls *self)
{
  const MapOptions *options = self->run->options;
  gint64 left = self->next_start - g_get_monotonic_time ();

  if (left > 0)
    return (guint)((left + 999) / 1000);
  if (options->free_memory > 0 && get_available_memory () < options->free_memory)
    return MEMORY_MS;
  return 0;
}

static void advance (Calls *self);

static gboolean
on_timer (gpointer user_data)
{
  Calls *self = user_data;

  self->timer = 0;
  advance (self);
  return G_SOURCE_REMOVE;
}

static void on_over (gpointer job, gpointer user_data);

static void
start_more (Calls *self)
{
  MapRun *run = self->run;
  guint n = procfun_executor_get_capacity (run->executor);

  while (self->n_running < n && self->waiting.head != NULL && self->timer == 0
         && !g_cancellable_is_cancelled (run->cancellable))
    {
      guint wait = get_wait (self);

      if (wait > 0)
        {
          self->timer = g_timeout_add (wait, on_timer, self);
          return;
        }
      self->n_running++;
      self->next_start = g_get_monotonic_time () + run->options->delay;
      map_job_start (g_queue_pop_head (&self->waiting), on_over, self);
    }
}

/* Calls that have ended */

static void
end_job (Calls *self, MapJob *job)
{
  map_job_end (job);
  g_queue_delete_link (&self->jobs, job->link);
  map_job_free (job);
}

static void
end_unordered (Calls *self, MapJob *job)
{
  if (self->run->options->is_unordered && !g_cancellable_is_cancelled (self->run->cancellable))
    end_job (self, job);
}

static void
print_in_order (Calls *self)
{
  MapJob *job;

  while ((job = g_queue_peek_head (&self->jobs)) != NULL && job->is_over
         && !g_cancellable_is_cancelled (self->run->cancellable))
    end_job (self, job);
  if (job != NULL && job->call != NULL && !job->is_streamed)
    map_job_stream (job);
}

static void
advance (Calls *self)
{
  MapRun *run = self->run;

  if (!run->options->is_unordered)
    print_in_order (self);
  start_more (self);
  if (self->n_running == 0
      && (g_cancellable_is_cancelled (run->cancellable)
          || (run->input_ended && self->jobs.head == NULL)))
    {
      run->is_done = TRUE;
      g_main_context_wakeup (NULL);
    }
  else if (self->jobs.length < MAX_WAITING / 2)
    record_reader_go_on (run->records);
  if (self->waiting.head == NULL)
    map_run_flush (run);
}

static void
on_over (gpointer job, gpointer user_data)
{
  Calls *self = user_data;

  self->n_running--;
  end_unordered (self, job);
  advance (self);
}

/* Input */

static void
add (MapRun *run, MapRecord record, GError *error)
{
  Calls *self = get_calls (run);
  g_autoptr (GVariant) array = error == NULL ? map_arguments_steal (run->arguments) : NULL;
  GVariant *args = array != NULL ? g_variant_get_child_value (array, 0) : NULL;
  MapJob *job = map_job_new (run, record, args, error);

  g_queue_push_tail (&self->jobs, job);
  job->link = self->jobs.tail;
  if (error == NULL && run->options->is_dry)
    job->is_over = TRUE;
  else if (error == NULL)
    g_queue_push_tail (&self->waiting, job);
  if (job->is_over)
    end_unordered (self, job);
}

static void
end_block (MapRun *run)
{
  Calls *self = get_calls (run);

  if (self->jobs.length >= MAX_WAITING)
    record_reader_pause (run->records);
  advance (self);
}

static void
end_input (MapRun *run)
{
  advance (get_calls (run));
}

static void
cut (MapRun *run)
{
  Calls *self = get_calls (run);
  MapJob *job;

  while ((job = g_queue_pop_tail (&self->waiting)) != NULL)
    {
      g_queue_delete_link (&self->jobs, job->link);
      map_job_free (job);
    }
}

/* The engine */

static void
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Calls *self = user_data;

  if (self->timer != 0)
    g_source_remove (self->timer);
  self->timer = g_idle_add (on_timer, self);
}

static gpointer
start (MapRun *run)
{
  Calls *self = g_new0 (Calls, 1);

  self->run = run;
  g_signal_connect (run->cancellable, "cancelled", G_CALLBACK (on_cancelled), self);
  return self;
}

static void
free_job (gpointer job)
{
  map_job_free (job);
}

static void
calls_free (gpointer engine)
{
  Calls *self = engine;

  g_signal_handlers_disconnect_by_data (self->run->cancellable, self);
  if (self->timer != 0)
    g_source_remove (self->timer);
  g_queue_clear (&self->waiting);
  g_queue_clear_full (&self->jobs, free_job);
  g_free (self);
}

const MapEngine map_calls_engine = { .start = start,
                                     .add = add,
                                     .end_block = end_block,
                                     .end_input = end_input,
                                     .cut = cut,
                                     .free = calls_free };
