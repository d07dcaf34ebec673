/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Hostile functions, each called alone: how long after its time is up a call ends, or how long one
 * without a time takes, for how long at once the main loop has no turn, and how much memory the
 * caller takes meanwhile. bench-hostile [part of a function's name: only these] */

#include "tests/hostile.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define TIMEOUT_US 300000

/* The bars */
#define MAX_LATE_US 500000
#define MAX_STOP_US 50000
#define MAX_GROWTH_KIB (16 * 1024)

typedef struct
{
  gint64 late;   /* µs */
  gint64 stop;   /* µs, or -1 where there is no main loop */
  gint64 growth; /* KiB */
} Measured;

/* Main loop */

static gint64 woken_at; /* 0: it has not been polled yet */
static gint64 longest;

static void
note_turn (void)
{
  if (woken_at != 0)
    longest = MAX (longest, g_get_monotonic_time () - woken_at);
}

/* Between two polls the main loop has no turn. */
static gint
poll_and_note (GPollFD *fds, guint n, gint timeout)
{
  gint result;

  note_turn ();
  result = poll ((struct pollfd *)fds, n, timeout);
  woken_at = g_get_monotonic_time ();
  return result;
}

/* Memory */

static gint64
read_status (const char *key)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/status", &text, NULL, NULL)
      || (line = strstr (text, key)) == NULL)
    g_error ("there is no %s", key);
  return g_ascii_strtoll (line + strlen (key), NULL, 10);
}

/* Makes the peak what is resident now. */
static gint64
reset_peak (void)
{
  const int fd = open ("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);

  if (fd < 0 || write (fd, "5", 1) != 1)
    g_error ("the peak of memory cannot be reset");
  close (fd);
  return read_status ("VmRSS:");
}

/* One call */

static guint
measure (const Hostile *hostile, guint i, ProcfunExecutor *executor, gboolean async,
         Measured *measured, char **text)
{
  const gboolean has_time = (hostile_get_ends (hostile, i) & HOSTILE_ENDS (TIMED_OUT)) != 0;
  const gint64 resident = reset_peak ();
  gint64 begun;
  guint end;

  woken_at = 0;
  longest = 0;
  begun = g_get_monotonic_time ();
  end = hostile_run (hostile, executor, async, TIMEOUT_US, text);
  measured->late = g_get_monotonic_time () - begun - (has_time ? TIMEOUT_US : 0);
  note_turn ();
  measured->growth = read_status ("VmHWM:") - resident;
  measured->stop = async ? longest : -1;
  return end;
}

static gboolean
meets_bars (const Measured *measured)
{
  return measured->late <= MAX_LATE_US && measured->stop <= MAX_STOP_US
         && measured->growth <= MAX_GROWTH_KIB;
}

/* Whether it is met. */
static gboolean
measure_and_print (const Hostile *hostile, guint i, ProcfunExecutor *executor, gboolean async)
{
  g_autofree char *text = NULL;
  g_autofree char *stop = NULL;
  Measured measured;
  const guint end = measure (hostile, i, executor, async, &measured, &text);
  const gboolean is_right = (end & hostile_get_ends (hostile, i)) != 0;
  const gboolean is_met = is_right && meets_bars (&measured);

  stop = async ? g_strdup_printf ("%.1f", (double)measured.stop / 1000) : g_strdup ("-");
  printf ("%-36s %-14s %-8s %9" G_GINT64_FORMAT " %7s %7.1f%s%s\n", hostile->name,
          hostile_get_executor_name (i), async ? "async" : "blocking", measured.late, stop,
          (double)measured.growth / 1024, is_met ? "" : "  MISSED",
          is_right ? "" : ": another end");
  if (!is_right)
    printf ("    %s\n", text);
  fflush (stdout);
  return is_met;
}

static void
measure_all (guint i, gboolean async, const char *only, guint *n, guint *n_met)
{
  g_autoptr (ProcfunExecutor) executor = hostile_new_executor (i);
  g_autoptr (GArray) list = hostile_list ();

  for (guint j = 0; j < list->len; j++)
    {
      const Hostile *hostile = &g_array_index (list, Hostile, j);

      if (strstr (hostile->name, only) == NULL || hostile_get_obstacle (hostile, i) != NULL)
        continue;
      *n += 1;
      *n_met += measure_and_print (hostile, i, executor, async) ? 1 : 0;
    }
  procfun_executor_close (executor, NULL, NULL);
}

int
main (int argc, char *argv[])
{
  static const struct rlimit no_core = { 0, 0 };
  g_autoptr (GMainContext) context = g_main_context_new ();
  guint n = 0, n_met = 0;

  setrlimit (RLIMIT_CORE, &no_core);
  g_main_context_set_poll_func (context, poll_and_note);
  g_main_context_push_thread_default (context);
  printf ("%-36s %-14s %-8s %9s %7s %7s\n", "", "", "", "late µs", "stop ms", "MiB");
  for (guint i = 0; i < HOSTILE_N_EXECUTORS; i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      measure_all (i, async, argc > 1 ? argv[1] : "", &n, &n_met);
  g_main_context_pop_thread_default (context);
  printf ("%u of %u calls end right, at most %d ms late, stop the main loop for at most %d ms at "
          "once, and take at most %d MiB of the caller\n",
          n_met, n, MAX_LATE_US / 1000, MAX_STOP_US / 1000, MAX_GROWTH_KIB / 1024);
  return n_met == n ? EXIT_SUCCESS : EXIT_FAILURE;
}
