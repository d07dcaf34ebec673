/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/soak.h"

#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/generators.h"
#include "tests/hostile-children.h"
#include "tests/remotes.h"

#include "procfun/platform/proc.h"
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 12
#define GARBAGE_MAX 200
#define BYTES_MAX 200000
#define LARGE_MAX (8 * 1024 * 1024) /* of one in LARGE_EVERY */
#define LARGE_EVERY 64
#define SHORT_US (150 * G_TIME_SPAN_MILLISECOND) /* the timeout of a call that does not end */
#define LONG_US (30 * G_USEC_PER_SEC)
#define STOPPED_US (40 * G_TIME_SPAN_MILLISECOND)
#define PRESSURE ((gsize)48 * 1024 * 1024)

enum
{
  ON_SPAWNER,
  ON_FORK_SERVER,
  ON_POOL,
  ON_ONE_WORKER,
  ON_HOSTS,
  ON_INLINE,
  N_EXECUTORS
};

typedef struct
{
  GRand *random;
  SoakCounts *counts;
  GMutex lock; /* of the executors */
  ProcfunExecutor *executors[N_EXECUTORS];
  GPtrArray *open;     /* (element-type Open): calls that have not been answered */
  GByteArray *answers; /* of each call of the main context */
  GArray *stopped;     /* (element-type pid_t) */
  gint64 stopped_at;
  GArray *forks;   /* (element-type pid_t): of this program */
  guint n_closing; /* executors */
  gint n_objects;  /* atomic: executors and calls that are not gone */
  gint is_over;    /* atomic: for the thread */
  int sink;        /* descriptor that takes what is written */
} Soak;

static guint
pick (GRand *random, guint n)
{
  return (guint)g_rand_int_range (random, 0, (gint32)n);
}

/* Objects */

static void
on_gone (gpointer user_data, GObject *call)
{
  g_atomic_int_add (&((Soak *)user_data)->n_objects, -1);
}

/* Nothing may keep it for ever. */
static void
watch (Soak *self, gpointer object)
{
  g_atomic_int_inc (&self->n_objects);
  g_object_weak_ref (object, on_gone, self);
}

/* Executors */

static ProcfunExecutor *
make_executor (guint which)
{
  switch (which)
    {
    case ON_SPAWNER:
      return PROCFUN_EXECUTOR (procfun_spawner_new ());
    case ON_FORK_SERVER:
      return PROCFUN_EXECUTOR (procfun_fork_server_new ());
    case ON_POOL:
      return PROCFUN_EXECUTOR (procfun_pool_new (3));
    case ON_ONE_WORKER:
      return PROCFUN_EXECUTOR (procfun_pool_new (1));
    case ON_HOSTS:
      return PROCFUN_EXECUTOR (remotes_new ("local*2"));
    default:
      return PROCFUN_EXECUTOR (procfun_inline_new ());
    }
}

/* (transfer full) */
static ProcfunExecutor *
get_executor (Soak *self, guint which)
{
  ProcfunExecutor *executor;

  g_mutex_lock (&self->lock);
  executor = g_object_ref (self->executors[which]);
  g_mutex_unlock (&self->lock);
  return executor;
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Soak *self = user_data;
  g_autoptr (GError) error = NULL;

  procfun_executor_close_finish (PROCFUN_EXECUTOR (source), result, &error);
  g_assert_no_error (error);
  self->n_closing--;
}

static void
replace_executor (Soak *self, guint which)
{
  g_autoptr (ProcfunExecutor) before = NULL;
  ProcfunExecutor *now = make_executor (which);

  watch (self, now);
  g_mutex_lock (&self->lock);
  before = self->executors[which];
  self->executors[which] = now;
  g_mutex_unlock (&self->lock);
  self->counts->n_closed++;
  self->n_closing++;
  procfun_executor_close_async (before, NULL, on_closed, self);
}

/* Calls */

typedef struct
{
  Soak *soak;
  ProcfunCall *call;
  GCancellable *cancellable;
  guint index;
  char *expected;    /* (nullable): result, as g_variant_print() writes it; NULL: it must fail */
  gboolean is_ended; /* by this program: the error may be any */
  gboolean has_own_error;
} Open;

/* They do no harm to the process that they run in. */
enum
{
  DO_ADD,
  DO_PASS_BYTES,
  DO_FAIL,
  N_HARMLESS,
  DO_PRINT = N_HARMLESS,
  DO_CRASH,
  DO_EXIT,
  DO_STAY,
  DO_STOP,
  DO_WRITE_GARBAGE,
  DO_LEAVE_CHILD,
  DO_LEAVE_THREAD,
  DO_LEAK,
  DO_ADD_MORE,
  N_KINDS = DO_ADD_MORE + 6
};

static GBytes *
make_garbage (GRand *random)
{
  const guint size = pick (random, GARBAGE_MAX);
  guint8 *data = g_malloc (size);

  for (guint i = 0; i < size; i++)
    data[i] = (guint8)g_rand_int (random);
  return g_bytes_new_take (data, size);
}

/* In memory that is shared from the beginning, or private. */
static GBytes *
new_bytes (GRand *random)
{
  const guint size = pick (random, pick (random, LARGE_EVERY) == 0 ? LARGE_MAX : BYTES_MAX);
  gpointer data;
  GBytes *bytes;

  if (g_rand_boolean (random))
    bytes = procfun_bytes_new (size, &data);
  else
    bytes = g_bytes_new_take (data = g_malloc (size), size);
  if (size > 0)
    memset (data, (int)pick (random, 256), size);
  return bytes;
}

static char *
print_bytes (gconstpointer data, gsize size)
{
  g_autofree char *sum = g_compute_checksum_for_data (G_CHECKSUM_MD5, data, size);

  return g_strdup_printf ("%" G_GSIZE_FORMAT " %s", size, sum);
}

static ProcfunCall *
make_leak (void)
{
  ProcfunCall *call = do_leak_call ((guint64)1 << 30);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();

  procfun_limits_set_memory (limits, 32 * 1024 * 1024);
  procfun_call_set_limits (call, limits);
  return call;
}

static ProcfunCall *
make_call (Soak *self, GRand *random, guint kind, guint n, char **expected)
{
  g_autoptr (GBytes) bytes = NULL;

  switch (kind)
    {
    case DO_PASS_BYTES:
      bytes = new_bytes (random);
      *expected = print_bytes (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
      return pass_bytes_call (bytes);
    case DO_FAIL:
      return fail_call ("g-io-error-quark", (gint)n, "as it should");
    case DO_PRINT:
      *expected = g_strdup ("1");
      return do_print_call ("", "");
    case DO_CRASH:
      return do_crash_call ();
    case DO_EXIT:
      return do_exit_at_once_call ((gint)(n % 256));
    case DO_STAY:
      return do_stay_call (self->sink);
    case DO_STOP:
      return do_stop_call (self->sink);
    case DO_WRITE_GARBAGE:
      bytes = make_garbage (random);
      *expected = g_strdup ("1");
      return do_write_to_channel_call (bytes);
    case DO_LEAVE_CHILD:
      *expected = g_strdup ("1");
      return do_leave_child_call ();
    case DO_LEAVE_THREAD:
      *expected = g_strdup ("1");
      return do_leave_thread_call ();
    case DO_LEAK:
      if (!fixture_has_sanitizers ())
        return make_leak ();
      G_GNUC_FALLTHROUGH;
    default:
      *expected = g_strdup_printf ("%u", n + 1);
      return add_call ((gint)n, 1);
    }
}

static char *
print_result (GVariant *result)
{
  return g_variant_is_of_type (result, G_VARIANT_TYPE_BYTESTRING)
             ? print_bytes (g_variant_get_data (result), g_variant_get_size (result))
             : g_variant_print (result, FALSE);
}

/* A process can be killed from outside at any time, and its executor be closed. So a call may
 * always fail, but never succeed with another result, or with an error that nobody made. */
static void
check_end (const char *expected, gboolean is_ended, gboolean has_own_error, GVariant *result,
           const GError *error)
{
  g_assert_true ((result == NULL) == (error != NULL));
  if (result != NULL)
    {
      g_autofree char *text = print_result (result);

      g_assert_cmpstr (text, ==, expected);
      return;
    }
  if (error->domain != PROCFUN_ERROR && !is_ended && !has_own_error)
    g_error ("a call failed with a strange error: %s", error->message);
}

static void
on_end (GObject *source, GAsyncResult *async_result, gpointer user_data)
{
  Open *self = user_data;
  Soak *soak = self->soak;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result
      = procfun_call_run_finish (PROCFUN_CALL (source), async_result, &error);

  g_assert_cmpint (soak->answers->data[self->index], ==, 0);
  soak->answers->data[self->index]++;
  check_end (self->expected, self->is_ended, self->has_own_error, result, error);
  if (result != NULL)
    soak->counts->n_succeeded++;
  else
    soak->counts->n_failed++;
  g_assert_true (g_ptr_array_remove_fast (soak->open, self));
  g_object_unref (self->call);
  g_object_unref (self->cancellable);
  g_free (self->expected);
  g_free (self);
}

static gboolean
does_not_end (guint kind)
{
  return kind == DO_STAY || kind == DO_STOP;
}

static void
begin_call (Soak *self)
{
  const guint which = pick (self->random, N_EXECUTORS);
  const guint kind = pick (self->random, which == ON_INLINE ? N_HARMLESS : N_KINDS);
  g_autoptr (ProcfunExecutor) executor = get_executor (self, which);
  Open *open = g_new0 (Open, 1);
  const guint8 none = 0;

  open->soak = self;
  open->index = self->counts->n_begun++;
  open->call = make_call (self, self->random, kind, open->index, &open->expected);
  open->has_own_error = kind == DO_FAIL;
  open->cancellable = g_cancellable_new ();
  g_byte_array_append (self->answers, &none, 1);
  procfun_call_set_executor (open->call, executor);
  procfun_call_set_timeout (open->call, does_not_end (kind) ? SHORT_US : LONG_US);
  procfun_call_set_grace_period (open->call, 0);
  procfun_call_set_priority (open->call, (gint)pick (self->random, 3));
  watch (self, open->call);
  g_ptr_array_add (self->open, open);
  procfun_call_run_async (open->call, open->cancellable, on_end, open);
}

/* In a thread */

static void
run_one (Soak *self, GRand *random, guint n)
{
  const guint which = pick (random, N_EXECUTORS);
  const guint kind = pick (random, which == ON_INLINE ? N_HARMLESS : N_KINDS);
  g_autoptr (ProcfunExecutor) executor = get_executor (self, which);
  g_autofree char *expected = NULL;
  g_autoptr (ProcfunCall) call = make_call (self, random, kind, n, &expected);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) result = NULL;

  watch (self, call);
  procfun_call_set_executor (call, executor);
  procfun_call_set_timeout (call, does_not_end (kind) ? SHORT_US : LONG_US);
  procfun_call_set_grace_period (call, 0);
  result = procfun_call_run (call, NULL, &error);
  check_end (expected, FALSE, kind == DO_FAIL, result, error);
}

/* Some of the items, or all. The process of a call that is dropped before its end is ended by the
 * main context. */
static void
take_items (Soak *self, GRand *random)
{
  g_autoptr (ProcfunExecutor) executor = get_executor (self, pick (random, ON_INLINE));
  g_autoptr (ProcfunCall) call = numbers_call (50);
  const gint n = (gint)pick (random, 60);
  g_autoptr (GError) error = NULL;

  watch (self, call);
  procfun_call_set_executor (call, executor);
  for (gint i = 0; i < n; i++)
    {
      g_autoptr (GVariant) item = procfun_call_next (call, NULL, &error);

      if (item == NULL)
        {
          g_assert_true (error != NULL || i == 50);
          g_assert_true (error == NULL || error->domain == PROCFUN_ERROR);
          return;
        }
      g_assert_cmpint (g_variant_get_int32 (item), ==, i);
    }
}

static gpointer
block (gpointer user_data)
{
  Soak *self = user_data;
  g_autoptr (GRand) random = g_rand_new_with_seed (17);

  for (guint n = 0; g_atomic_int_get (&self->is_over) == 0; n++)
    {
      if (pick (random, 8) == 0)
        take_items (self, random);
      else
        run_one (self, random, n);
      self->counts->n_blocking++;
    }
  return NULL;
}

/* Trouble */

/* (element-type pid_t): children of this process, and theirs: zygotes, workers and hosts. */
static GArray *
find_processes (void)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (pid_t));
  g_autoptr (GHashTable) parents = g_hash_table_new (NULL, NULL);
  g_autoptr (GDir) dir = g_dir_open ("/proc", 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_strdup_printf ("/proc/%s/stat", name);
      char stat[PROC_STAT_SIZE];

      if (g_ascii_isdigit (name[0]) && proc_read_stat (path, stat))
        g_hash_table_insert (parents, GINT_TO_POINTER (atoi (name)),
                             GSIZE_TO_POINTER ((gsize)proc_get_field (stat, 4)));
    }
  for (guint round = 0; round < 2; round++)
    {
      GHashTableIter iter;
      gpointer pid, parent;

      g_hash_table_iter_init (&iter, parents);
      while (g_hash_table_iter_next (&iter, &pid, &parent))
        {
          const gpointer wanted
              = round == 0 ? GINT_TO_POINTER (getpid ()) : g_hash_table_lookup (parents, parent);
          const pid_t number = GPOINTER_TO_INT (pid);

          if ((round == 0 ? parent : wanted) == GINT_TO_POINTER (getpid ()))
            g_array_append_val (found, number);
        }
    }
  return found;
}

/* The order of what is found is that of a hash table, whose numbers are other ones each time. */
static void
signal_one (Soak *self, int signum)
{
  g_autoptr (GArray) found = find_processes ();
  pid_t pid;

  if (found->len == 0)
    return;
  pid = g_array_index (found, pid_t, pick (self->random, found->len));
  if (kill (pid, signum) != 0)
    return;
  if (signum == SIGSTOP)
    g_array_append_val (self->stopped, pid);
  self->stopped_at = g_get_monotonic_time ();
}

/* All that is stopped goes on after a while. */
static void
let_go_on (Soak *self, gboolean now)
{
  if (!now && g_get_monotonic_time () - self->stopped_at < STOPPED_US)
    return;
  for (guint i = 0; i < self->stopped->len; i++)
    kill (g_array_index (self->stopped, pid_t, i), SIGCONT);
  g_array_set_size (self->stopped, 0);
}

/* A copy of the program holds all its descriptors for a while. */
static void
fork_program (Soak *self)
{
  const guint us = pick (self->random, 30000);
  pid_t pid = fork ();

  if (pid == 0)
    {
      usleep (us);
      _exit (0);
    }
  if (pid > 0)
    g_array_append_val (self->forks, pid);
}

static void
reap_forks (Soak *self, int flags)
{
  for (guint i = self->forks->len; i > 0; i--)
    if (waitpid (g_array_index (self->forks, pid_t, i - 1), NULL, flags) != 0)
      g_array_remove_index_fast (self->forks, i - 1);
}

static void
press_memory (void)
{
  void *memory = mmap (NULL, PRESSURE, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

  if (memory != MAP_FAILED)
    munmap (memory, PRESSURE);
}

static void
end_one (Soak *self)
{
  Open *open;

  if (self->open->len == 0)
    return;
  open = self->open->pdata[pick (self->random, self->open->len)];
  open->is_ended = TRUE;
  self->counts->n_cancelled++;
  if (pick (self->random, 2) == 0)
    g_cancellable_cancel (open->cancellable);
  else
    procfun_call_abort (open->call);
}

static void
make_trouble (Soak *self)
{
  const guint what = pick (self->random, 400);

  if (what < 10)
    {
      signal_one (self, SIGKILL);
      self->counts->n_killed++;
    }
  else if (what < 16)
    {
      signal_one (self, SIGSTOP);
      self->counts->n_stopped++;
    }
  else if (what < 40)
    end_one (self);
  else if (what < 46)
    {
      fork_program (self);
      self->counts->n_forks++;
    }
  else if (what < 50)
    press_memory ();
  else if (what < 53)
    replace_executor (self, pick (self->random, N_EXECUTORS));
}

/* The run */

static void
soak_init (Soak *self, guint32 seed, SoakCounts *counts)
{
  *counts = (SoakCounts){ 0 };
  *self = (Soak){ .random = g_rand_new_with_seed (seed), .counts = counts };
  g_mutex_init (&self->lock);
  self->open = g_ptr_array_new ();
  self->answers = g_byte_array_new ();
  self->stopped = g_array_new (FALSE, FALSE, sizeof (pid_t));
  self->forks = g_array_new (FALSE, FALSE, sizeof (pid_t));
  self->sink = open ("/dev/null", O_WRONLY | O_CLOEXEC);
  for (guint i = 0; i < N_EXECUTORS; i++)
    watch (self, self->executors[i] = make_executor (i));
}

static void
soak_clear (Soak *self)
{
  for (guint i = 0; i < N_EXECUTORS; i++)
    {
      g_autoptr (GError) error = NULL;

      procfun_executor_close (self->executors[i], NULL, &error);
      g_assert_no_error (error);
      g_object_unref (self->executors[i]);
    }
  while (g_atomic_int_get (&self->n_objects) > 0)
    g_main_context_iteration (NULL, TRUE);
  while (fixture_count_processes () > 0)
    g_main_context_iteration (NULL, TRUE);
  for (guint i = 0; i < self->answers->len; i++)
    g_assert_cmpuint (self->answers->data[i], ==, 1);
  reap_forks (self, 0);
  g_byte_array_unref (self->answers);
  g_ptr_array_unref (self->open);
  g_array_unref (self->stopped);
  g_array_unref (self->forks);
  g_rand_free (self->random);
  g_mutex_clear (&self->lock);
  close (self->sink);
}

static gboolean
on_tick (gpointer user_data)
{
  return G_SOURCE_CONTINUE;
}

void
soak_run (guint32 seed, guint n_calls, gint64 until, SoakCounts *counts)
{
  guint tick = g_timeout_add (10, on_tick, NULL);
  GThread *thread;
  Soak self;

  soak_init (&self, seed, counts);
  thread = g_thread_new ("blocks", block, &self);
  while (self.open->len > 0 || self.n_closing > 0 || counts->n_begun < n_calls
         || g_get_monotonic_time () < until)
    {
      const gboolean goes_on = counts->n_begun < n_calls || g_get_monotonic_time () < until;

      if (goes_on && self.open->len < AT_ONCE)
        {
          begin_call (&self);
          make_trouble (&self);
          alarm (300); /* for a call, and not for all of them */
        }
      let_go_on (&self, !goes_on);
      reap_forks (&self, WNOHANG);
      g_main_context_iteration (NULL, self.open->len >= AT_ONCE || !goes_on);
    }
  let_go_on (&self, TRUE);
  g_atomic_int_set (&self.is_over, 1);
  g_thread_join (thread);
  soak_clear (&self);
  g_source_remove (tick);
}
