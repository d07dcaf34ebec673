/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Large arguments and results, as ratios to the same work in one process: all in one run, so that
 * the machine matters little. bench-large [MiB] [rounds] [pictures] [part of a line's name: only
 * these] */

#include <procfun.h>

#include <fcntl.h>
#include <glib-unix.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static guint64
sum_words (gconstpointer data, gsize size)
{
  const guint64 *words = data;
  guint64 sum = 0;

  for (gsize i = 0; i < size / sizeof *words; i++)
    sum += words[i];
  return sum;
}

PROCFUN_DEFINE_FUNCTION (sum, guint64, (GBytes *, bytes))
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);

  return sum_words (data, size);
}

PROCFUN_DEFINE_FUNCTION (fill, GBytes *, (guint64, size), (guint, value))
{
  gpointer data = g_malloc (size);

  memset (data, (int)value, size);
  return g_bytes_new_take (data, size);
}

PROCFUN_DEFINE_FUNCTION (fill_shared, GBytes *, (guint64, size), (guint, value))
{
  gpointer data;
  GBytes *bytes = procfun_bytes_new (size, &data);

  memset (data, (int)value, size);
  return bytes;
}

PROCFUN_DEFINE_FUNCTION (sum_and_write, guint64, (ProcfunBuffer *, buffer))
{
  gsize size;
  guint64 *words = procfun_buffer_get_data (buffer, &size);

  words[0]++;
  return sum_words (words, size);
}

PROCFUN_DEFINE_FUNCTION (sum_stream, guint64, (GInputStream *, stream))
{
  static guint64 words[8192];
  guint64 sum = 0;
  gsize n;

  while (g_input_stream_read_all (stream, words, sizeof words, &n, NULL, NULL) && n > 0)
    sum += sum_words (words, n);
  return sum;
}

PROCFUN_DEFINE_FUNCTION (add, int, (int, a), (int, b)) { return a + b; }

static gsize size;
static guint n_rounds = 7;
static const char *only = "";
static GBytes *bytes;
static GBytes *shared;
static ProcfunBuffer *buffer;
static gpointer copy;

/* The least that a private result takes: another process fills it and copies it to memory that both
 * have, and it is copied out of there, since the other one could change it. And the least that any
 * result takes: it is filled where both have it, and read there. */

#define LEAST_PRIVATE "limit: result / fill + sum"
#define LEAST_SHARED "limit: result in place / copy + sum"

typedef enum
{
  NOTHING_DUE,
  PRIVATE_DUE,
  SHARED_DUE
} Due;

typedef struct
{
  int due; /* atomic: Due */
  guint8 data[];
} Least;

static Least *least;
static pid_t least_pid;

static void
serve_least (void)
{
  gpointer data = g_malloc (size);

  for (;;)
    {
      while (g_atomic_int_get (&least->due) == NOTHING_DUE)
        sched_yield ();
      if (g_atomic_int_get (&least->due) == PRIVATE_DUE)
        memcpy (least->data, memset (data, 3, size), size);
      else
        memset (least->data, 3, size);
      g_atomic_int_set (&least->due, NOTHING_DUE);
    }
}

/* Before there are threads. */
static void
start_least (void)
{
  least = mmap (NULL, sizeof *least + size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
                0);
  if (least == MAP_FAILED)
    g_error ("there is no memory");
  least_pid = fork ();
  if (least_pid == 0)
    serve_least ();
}

static void
stop_least (void)
{
  kill (least_pid, SIGKILL);
  waitpid (least_pid, NULL, 0);
  munmap (least, sizeof *least + size);
}

static double
now (void)
{
  return (double)g_get_monotonic_time () / 1000;
}

static ProcfunExecutor *executor;

static GVariant *
run (ProcfunCall *call)
{
  g_autoptr (GError) error = NULL;
  GVariant *result;

  procfun_call_set_executor (call, executor);
  result = procfun_call_run (call, NULL, &error);
  if (result == NULL)
    {
      fprintf (stderr, "%s\n", error->message);
      exit (1);
    }
  g_object_unref (call);
  return result;
}

static void
measure_floor (void)
{
  volatile guint64 sum = sum_words (g_bytes_get_data (bytes, NULL), size);

  (void)sum;
}

static void
measure_copy (void)
{
  memcpy (copy, g_bytes_get_data (bytes, NULL), size);
  measure_floor ();
}

static void
measure_fill (void)
{
  g_autofree gpointer data = g_malloc (size);
  volatile guint64 sum;

  memset (data, 3, size);
  sum = sum_words (data, size);
  (void)sum;
}

static void
await_least (Due due)
{
  g_atomic_int_set (&least->due, due);
  while (g_atomic_int_get (&least->due) != NOTHING_DUE)
    sched_yield ();
}

static void
measure_least_shared (void)
{
  volatile guint64 sum;

  await_least (SHARED_DUE);
  sum = sum_words (least->data, size);
  (void)sum;
}

static void
measure_least_private (void)
{
  volatile guint64 sum;

  await_least (PRIVATE_DUE);
  memcpy (copy, least->data, size);
  sum = sum_words (copy, size);
  (void)sum;
}

static void
measure_argument (void)
{
  g_variant_unref (run (sum_call (bytes)));
}

static void
measure_shared_argument (void)
{
  g_variant_unref (run (sum_call (shared)));
}

static void
measure_buffer (void)
{
  g_autoptr (GError) error = NULL;

  sum_and_write_process_with (buffer, executor, NULL, &error);
  if (error != NULL)
    g_error ("%s", error->message);
}

static void
measure_stream (void)
{
  g_autoptr (GInputStream) stream = g_memory_input_stream_new_from_bytes (bytes);

  g_variant_unref (run (sum_stream_call (stream)));
}

static void
look_at (GVariant *result)
{
  volatile guint64 sum = sum_words (g_variant_get_data (result), size);

  (void)sum;
  g_variant_unref (result);
}

static void
measure_result (void)
{
  look_at (run (fill_call (size, 3)));
}

static void
measure_shared_result (void)
{
  look_at (run (fill_shared_call (size, 3)));
}

/* The best of several, after a first one, which is told, too. In ms. */
static double
take (void (*func) (void), double *first)
{
  double best = G_MAXDOUBLE;

  for (guint i = 0; i <= n_rounds; i++)
    {
      const double before = now ();
      double took;

      func ();
      took = now () - before;
      if (i == 0)
        *first = took;
      else
        best = MIN (best, took);
    }
  return best;
}

static void
show (const char *name, void (*func) (void), double unit)
{
  double first, best;

  if (strstr (name, only) == NULL)
    return;
  best = take (func, &first);
  printf ("%-40s %9.3f ms  %5.2f   first %9.3f ms  %5.2f\n", name, best, best / unit, first,
          first / unit);
}

static void
show_of (const char *name, const char *what, void (*func) (void), double unit)
{
  g_autofree char *line = g_strdup_printf ("%s: %s", name, what);

  show (line, func, unit);
}

static void
show_executor (const char *name, ProcfunExecutor *which, double floor_unit, double copy_unit,
               double fill_unit)
{
  executor = which;
  show_of (name, "argument / copy + sum", measure_argument, copy_unit);
  show_of (name, "shared argument / sum", measure_shared_argument, floor_unit);
  show_of (name, "buffer / copy + sum", measure_buffer, copy_unit);
  show_of (name, "stream / copy + sum", measure_stream, copy_unit);
  show_of (name, "result / copy + sum", measure_result, copy_unit);
  show_of (name, "result / fill + sum", measure_result, fill_unit);
  show_of (name, "shared result / fill + sum", measure_shared_result, fill_unit);
  g_object_unref (which);
}

/* A result of 9 MiB on its way into a main loop that paints for 100 ms a turn: turns until it is
 * there, at most, and calls that were late although their function was not. */

#define PICTURE ((gsize)9 * 1024 * 1024)
#define PAINT_US (100 * G_TIME_SPAN_MILLISECOND)

static guint n_pictures = 10;
static guint n_turns;

static gboolean
paint (gpointer unused)
{
  n_turns++;
  g_usleep (PAINT_US);
  return G_SOURCE_CONTINUE;
}

static void
keep_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

/* Says that all is filled. */
PROCFUN_DEFINE_FUNCTION (fill_and_tell, GBytes *, (guint64, n_bytes), (ProcfunFd, done))
{
  GBytes *picture = fill (n_bytes, 3);

  if (write (done, "", 1) != 1)
    abort ();
  return picture;
}

/* The turns before the function has ended do not count, nor does a call that was late for this
 * reason. What a process has to do then for its result takes less than half a turn. */
static guint
count_turns (const int pipe_fds[2], guint *n_late)
{
  const gint64 before = g_get_monotonic_time ();
  g_autoptr (ProcfunCall) call = fill_and_tell_call (PICTURE, pipe_fds[1]);
  g_autoptr (GBytes) picture = NULL;
  GAsyncResult *result = NULL;
  gint64 took;
  char byte;

  procfun_call_set_executor (call, executor);
  procfun_call_set_timeout (call, PAINT_US / 2);
  procfun_call_run_async (call, NULL, keep_result, &result);
  if (read (pipe_fds[0], &byte, 1) != 1)
    g_error ("the pipe cannot be read");
  took = g_get_monotonic_time () - before;
  g_usleep (PAINT_US / 2);
  n_turns = 0;
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  picture = fill_and_tell_run_finish (call, result, NULL);
  *n_late += picture == NULL && took < PAINT_US / 4;
  g_object_unref (result);
  return n_turns;
}

static void
show_turns (void)
{
  guint most = 0, n_late = 0;
  int pipe_fds[2];
  guint source;

  if (!g_unix_open_pipe (pipe_fds, FD_CLOEXEC, NULL))
    g_error ("there is no pipe");
  executor = PROCFUN_EXECUTOR (procfun_pool_new (1));
  g_variant_unref (run (add_call (1, 2)));
  source = g_idle_add_full (G_PRIORITY_DEFAULT, paint, NULL, NULL);
  for (guint i = 0; i < n_pictures; i++)
    {
      const guint n = count_turns (pipe_fds, &n_late);

      most = MAX (most, n);
    }
  g_source_remove (source);
  close (pipe_fds[0]);
  close (pipe_fds[1]);
  printf ("9 MiB into a loop that paints: %u turns at most, %u of %u calls late\n", most, n_late,
          n_pictures);
  g_object_unref (executor);
}

/* Small calls beside large ones of the same pool, by the median. */

#define N_SMALL 2001

static gint is_busy;

static gpointer
run_large (gpointer pool)
{
  while (g_atomic_int_get (&is_busy))
    sum_process_with (bytes, pool, NULL, NULL);
  return NULL;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  return *(const double *)a < *(const double *)b ? -1 : 1;
}

static double
take_small (void)
{
  static double times[N_SMALL];

  for (guint i = 0; i < N_SMALL; i++)
    {
      const double before = now ();

      add_process_with (1, 2, executor, NULL, NULL);
      times[i] = now () - before;
    }
  qsort (times, N_SMALL, sizeof *times, compare);
  return times[N_SMALL / 2];
}

static void
show_latency (void)
{
  double alone, beside;
  GThread *thread;

  executor = PROCFUN_EXECUTOR (procfun_pool_new (2));
  take_small ();
  alone = take_small ();
  g_atomic_int_set (&is_busy, TRUE);
  thread = g_thread_new ("large", run_large, executor);
  beside = take_small ();
  g_atomic_int_set (&is_busy, FALSE);
  g_thread_join (thread);
  printf ("add beside large calls / alone: %.4f / %.4f ms  %.2f\n", beside, alone, beside / alone);
  g_object_unref (executor);
}

/* Memory of the caller and a worker while that has read an argument, beyond what they have with a
 * small one: all pages that both share count once. */

static guint64
get_memory (int pid)
{
  g_autofree char *path = g_strdup_printf ("/proc/%d/smaps_rollup", pid);
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents (path, &text, NULL, NULL) || (line = strstr (text, "\nPss:")) == NULL)
    return 0;
  return 1024 * g_ascii_strtoull (line + strlen ("\nPss:"), NULL, 10);
}

PROCFUN_DEFINE_FUNCTION (weigh, guint64, (GBytes *, data), (int, caller))
{
  gsize n_bytes;
  gconstpointer words = g_bytes_get_data (data, &n_bytes);
  volatile guint64 sum = sum_words (words, n_bytes);

  (void)sum;
  return get_memory (caller) + get_memory (getpid ());
}

static guint64
weigh_with (GBytes *data)
{
  g_autoptr (GVariant) result = run (weigh_call (data, getpid ()));

  return g_variant_get_uint64 (result);
}

#define IDLE_US (100 * G_TIME_SPAN_MILLISECOND)

static void
show_memory (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  g_autoptr (GBytes) small = g_bytes_new_static ("", 0);
  guint64 before, with, after;

  procfun_pool_set_arena_idle (pool, IDLE_US);
  procfun_process_executor_set_max_payload (PROCFUN_PROCESS_EXECUTOR (pool), 2 * size);
  executor = PROCFUN_EXECUTOR (pool);
  before = weigh_with (small);
  with = weigh_with (bytes);
  g_usleep (10 * IDLE_US);
  after = weigh_with (small);
  printf ("memory beyond the argument / its size: %.3f, and when idle %.3f\n",
          ((double)with - (double)before) / (double)size,
          ((double)after - (double)before) / (double)size);
}

int
main (int argc, char **argv)
{
  double first, floor_unit, copy_unit, fill_unit;
  gpointer data;

  size = (gsize)((argc > 1 ? atof (argv[1]) : 64) * 1024 * 1024) & ~(gsize)7;
  if (argc > 2)
    n_rounds = (guint)atoi (argv[2]);
  if (argc > 3)
    n_pictures = (guint)atoi (argv[3]);
  if (argc > 4)
    only = argv[4];
  if (strstr (LEAST_PRIVATE, only) != NULL || strstr (LEAST_SHARED, only) != NULL)
    start_least ();
  copy = g_malloc (size);
  bytes = g_bytes_new_take (memset (g_malloc (size), 1, size), size);
  shared = procfun_bytes_new (size, &data);
  memset (data, 1, size);
  buffer = procfun_buffer_new (size, &data);
  memset (data, 1, size);
  printf ("%" G_GSIZE_FORMAT " bytes\n", size);
  floor_unit = take (measure_floor, &first);
  show ("sum", measure_floor, floor_unit);
  copy_unit = take (measure_copy, &first);
  fill_unit = take (measure_fill, &first);
  show ("copy + sum", measure_copy, copy_unit);
  show ("fill + sum", measure_fill, fill_unit);
  if (least != NULL)
    {
      show (LEAST_SHARED, measure_least_shared, copy_unit);
      show (LEAST_PRIVATE, measure_least_private, fill_unit);
      stop_least ();
    }
  show_executor ("pool", PROCFUN_EXECUTOR (procfun_pool_new (1)), floor_unit, copy_unit, fill_unit);
  show_executor ("fork server", PROCFUN_EXECUTOR (procfun_fork_server_new ()), floor_unit,
                 copy_unit, fill_unit);
  show_executor ("spawner", PROCFUN_EXECUTOR (procfun_spawner_new ()), floor_unit, copy_unit,
                 fill_unit);
  if (strstr ("memory", only) != NULL)
    show_memory ();
  if (strstr ("loop that paints", only) != NULL)
    show_turns ();
  if (strstr ("add beside large calls", only) != NULL)
    show_latency ();
  g_bytes_unref (bytes);
  g_bytes_unref (shared);
  procfun_buffer_unref (buffer);
  g_free (copy);
  return 0;
}
