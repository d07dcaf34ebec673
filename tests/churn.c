/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/churn.h"

#include "tests/map-functions.h"
#include "tests/maps.h"
#include "tests/remotes.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_ONCE 16
#define STRIKES 8 /* in a test; calls between two of them are at most: */
#define CALLS_PER_STRIKE 500
#define FROZEN_MAX 1 /* two hosts, both frozen, would never answer */
#define HEARTBEAT 250000
#define CALLER "--churn-caller"
#define CALLS_PER_CALLER 1000000

PROCFUN_DEFINE_IDEMPOTENT_FUNCTION (twice, gint, (gint, n)) { return 2 * n; }

/* Runs */

static void
runs_init (ChurnRuns *self)
{
  g_autoptr (GError) error = NULL;

  self->folder = g_dir_make_tmp ("procfun-churn-XXXXXX", &error);
  g_assert_no_error (error);
  self->path = g_build_filename (self->folder, "calls", NULL);
}

/* Workers of hosts that were killed may yet be ending, and make the file again. */
static void
runs_clear (ChurnRuns *self)
{
  do
    g_unlink (self->path);
  while (g_rmdir (self->folder) != 0);
  g_free (self->folder);
  g_free (self->path);
}

/* Calls */

typedef enum
{
  NO_ANSWER,
  RESULT,
  LOST,
  NOT_BEGUN,
} Answer;

typedef struct
{
  ProcfunRemotePool *hosts;
  guint n;
  guint n_begun;
  guint n_ended;
  guint n_strikes;
  Answer *answers;
  const char *path; /* (nullable): calls may run again */
} Churn;

typedef struct
{
  Churn *churn;
  gint n;
} Waiting;

static Answer
read_error (const GError *error)
{
  if (g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_ENGINE))
    return NOT_BEGUN;
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  return LOST;
}

static void
on_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Waiting *self = user_data;
  Churn *churn = self->churn;
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) value = procfun_call_run_finish (PROCFUN_CALL (source), result, &error);

  g_assert_cmpint (churn->answers[self->n], ==, NO_ANSWER);
  churn->answers[self->n] = value != NULL ? RESULT : read_error (error);
  churn->n_ended++;
  if (value != NULL)
    g_assert_cmpint (g_variant_get_int32 (value), ==, (churn->path != NULL ? 10 : 2) * self->n);
}

static void
begin_call (Churn *self)
{
  const gint n = (gint)self->n_begun++;
  g_autoptr (ProcfunCall) call
      = self->path != NULL ? ten_times_call (n, "", self->path) : twice_call (n);
  Waiting *waiting = g_new (Waiting, 1);

  *waiting = (Waiting){ self, n };
  procfun_call_set_executor (call, PROCFUN_EXECUTOR (self->hosts));
  procfun_call_run_async (call, NULL, on_answer, waiting);
}

static guint
count (Churn *self, Answer answer)
{
  guint n = 0;

  for (guint i = 0; i < self->n; i++)
    n += self->answers[i] == answer ? 1 : 0;
  return n;
}

static guint
get_n (guint n)
{
  const char *text = g_getenv ("PROCFUN_CHURN_CALLS");

  if (text != NULL)
    alarm (0); /* of the fixture, for tests that hang */
  return text != NULL ? (guint)MAX (atoi (text), 1) : n;
}

static void
run (Churn *self, ProcfunRemotePool *hosts, guint n, const ChurnEvents *events)
{
  const guint per_strike = MIN (get_n (n) / STRIKES + 1, CALLS_PER_STRIKE);
  guint strike_at = per_strike;

  self->hosts = hosts;
  self->n = get_n (n);
  self->answers = g_new0 (Answer, self->n);
  procfun_remote_pool_set_heartbeat (hosts, HEARTBEAT);
  procfun_remote_pool_set_retry_on (hosts, PROCFUN_RETRY_LOST);
  procfun_remote_pool_set_max_retries (hosts, 1000);
  while (self->n_ended < self->n)
    {
      while (self->n_begun < self->n && self->n_begun - self->n_ended < AT_ONCE)
        begin_call (self);
      g_main_context_iteration (NULL, TRUE);
      if (self->n_ended < strike_at)
        continue;
      strike_at += per_strike;
      self->n_strikes++;
      events->strike (events->user_data);
    }
  remotes_close (hosts);
  events->end (events->user_data);
  g_assert_cmpuint (count (self, NO_ANSWER), ==, 0);
  g_test_message ("%u calls, %u strikes: %u calls were lost, %u were not begun", self->n,
                  self->n_strikes, count (self, LOST), count (self, NOT_BEGUN));
}

/* A frozen host runs what it had taken as soon as it goes on, so the runs are counted at the end of
 * all hosts. */
void
churn_run_once (ProcfunRemotePool *hosts, guint n, const ChurnEvents *events)
{
  ChurnRuns file;
  g_autofree guint *runs = NULL;
  Churn self = { 0 };
  guint n_idle = 0;

  runs_init (&file);
  self.path = file.path;
  run (&self, hosts, n, events);
  runs = maps_count_calls (file.path, self.n);
  for (guint i = 0; i < self.n; i++)
    {
      g_assert_cmpuint (runs[i], <=, self.answers[i] == NOT_BEGUN ? 0 : 1);
      g_assert_cmpuint (runs[i], >=, self.answers[i] == RESULT ? 1 : 0);
      n_idle += self.answers[i] == LOST && runs[i] == 0 ? 1 : 0;
    }
  g_test_message ("%u of those that were lost had not run", n_idle);
  runs_clear (&file);
  g_free (self.answers);
}

void
churn_run_again (ProcfunRemotePool *hosts, guint n, const ChurnEvents *events)
{
  Churn self = { 0 };

  run (&self, hosts, n, events);
  g_assert_cmpuint (count (&self, LOST), ==, 0);
  g_free (self.answers);
}

/* Another caller */

typedef struct
{
  ProcfunExecutor *hosts;
  const char *path;
  gint n;
} OtherCaller;

static void
on_other_answer (GObject *source, GAsyncResult *result, gpointer user_data)
{
  OtherCaller *self = user_data;

  if (result != NULL)
    ten_times_process_finish (result, NULL);
  ten_times_process_with_async (self->n++, "", self->path, self->hosts, NULL, NULL, on_other_answer,
                                self);
}

void
churn_be_caller (int argc, char **argv)
{
  OtherCaller self = { 0 };
  ProcfunRemotePool *hosts;

  if (argc != 5 || strcmp (argv[1], CALLER) != 0)
    return;
  hosts = remotes_new (argv[2]);
  procfun_remote_pool_set_heartbeat (hosts, HEARTBEAT);
  self = (OtherCaller){ PROCFUN_EXECUTOR (hosts), argv[3], atoi (argv[4]) };
  for (guint i = 0; i < AT_ONCE; i++)
    on_other_answer (NULL, NULL, &self);
  for (;;)
    g_main_context_iteration (NULL, TRUE);
}

void
churn_caller_init (ChurnCaller *self, const char *list)
{
  *self = (ChurnCaller){ .list = g_strdup (list) };
  runs_init (&self->runs);
}

static void
kill_caller (ChurnCaller *self)
{
  if (self->pid == 0)
    return;
  kill (self->pid, SIGKILL);
  g_assert_cmpint (waitpid (self->pid, NULL, 0), ==, self->pid);
  self->pid = 0;
}

static void
die_with_parent (gpointer user_data)
{
  prctl (PR_SET_PDEATHSIG, SIGKILL);
}

void
churn_caller_renew (ChurnCaller *self)
{
  g_autofree char *begin = g_strdup_printf ("%u", CALLS_PER_CALLER * self->n++);
  const char *const argv[] = { "/proc/self/exe", CALLER, self->list, self->runs.path, begin, NULL };
  g_autoptr (GError) error = NULL;

  kill_caller (self);
  g_spawn_async (NULL, (char **)argv, NULL, G_SPAWN_DO_NOT_REAP_CHILD, die_with_parent, NULL,
                 &self->pid, &error);
  g_assert_no_error (error);
}

void
churn_caller_end (ChurnCaller *self)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  kill_caller (self);
  if (g_file_get_contents (self->runs.path, &text, NULL, NULL))
    lines = g_strsplit (text, "\n", -1);
  for (gsize i = 0; lines != NULL && lines[i] != NULL && *lines[i] != '\0'; i++)
    g_assert_true (g_hash_table_add (seen, g_strdup (lines[i])));
  g_test_message ("%u other callers had %u calls run", self->n, g_hash_table_size (seen));
  runs_clear (&self->runs);
  g_free (self->list);
}

/* Frozen processes */

void
churn_freeze (ChurnFrozen *self, pid_t pid)
{
  if (self->pids == NULL)
    self->pids = g_array_new (FALSE, FALSE, sizeof (pid_t));
  if (self->pids->len >= FROZEN_MAX)
    {
      kill (g_array_index (self->pids, pid_t, 0), SIGCONT);
      g_array_remove_index (self->pids, 0);
    }
  if (kill (pid, SIGSTOP) == 0)
    g_array_append_val (self->pids, pid);
}

void
churn_thaw (ChurnFrozen *self)
{
  for (guint i = 0; self->pids != NULL && i < self->pids->len; i++)
    kill (g_array_index (self->pids, pid_t, i), SIGCONT);
  g_clear_pointer (&self->pids, g_array_unref);
}
