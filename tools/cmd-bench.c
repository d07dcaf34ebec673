/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* procfun bench: how long calls of a function take, by each executor. */

#include "tools/commands.h"

#include "procfun/base/intl.h"
#include "procfun/run/default-executor.h"
#include "tools/latencies.h"
#include "tools/on-hosts.h"
#include "tools/program.h"
#include "tools/report.h"
#include "tools/run.h"
#include "tools/values.h"
#include <string.h>

/* All that can run a function of another program, by the names of PROCFUN_EXECUTOR. */
static const char *const executors[] = { "spawn", "fork", "pool" };

/* Options */

#define CALLS_MAX 10000000
#define PARALLEL_MAX 4096

static int n_calls = 200;
static int n_parallel; /* 0: as many as there are processors */
static char *wanted;   /* (nullable): all */
static char *hosts;    /* (nullable): on this machine */
static gboolean as_json;

static const GOptionEntry entries[]
    = { { "calls", 'n', 0, G_OPTION_ARG_INT, &n_calls,
          N_ ("how many calls, of each kind (200 if not given)"), N_ ("NUMBER") },
        { "parallel", 'p', 0, G_OPTION_ARG_INT, &n_parallel,
          N_ ("how many calls at a time (as many as there are processors if not given)"),
          N_ ("NUMBER") },
        { "executor", 'e', 0, G_OPTION_ARG_STRING, &wanted, N_ ("measure this executor alone"),
          N_ ("NAME") },
        { "on", 0, 0, G_OPTION_ARG_STRING, &hosts,
          N_ ("measure these machines alone, as “ssh:alpha*16,ssh:beta”"), N_ ("HOSTS") },
        { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("print the results as JSON"), NULL },
        { NULL } };

static gboolean
check_number (const char *option, int number, int max, GError **error)
{
  if (number >= 1 && number <= max)
    return TRUE;
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               _ ("%s: %d: it must be a number from 1 to %d"), option, number, max);
  return FALSE;
}

static gboolean
check_executor (GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  if (wanted != NULL && hosts != NULL)
    {
      g_set_error_literal (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                           _ ("--on: hosts have an executor of their own, and --executor names "
                              "another one"));
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (executors); i++)
    {
      if (wanted == NULL || strcmp (wanted, executors[i]) == 0)
        return TRUE;
      g_string_append_printf (names, "%s%s", i > 0 ? ", " : "", executors[i]);
    }
  g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
               _ ("--executor: there is no “%s”, but %s"), wanted, names->str);
  return FALSE;
}

static gboolean
check_options (GError **error)
{
  if (n_parallel == 0)
    n_parallel = (int)g_get_num_processors ();
  return check_number ("--calls", n_calls, CALLS_MAX, error)
         && check_number ("--parallel", n_parallel, PARALLEL_MAX, error) && check_executor (error);
}

/* Measuring */

typedef struct
{
  ProcfunFunction *function;
  GVariant *args;
  ProcfunExecutor *executor;

  /* of the calls that run at the same time */
  int to_start;
  int to_end;

  GError *error;           /* (nullable): that of the first call that failed */
  ProcfunFailure *failure; /* (nullable) */
} Bench;

typedef struct
{
  Latencies latencies;
  double alone;    /* calls a second, one after the other */
  double together; /* calls a second, several at a time */
} Measured;

static void
bench_clear (Bench *self)
{
  g_clear_object (&self->executor);
  g_clear_error (&self->error);
  g_clear_pointer (&self->failure, procfun_failure_unref);
}

static void
measured_clear (Measured *self)
{
  latencies_clear (&self->latencies);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Bench, bench_clear)
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Measured, measured_clear)

static ProcfunCall *
make_call (Bench *self)
{
  ProcfunCall *call = procfun_call_new (self->function, self->args);

  procfun_call_set_executor (call, self->executor);
  return call;
}

static void
fail (Bench *self, ProcfunCall *call, GError *error)
{
  if (self->error != NULL)
    {
      g_error_free (error);
      return;
    }
  self->error = error;
  self->failure = procfun_call_get_failure (call);
  if (self->failure != NULL)
    procfun_failure_ref (self->failure);
}

static gboolean
run_one (Bench *self)
{
  g_autoptr (ProcfunCall) call = make_call (self);
  GError *error = NULL;
  g_autoptr (GVariant) result = procfun_call_run (call, NULL, &error);

  if (result == NULL)
    fail (self, call, error);
  return result != NULL;
}

static double
per_second (int n, gint64 start)
{
  return n * (double)G_USEC_PER_SEC / (double)MAX (1, g_get_monotonic_time () - start);
}

static gboolean
run_alone (Bench *self, Measured *measured)
{
  g_autoptr (GArray) latencies = g_array_new (FALSE, FALSE, sizeof (double));
  gint64 begun = g_get_monotonic_time ();

  for (int i = 0; i < n_calls; i++)
    {
      gint64 start = g_get_monotonic_time ();
      double us;

      if (!run_one (self))
        return FALSE;
      us = (double)(g_get_monotonic_time () - start);
      g_array_append_val (latencies, us);
    }
  measured->alone = per_second (n_calls, begun);
  latencies_take (&measured->latencies, g_steal_pointer (&latencies));
  return TRUE;
}

static void start_one (Bench *self);

static void
on_ended (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (ProcfunCall) call = PROCFUN_CALL (source); /* the reference of start_one() */
  Bench *self = user_data;
  GError *error = NULL;
  g_autoptr (GVariant) value = procfun_call_run_finish (call, result, &error);

  self->to_end--;
  if (value == NULL)
    {
      self->to_end -= self->to_start;
      self->to_start = 0;
      fail (self, call, error);
    }
  start_one (self);
}

static void
start_one (Bench *self)
{
  if (self->to_start == 0)
    return;
  self->to_start--;
  procfun_call_run_async (make_call (self), NULL, on_ended, self);
}

static gboolean
run_together (Bench *self, Measured *measured)
{
  gint64 begun = g_get_monotonic_time ();

  self->to_start = self->to_end = n_calls;
  for (int i = 0; i < n_parallel; i++)
    start_one (self);
  while (self->to_end > 0)
    g_main_context_iteration (NULL, TRUE);
  measured->together = per_second (n_calls, begun);
  return self->error == NULL;
}

/* The first call is not counted: it finds out what the others know. */
static gboolean
measure (Bench *self, Measured *measured)
{
  int kept = run_set_stdout_aside ();
  gboolean done = run_one (self) && run_alone (self, measured) && run_together (self, measured);

  if (done)
    done = procfun_executor_close (self->executor, NULL, &self->error);
  run_put_stdout_back (kept);
  return done;
}

/* Results */

static void
append_text (GString *text, const char *name, const Measured *measured)
{
  const Latencies *latencies = &measured->latencies;
  g_autofree char *least = value_describe_time (latencies_get_percentile (latencies, 0));
  g_autofree char *median = value_describe_time (latencies_get_percentile (latencies, 50));
  g_autofree char *p99 = value_describe_time (latencies_get_percentile (latencies, 99));

  g_string_append_printf (text, _ ("%s: least %s, median %s, p99 %s\n"), name, least, median, p99);
  g_string_append_printf (text,
                          _ ("  %.0f calls a second one after the other, %.0f when %d at a time\n"),
                          measured->alone, measured->together, n_parallel);
  latencies_append_histogram (latencies, text);
}

static void
build_json (JsonBuilder *builder, const char *name, const Measured *measured)
{
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "executor");
  json_builder_add_string_value (builder, name);
  json_builder_set_member_name (builder, "calls");
  json_builder_add_int_value (builder, n_calls);
  latencies_build_json (&measured->latencies, builder);
  json_builder_set_member_name (builder, "per-second");
  json_builder_add_double_value (builder, measured->alone);
  json_builder_set_member_name (builder, "parallel");
  json_builder_add_int_value (builder, n_parallel);
  json_builder_set_member_name (builder, "per-second-parallel");
  json_builder_add_double_value (builder, measured->together);
  json_builder_end_object (builder);
}

static Status
report (GError **error, ProcfunFailure *failure)
{
  Status status = STATUS_USAGE;

  if (failure != NULL)
    {
      status = report_get_status (*error, failure);
      report_explain (error, failure);
    }
  return as_json ? report_to_programs (*error, failure, status)
                 : report_to_people (*error, failure, FALSE, status);
}

/* (transfer full) */
static char *
end_json (JsonBuilder *builder)
{
  g_autoptr (JsonNode) list = NULL;

  json_builder_end_array (builder);
  list = json_builder_get_root (builder);
  return json_to_string (list, TRUE);
}

static ProcfunExecutor *
make_executor (const char *name, const Program *program, GError **error)
{
  return hosts != NULL ? on_hosts_new (name, program, error)
                       : procfun_executor_new_by_name (name, error);
}

static gboolean
bench (Bench *self, const char *name, const Program *program, GString *text, JsonBuilder *builder)
{
  g_auto (Measured) measured = { 0 };

  self->executor = make_executor (name, program, &self->error);
  if (self->executor == NULL || !measure (self, &measured))
    return FALSE;
  append_text (text, name, &measured);
  build_json (builder, name, &measured);
  return TRUE;
}

static Status
bench_all (const Program *program, ProcfunFunction *function, GVariant *args)
{
  const char *const on_hosts[] = { hosts };
  const char *const *names = hosts != NULL ? on_hosts : executors;
  const gsize n_names = hosts != NULL ? 1 : G_N_ELEMENTS (executors);
  g_autoptr (GString) text = g_string_new (NULL);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  g_autofree char *json = NULL;

  json_builder_begin_array (builder);
  for (gsize i = 0; i < n_names; i++)
    {
      g_auto (Bench) self = { .function = function, .args = args };

      if ((wanted == NULL || strcmp (wanted, names[i]) == 0)
          && !bench (&self, names[i], program, text, builder))
        return report (&self.error, self.failure);
    }
  json = end_json (builder);
  g_string_truncate (text, text->len - 1); /* printing adds the end of the line */
  return command_print (as_json ? json : text->str, as_json ? strlen (json) : text->len)
             ? STATUS_DONE
             : STATUS_USAGE;
}

int
command_bench (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (Program) program = NULL;
  g_autoptr (GVariant) args = NULL;
  ProcfunFunction *function = NULL;

  if (!command_parse (
          &argc, &argv, entries, _ ("PROGRAM|LIBRARY.so FUNCTION [JSON|-]"),
          _ ("Calls the function many times, by each executor, and prints how long the calls took "
             "and how many\nthere were in a second: first one after the other, then several at a "
             "time.\n"
             "JSON is an array of the arguments, or an object that names them; with - it is read "
             "from stdin."),
          2, 3))
    return STATUS_USAGE;
  if (check_options (&error))
    program = program_open (argv[1], &error);
  if (program != NULL)
    function = program_find (program, argv[2], &error);
  if (function != NULL)
    args = program_read_arguments (function, argv[3], FALSE, &error);
  if (args == NULL)
    return (int)report (&error, NULL);
  return (int)bench_all (program, function, args);
}
