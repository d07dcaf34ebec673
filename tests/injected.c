/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* injected KIND: calls functions while tests/inject-shim.c makes system calls fail, and looks
 * that each call ends with its result or with an error of the library, that the executor works
 * again afterwards, and that nothing is left. Exits with 0, or says what was wrong. */

#include <dirent.h>
#include <dlfcn.h>
#include <procfun.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LARGE ((gsize)200 * 1024)
#define HUGE_SIZE ((gsize)3 * 1024 * 1024) /* that is lent, and not copied */
#define N_ITEMS 20

/* How long what ends moments after a call may take. */
#define PATIENCE_US (3 * G_USEC_PER_SEC)

PROCFUN_DEFINE_FUNCTION (sum, gint, (gint, a), (gint, b)) { return a + b; }

PROCFUN_DEFINE_FUNCTION (pass, GBytes *, (GBytes *, bytes)) { return g_bytes_ref (bytes); }

PROCFUN_DEFINE_FUNCTION (print, gint, (gint, n_lines))
{
  for (gint i = 0; i < n_lines; i++)
    {
      printf ("out %d\n", i);
      fprintf (stderr, "err %d\n", i);
    }
  return n_lines;
}

PROCFUN_DEFINE_GENERATOR (numbers, gint, (gint, n))
{
  for (gint i = 0; i < n && numbers_yield (i); i++)
    ;
}

PROCFUN_DEFINE_FUNCTION (crash, void) { *(volatile int *)NULL = 1; }

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (refuse, gint, (gint, code))
{
  g_set_error (error, G_FILE_ERROR, code, "refused");
  return 0;
}

static const char *step = "";

static void
stop (const char *what, const char *more)
{
  fprintf (stderr, "%s: %s%s%s\n", step, what, more != NULL ? ": " : "", more != NULL ? more : "");
  fflush (stderr);
  _Exit (3);
}

static void
set_active (int is_active)
{
  void (*func) (int) = (void (*) (int))dlsym (RTLD_DEFAULT, "inject_set_active");

  if (func != NULL)
    func (is_active);
}

/* After a failure, processes that were forked ahead may be bad, and new ones are put off for a
 * moment. */
#define TRIES 40
#define TRY_STEP_US 50000

/* A step that takes longer hangs, and is ended by SIGALRM. */
#define STEP_MAX_S 10

static void
begin_step (const char *name)
{
  step = name;
  alarm (STEP_MAX_S);
}

/* @may_fail: an error of the library will do. */
static void
check (gboolean is_right, GError *error, gboolean may_fail)
{
  if (error == NULL && is_right)
    return;
  if (error == NULL)
    stop ("wrong result and no error", NULL);
  if (!may_fail)
    stop ("failed when nothing failed any more", error->message);
  if (error->domain != PROCFUN_ERROR || error->message[0] == '\0')
    stop (g_quark_to_string (error->domain), error->message);
  g_error_free (error);
}

static void
check_own_error (GError *error, GQuark domain, int code, gboolean may_fail)
{
  if (error != NULL && g_error_matches (error, domain, code))
    g_error_free (error);
  else
    check (FALSE, error, may_fail);
}

static void
on_end (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
run_async (ProcfunExecutor *executor, gboolean may_fail)
{
  g_autoptr (ProcfunCall) call = sum_call (4, 5);
  g_autoptr (GAsyncResult) result = NULL;
  GError *error = NULL;
  int number;

  begin_step ("async call");
  procfun_call_set_executor (call, executor);
  sum_run_async (call, NULL, on_end, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  number = sum_run_finish (call, result, &error);
  check (number == 9, error, may_fail);
}

static void
run_bytes (ProcfunExecutor *executor, gsize length, gboolean may_fail)
{
  g_autofree guint8 *data = g_malloc (length);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GBytes) same = NULL;
  GError *error = NULL;

  begin_step (length == LARGE ? "large call" : "huge call");
  memset (data, 'x', length);
  bytes = g_bytes_new_take (g_steal_pointer (&data), length);
  same = pass_process_with (bytes, executor, NULL, &error);
  check (same != NULL && g_bytes_equal (bytes, same), error, may_fail);
}

static void
run_small (ProcfunExecutor *executor, gboolean may_fail)
{
  GError *error = NULL;
  int number;

  begin_step ("call");
  number = sum_process_with (2, 3, executor, NULL, &error);
  check (number == 5, error, may_fail);
}

static void
run_again (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;

  begin_step ("call when nothing fails any more");
  for (guint i = 0; i < TRIES; i++)
    {
      g_clear_error (&error);
      if (sum_process_with (2, 3, executor, NULL, &error) == 5 && error == NULL)
        return;
      g_usleep (TRY_STEP_US);
    }
  stop ("fails", error != NULL ? error->message : NULL);
}

static void
run_refusal (ProcfunExecutor *executor, gboolean may_fail)
{
  GError *error = NULL;

  begin_step ("call that fails");
  refuse_process_with (7, executor, NULL, &error);
  check_own_error (error, G_FILE_ERROR, 7, may_fail);
}

static void
run_crash (ProcfunExecutor *executor, gboolean may_fail)
{
  GError *error = NULL;

  begin_step ("call that crashes");
  crash_process_with (executor, NULL, &error);
  check_own_error (error, PROCFUN_ERROR, PROCFUN_ERROR_CRASHED, may_fail);
}

static void
run_basic (ProcfunExecutor *executor)
{
  run_small (executor, TRUE);
  run_async (executor, TRUE);
  run_bytes (executor, LARGE, TRUE);
  run_refusal (executor, TRUE);
}

static void
run_crashing (ProcfunExecutor *executor)
{
  run_crash (executor, TRUE);
}

static void
run_huge (ProcfunExecutor *executor)
{
  for (guint i = 0; i < 2; i++)
    run_bytes (executor, HUGE_SIZE, TRUE);
}

/* A part that fails fails the whole. */
static void
run_map (ProcfunExecutor *executor)
{
  g_autoptr (ProcfunMap) map = procfun_map_new_on (executor, sum_function ());
  g_autoptr (GVariant) results = NULL;
  GVariantBuilder builder;
  gboolean is_right = FALSE;
  GError *error = NULL;

  begin_step ("map");
  g_variant_builder_init (&builder, G_VARIANT_TYPE ("a(ii)"));
  for (gint i = 0; i < N_ITEMS; i++)
    g_variant_builder_add (&builder, "(ii)", i, 1);
  procfun_map_set_array (map, g_variant_builder_end (&builder));
  procfun_map_set_chunk_size (map, 3);
  results = procfun_map_run (map, NULL, &error);
  if (results != NULL)
    {
      gsize n;
      const gint32 *numbers = g_variant_get_fixed_array (results, &n, sizeof *numbers);

      is_right = n == N_ITEMS;
      for (gsize i = 0; i < n; i++)
        is_right = is_right && numbers[i] == (gint32)i + 1;
    }
  check (is_right, error, TRUE);
}

/* Items come from the first on, and then an error or the end. */
static void
run_generator (ProcfunExecutor *executor)
{
  g_autoptr (ProcfunCall) call = numbers_call (N_ITEMS);
  GError *error = NULL;
  GVariant *item;
  gint n = 0;

  begin_step ("generator");
  procfun_call_set_executor (call, executor);
  for (; (item = procfun_call_next (call, NULL, &error)) != NULL; n++)
    {
      if (g_variant_get_int32 (item) != n)
        stop ("wrong item", NULL);
      g_variant_unref (item);
    }
  check (n == N_ITEMS, error, TRUE);
}

static void
on_output (ProcfunCall *call, ProcfunStream stream, const char *line, guint *n)
{
  ++*n;
}

static void
run_output (ProcfunExecutor *executor)
{
  g_autoptr (ProcfunCall) call = print_call (N_ITEMS);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();
  g_autoptr (GVariant) result = NULL;
  GError *error = NULL;
  guint n = 0;

  begin_step ("output");
  procfun_limits_set_output_size (limits, 65536);
  procfun_limits_set_open_files (limits, 64);
  procfun_call_set_limits (call, limits);
  procfun_call_set_executor (call, executor);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDOUT, PROCFUN_OUTPUT_CAPTURE);
  procfun_call_set_output_mode (call, PROCFUN_STREAM_STDERR, PROCFUN_OUTPUT_CAPTURE);
  g_signal_connect (call, "output", G_CALLBACK (on_output), &n);
  result = procfun_call_run (call, NULL, &error);
  check (result != NULL && g_variant_get_int32 (result) == N_ITEMS, error, TRUE);
}

static void
run_session (ProcfunExecutor *executor)
{
  GError *error = NULL;
  ProcfunSession *session;

  begin_step ("session");
  session = procfun_pool_acquire (PROCFUN_POOL (executor), sum_function (), NULL, &error);
  check (session != NULL, error, TRUE);
  if (session == NULL)
    return;
  run_small (PROCFUN_EXECUTOR (session), TRUE);
  run_async (PROCFUN_EXECUTOR (session), TRUE);
  g_object_unref (session);
}

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
  return PROCFUN_EXECUTOR (procfun_pool_new (2));
}

static ProcfunExecutor *
make_sandbox (void)
{
  g_autoptr (ProcfunSandboxRules) rules = procfun_sandbox_rules_new ();
  ProcfunExecutor *self = make_pool ();

  procfun_sandbox_rules_set_best_effort (rules, TRUE);
  procfun_process_executor_set_sandbox (PROCFUN_PROCESS_EXECUTOR (self),
                                        PROCFUN_SANDBOX_PURE_COMPUTE);
  procfun_process_executor_set_sandbox_rules (PROCFUN_PROCESS_EXECUTOR (self), rules);
  return self;
}

/* Its host is this program, at the other end of two pipes. */
static ProcfunExecutor *
make_remote (void)
{
  return PROCFUN_EXECUTOR (procfun_remote_pool_new ("local*2", NULL));
}

static const struct
{
  const char *name;
  ProcfunExecutor *(*make) (void);
  void (*run) (ProcfunExecutor *executor);
} kinds[] = {
  { "spawner", make_spawner, run_basic }, { "fork-server", make_fork_server, run_basic },
  { "pool", make_pool, run_basic },       { "crash", make_fork_server, run_crashing },
  { "map", make_pool, run_map },          { "generator", make_pool, run_generator },
  { "output", make_spawner, run_output }, { "huge", make_pool, run_huge },
  { "sandbox", make_sandbox, run_basic }, { "session", make_pool, run_session },
  { "remote", make_remote, run_basic },
};

static void
close_executor (ProcfunExecutor *executor)
{
  GError *error = NULL;

  begin_step ("close");
  check (procfun_executor_close (executor, NULL, &error), error, TRUE);
}

/* Leftovers */

static guint
count_entries (const char *path)
{
  DIR *dir = opendir (path);
  guint n = 0;

  while (dir != NULL && readdir (dir) != NULL)
    n++;
  if (dir != NULL)
    closedir (dir);
  return n;
}

static gboolean
has_children (void)
{
  g_autofree char *text = NULL;
  g_autofree char *path = g_strdup_printf ("/proc/self/task/%d/children", (int)getpid ());

  return g_file_get_contents (path, &text, NULL, NULL) && text[0] != '\0';
}

static void
check_leftovers (guint n_fds, guint n_threads)
{
  const gint64 end = g_get_monotonic_time () + PATIENCE_US;

  begin_step ("leftovers");
  while (has_children () || count_entries ("/proc/self/fd") > n_fds
         || count_entries ("/proc/self/task") > n_threads)
    {
      if (g_get_monotonic_time () > end)
        stop (has_children ()                           ? "a process"
              : count_entries ("/proc/self/fd") > n_fds ? "a descriptor"
                                                        : "a thread",
              NULL);
      g_usleep (2000);
    }
}

int
main (int argc, char **argv)
{
  ProcfunExecutor *executor = make_spawner ();
  guint n_fds, n_threads;
  gsize i = 0;

  while (argc > 1 && i + 1 < G_N_ELEMENTS (kinds) && !g_str_equal (argv[1], kinds[i].name))
    i++;
  run_async (executor, FALSE);
  close_executor (executor);
  g_object_unref (executor);
  n_fds = count_entries ("/proc/self/fd");
  n_threads = count_entries ("/proc/self/task");

  executor = kinds[i].make ();
  set_active (1);
  kinds[i].run (executor);
  set_active (0);
  run_again (executor);
  set_active (1);
  close_executor (executor);
  g_object_unref (executor);
  set_active (0);
  check_leftovers (n_fds, n_threads);
  return 0;
}
