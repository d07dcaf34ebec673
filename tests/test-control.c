/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Calls that do not end by themselves, and what ends them: clocks, abort, and the loss of the last
 * reference. The fixture sees that no process is left. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/functions.h"
#include "tests/hostile-children.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define SOON_US 30000
#define LATER_US ((gint64)3600 * G_USEC_PER_SEC)
#define SHORT_US 20000
#define LONG_US (20 * G_USEC_PER_SEC) /* enough for a process to die in, on any machine */

static void
say_ready (int fd)
{
  if (write (fd, "!", 1) != 1)
    g_error ("nobody waits");
}

static void
stay (void)
{
  for (;;)
    pause ();
}

/* Listens, and ends as asked. */
PROCFUN_DEFINE_STATIC_FUNCTION (heed, gint, (ProcfunFd, fd))
{
  GCancellable *cancellable = procfun_get_cancellable ();
  struct pollfd poll_fd = { .fd = g_cancellable_get_fd (cancellable), .events = POLLIN };

  say_ready (fd);
  while (!g_cancellable_is_cancelled (cancellable))
    poll (&poll_fd, 1, -1);
  return 7;
}

/* The caller holds the child while it waits for this to end. */
PROCFUN_DEFINE_STATIC_FUNCTION (heed_beside_session, gint, (ProcfunFd, fd))
{
  const pid_t child = fork ();

  if (child == 0)
    {
      setsid ();
      stay ();
    }
  while (getpgid (child) != child)
    g_thread_yield ();
  return heed (fd);
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (heed_with_error, gint, (ProcfunFd, fd))
{
  heed (fd);
  g_cancellable_set_error_if_cancelled (procfun_get_cancellable (), error);
  return 0;
}

/* Asks for it, and does not look. */
PROCFUN_DEFINE_STATIC_FUNCTION (listen_not, void, (ProcfunFd, fd))
{
  procfun_get_cancellable ();
  say_ready (fd);
  stay ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (ignore_all, void, (ProcfunFd, fd))
{
  procfun_get_cancellable ();
  signal (SIGTERM, SIG_IGN);
  say_ready (fd);
  stay ();
}

/* Its child has every descriptor that it has. */
PROCFUN_DEFINE_STATIC_FUNCTION (leave_holder, void, (ProcfunFd, fd))
{
  if (fork () == 0)
    say_ready (fd);
  stay ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (leave_session, void, (ProcfunFd, fd))
{
  if (fork () == 0)
    {
      setsid ();
      signal (SIGTERM, SIG_IGN);
      say_ready (fd);
    }
  stay ();
}

/* Its parent is gone, too, so that the function has adopted it. */
PROCFUN_DEFINE_STATIC_FUNCTION (leave_orphan, void, (ProcfunFd, fd))
{
  if (fork () == 0)
    {
      setsid ();
      if (fork () != 0)
        _exit (0);
      setsid ();
      say_ready (fd);
    }
  stay ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (get_deadline, gint64) { return procfun_get_deadline (); }

PROCFUN_DEFINE_STATIC_FUNCTION (report_and_stay, void)
{
  procfun_report_progress (0.5, "half");
  stay ();
}

PROCFUN_DEFINE_STATIC_FUNCTION (print_and_stay, void)
{
  if (write (STDOUT_FILENO, "line\n", 5) == 5)
    stay ();
}

static void
count (guint *n)
{
  ++*n;
}

/* The escalation */

typedef struct
{
  const char *name;
  ProcfunCall *(*call) (ProcfunFd fd);
  gint64 grace;
  ProcfunStep step;
} Rung;

static const Rung rungs[] = {
  { "listens", heed_call, LATER_US, PROCFUN_STEP_CANCELLABLE },
  { "listens-with-error", heed_with_error_call, LATER_US, PROCFUN_STEP_CANCELLABLE },
  { "listens/no-grace", heed_call, 0, PROCFUN_STEP_KILL },
  { "does-not-look", listen_not_call, SHORT_US, PROCFUN_STEP_TERMINATE },
  { "ignores-all", ignore_all_call, SHORT_US, PROCFUN_STEP_KILL },
  { "ignores-all/no-grace", ignore_all_call, 0, PROCFUN_STEP_KILL },
  { "stays", do_stay_call, LATER_US, PROCFUN_STEP_TERMINATE },
  { "stays/no-grace", do_stay_call, 0, PROCFUN_STEP_KILL },
  { "spins", do_spin_call, LATER_US, PROCFUN_STEP_TERMINATE },
  { "spins/no-grace", do_spin_call, 0, PROCFUN_STEP_KILL },
  { "ignores-signals", do_ignore_signals_call, SHORT_US, PROCFUN_STEP_KILL },
  { "is-stopped", do_stop_call, LATER_US, PROCFUN_STEP_TERMINATE },
  { "is-stopped/no-grace", do_stop_call, 0, PROCFUN_STEP_KILL },
  { "left-holder", leave_holder_call, LATER_US, PROCFUN_STEP_TERMINATE },
  { "left-holder/no-grace", leave_holder_call, 0, PROCFUN_STEP_KILL },
  { "left-session", leave_session_call, LATER_US, PROCFUN_STEP_TERMINATE },
  { "left-session/no-grace", leave_session_call, 0, PROCFUN_STEP_KILL },
  { "left-orphan/no-grace", leave_orphan_call, 0, PROCFUN_STEP_KILL },
};

typedef struct
{
  ProcfunCall *call;
  Signal signal;
} Aborter;

static gpointer
abort_when_it_runs (gpointer user_data)
{
  Aborter *self = user_data;

  signal_wait (&self->signal);
  procfun_call_abort (self->call);
  procfun_call_abort (self->call); /* once is enough */
  return NULL;
}

/* The step that ended it. */
static ProcfunStep
climb (const Rung *rung, gint64 grace, gboolean async)
{
  Aborter self;
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GError) error = NULL;
  GThread *thread;

  signal_open (&self.signal);
  self.call = call = calls_on_executor (rung->call (self.signal.ends[1]));
  procfun_call_set_grace_period (call, grace);
  thread = g_thread_new ("aborter", abort_when_it_runs, &self);
  g_assert_null (calls_run (g_object_ref (call), async, NULL, &error));
  g_thread_join (thread);
  signal_close (&self.signal);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_assert_cmpint (procfun_failure_get_cause (procfun_call_get_failure (call)), ==,
                   PROCFUN_CAUSE_CANCELLED);
  return procfun_failure_get_step (procfun_call_get_failure (call));
}

/* On a busy machine a short grace may be over before a process that is ending is gone. */
static void
test_rung (gconstpointer data)
{
  const Rung *rung = data;
  const gboolean leaves_session
      = rung->call == leave_session_call || rung->call == leave_orphan_call;

  if (leaves_session && !fixture_has_pidfds ())
    {
      g_test_skip ("without pidfds, what has left the session is not found again");
      return;
    }
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      gint64 grace = rung->grace;
      ProcfunStep step;

      while ((step = climb (rung, grace, async)) > rung->step && grace > 0 && grace < LONG_US)
        grace *= 2;
      g_assert_cmpint (step, ==, rung->step);
    }
}

static guint
count_descriptors (void)
{
  g_autoptr (GDir) dir = g_dir_open ("/proc/self/fd", 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir) != NULL)
    n++;
  return n;
}

/* The process that ran it, and ended it as it was asked. */
static int
abort_in (ProcfunExecutor *executor, ProcfunCall *(*make) (ProcfunFd fd))
{
  g_autoptr (ProcfunCall) call = NULL;
  g_autoptr (GError) error = NULL;
  Aborter self;
  GThread *thread;

  signal_open (&self.signal);
  self.call = call = make (self.signal.ends[1]);
  procfun_call_set_executor (call, executor);
  procfun_call_set_grace_period (call, LATER_US);
  thread = g_thread_new ("aborter", abort_when_it_runs, &self);
  g_assert_null (calls_run (g_object_ref (call), FALSE, NULL, &error));
  g_thread_join (thread);
  signal_close (&self.signal);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  return procfun_call_get_pid (call);
}

/* Nothing of the call is held any more when its worker goes on. */
static void
test_held (void)
{
  g_autoptr (ProcfunExecutor) pool = NULL;
  guint n_before;
  int pid;

  if (!fixture_has_pidfds ())
    {
      g_test_skip ("there are no pidfds to hold");
      return;
    }
  pool = PROCFUN_EXECUTOR (procfun_pool_new (1));
  pid = abort_in (pool, heed_call);
  n_before = count_descriptors ();
  g_assert_cmpint (abort_in (pool, heed_beside_session_call), ==, pid);
  g_assert_cmpuint (count_descriptors (), ==, n_before);
  g_assert_true (procfun_executor_close (pool, NULL, NULL));
}

/* Clocks */

/* The process may have been started by then, or not. */
#define STEP_ANY ((ProcfunStep)-1)

static const struct
{
  gint64 timeout;
  gint64 deadline;
  gint64 grace;
  const char *message;
  ProcfunStep step;
} clocks[] = {
  { SOON_US, 0, LATER_US, "*do_spin()*timed out after 0.03 s*", PROCFUN_STEP_TERMINATE },
  { SOON_US, 0, 0, "*do_spin()*timed out after 0.03 s*", PROCFUN_STEP_KILL },
  { 0, SOON_US, LATER_US, "*do_spin()*missed its deadline of 0.03 s*", PROCFUN_STEP_TERMINATE },
  { 0, SOON_US, 0, "*do_spin()*missed its deadline of 0.03 s*", PROCFUN_STEP_KILL },
  { SOON_US, LATER_US, 0, "*do_spin()*timed out*", PROCFUN_STEP_KILL },
  { LATER_US, SOON_US, 0, "*do_spin()*missed its deadline*", PROCFUN_STEP_KILL },
  { 1, 0, 0, "*do_spin()*timed out after 1e-06 s*", PROCFUN_STEP_KILL },
  { 0, 1, 0, "*do_spin()*missed its deadline of 1e-06 s*", STEP_ANY },
};

static void
test_clocks (void)
{
  Signal signal;

  signal_open (&signal);
  for (gsize i = 0; i < G_N_ELEMENTS (clocks); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        g_autoptr (ProcfunCall) call = calls_on_executor (do_spin_call (signal.ends[1]));
        g_autoptr (GError) error = NULL;
        gint64 begun = g_get_monotonic_time ();

        procfun_call_set_timeout (call, clocks[i].timeout);
        procfun_call_set_deadline (call, clocks[i].deadline);
        procfun_call_set_grace_period (call, clocks[i].grace);
        g_assert_null (calls_run (g_object_ref (call), async, NULL, &error));
        calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT, clocks[i].message);
        if (clocks[i].step != STEP_ANY && strstr (error->message, "while it waited") == NULL)
          g_assert_cmpint (procfun_failure_get_step (procfun_call_get_failure (call)), ==,
                           clocks[i].step);
        g_assert_cmpint (g_get_monotonic_time () - begun, >=,
                         MIN (clocks[i].timeout > 0 ? clocks[i].timeout : LATER_US,
                              clocks[i].deadline > 0 ? clocks[i].deadline : LATER_US));
      }
  signal_close (&signal);
}

/* Neither clock hurts who is in time. */
static void
test_in_time (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
      ProcfunCall *call = add_call (1, 2);

      procfun_call_set_timeout (call, LATER_US);
      procfun_call_set_deadline (call, LATER_US);
      calls_assert_result (executor, call, async, "3");
    }
}

/* The function's time begins with the function; the call's with the call, so that a process which
 * never says hello is noticed. */
static void
test_no_hello (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_spawner_new ());
      ProcfunCall *call = add_call (1, 2);
      guint n_started = 0;

      procfun_spawner_set_launcher (PROCFUN_SPAWNER (executor),
                                    (const char *[]){ "sh", "-c", "exec sleep 600", NULL });
      procfun_call_set_timeout (call, 1);
      procfun_call_set_deadline (call, SOON_US);
      g_signal_connect_swapped (call, "started", G_CALLBACK (count), &n_started);
      calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_TIMED_OUT,
                          "*add()*missed its deadline*");
      g_assert_cmpuint (n_started, ==, 0);
    }
}

static void
test_get_deadline (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) none
          = calls_run (calls_on_executor (get_deadline_call ()), async, NULL, &error);
      g_autoptr (ProcfunCall) call = calls_on_executor (get_deadline_call ());
      g_autoptr (GVariant) some = NULL;
      gint64 begun = g_get_monotonic_time ();

      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int64 (none), ==, 0);
      procfun_call_set_deadline (call, LATER_US);
      some = calls_run (g_object_ref (call), async, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpint (g_variant_get_int64 (some), >=, begun + LATER_US);
      g_assert_cmpint (g_variant_get_int64 (some), <=, g_get_monotonic_time () + LATER_US);
    }
  g_assert_cmpint (procfun_get_deadline (), ==, 0);
}

/* Abort */

static void
test_abort_before (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
      g_autoptr (GError) error = NULL;
      guint n_started = 0;
      guint n_finished = 0;

      g_signal_connect_swapped (call, "started", G_CALLBACK (count), &n_started);
      g_signal_connect_swapped (call, "finished", G_CALLBACK (count), &n_finished);
      procfun_call_abort (call);
      g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_NEW);
      g_assert_null (calls_run (g_object_ref (call), async, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_FAILED);
      g_assert_cmpint (procfun_failure_get_cause (procfun_call_get_failure (call)), ==,
                       PROCFUN_CAUSE_CANCELLED);
      g_assert_cmpuint (n_started, ==, 0);
      g_assert_cmpuint (n_finished, ==, 1);
    }
}

static void
test_abort_after (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      g_autoptr (ProcfunCall) call = calls_on_executor (add_call (1, 2));
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      g_signal_connect (call, "finished", G_CALLBACK (procfun_call_abort), NULL);
      result = calls_run (g_object_ref (call), async, NULL, &error);
      g_assert_no_error (error);
      procfun_call_abort (call);
      g_assert_cmpint (procfun_call_get_state (call), ==, PROCFUN_CALL_SUCCEEDED);
      g_assert_null (procfun_call_get_failure (call));
      g_assert_cmpint (g_variant_get_int32 (result), ==, 3);
    }
}

static void
test_abort_in_signals (void)
{
  static const struct
  {
    const char *signal;
    ProcfunCall *(*call) (void);
  } cases[] = {
    { "started", print_and_stay_call },
    { "progress", report_and_stay_call },
    { "output", print_and_stay_call },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    for (gboolean async = FALSE; async <= TRUE; async++)
      {
        ProcfunCall *call = calls_on_executor (cases[i].call ());
        g_autoptr (GError) error = NULL;

        procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
        g_signal_connect (call, cases[i].signal, G_CALLBACK (procfun_call_abort), NULL);
        g_assert_null (calls_run (call, async, NULL, &error));
        g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      }
}

static void
abort_once_it_listens (ProcfunCall *call, int pid, gpointer user_data)
{
  signal_wait (user_data);
  procfun_call_abort (call);
}

/* The function has said that it listens, but the caller may not have heard it yet. */
static void
test_abort_unheard (void)
{
  for (gboolean async = FALSE; async <= TRUE; async++)
    {
      Signal ready;
      g_autoptr (ProcfunCall) call = NULL;
      g_autoptr (GError) error = NULL;

      signal_open (&ready);
      call = calls_on_executor (heed_call (ready.ends[1]));
      procfun_call_set_grace_period (call, LATER_US);
      g_signal_connect (call, "started", G_CALLBACK (abort_once_it_listens), &ready);
      g_assert_null (calls_run (g_object_ref (call), async, NULL, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      g_assert_cmpint (procfun_failure_get_step (procfun_call_get_failure (call)), ==,
                       PROCFUN_STEP_CANCELLABLE);
      signal_close (&ready);
    }
}

/* References */

typedef struct
{
  gboolean ended;
  GError *error;
  GVariant *result;
} End;

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  End *end = user_data;

  end->result = procfun_call_run_finish (PROCFUN_CALL (source), result, &end->error);
  end->ended = TRUE;
}

static void
wait_for_end (End *end)
{
  while (!end->ended)
    g_main_context_iteration (NULL, TRUE);
}

/* Only procfun_call_abort() ends it, and then nothing of it is left. */
static void
test_last_reference (void)
{
  End end = { FALSE };
  Signal signal;
  ProcfunCall *call;

  signal_open (&signal);
  call = calls_on_executor (do_stay_call (signal.ends[1]));
  g_object_add_weak_pointer (G_OBJECT (call), (gpointer *)&call);
  procfun_call_run_async (call, NULL, on_end, &end);
  signal_await (&signal);
  g_object_unref (call);
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_assert_false (end.ended);
  g_assert_nonnull (call);
  procfun_call_abort (call);
  wait_for_end (&end);
  g_assert_null (call);
  signal_close (&signal);
  g_assert_null (end.result);
  g_assert_error (end.error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_error_free (end.error);
}

static void
test_nobody_holds_it (void)
{
  End end = { FALSE };
  ProcfunCall *call = calls_on_executor (add_call (1, 2));

  procfun_call_run_async (call, NULL, on_end, &end);
  g_object_unref (call);
  wait_for_end (&end);
  g_assert_no_error (end.error);
  g_assert_cmpint (g_variant_get_int32 (end.result), ==, 3);
  g_variant_unref (end.result);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  for (gsize i = 0; i < G_N_ELEMENTS (rungs); i++)
    {
      g_autofree char *path = g_strdup_printf ("/control/escalation/%s", rungs[i].name);

      calls_add_data_func (path, &rungs[i], test_rung);
    }
  calls_add_func ("/control/timeout-and-deadline-end-a-call", test_clocks);
  calls_add_func ("/control/clocks-leave-a-call-in-time-alone", test_in_time);
  fixture_add_func ("/control/a-worker-that-goes-on-holds-nothing-of-its-call", test_held);
  fixture_add_func ("/control/a-silent-process-meets-the-deadline", test_no_hello);
  calls_add_func ("/control/a-function-reads-its-deadline", test_get_deadline);
  calls_add_func ("/control/aborting-before-the-start-prevents-it", test_abort_before);
  calls_add_func ("/control/aborting-after-the-end-does-nothing", test_abort_after);
  calls_add_func ("/control/signal-handlers-may-abort", test_abort_in_signals);
  calls_add_func ("/control/a-call-aborted-before-it-listens-is-asked-first", test_abort_unheard);
  calls_add_func ("/control/dropping the last reference does not end a call", test_last_reference);
  calls_add_func ("/control/a call that nobody holds has its result", test_nobody_holds_it);
  return fixture_run ();
}
