/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Descriptors in arguments and results: any number of them, within structs, and on the paths of
 * failure, where the fixture and each process look for those that are left. */

#include "tests/calls.h"
#include "tests/fixture.h"
#include "tests/pools.h"

#include <fcntl.h>
#include <gio/gunixfdlist.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define MOST 253
#define TIMEOUT_US (50 * G_TIME_SPAN_MILLISECOND)

PROCFUN_DEFINE_STRUCT (Pair, (ProcfunFd, one), (GUnixFDList *, more), (gint, number))
PROCFUN_DEFINE_STRUCT (Nested, (PairArray, pairs), (Pair, pair), (ProcfunFd, last))

/* /dev/zero, @n times. */
static GUnixFDList *
open_many (guint n)
{
  GUnixFDList *list = g_unix_fd_list_new ();
  const int fd = open ("/dev/zero", O_RDONLY | O_CLOEXEC);

  for (guint i = 0; i < n; i++)
    if (g_unix_fd_list_append (list, fd, NULL) < 0)
      abort ();
  close (fd);
  return list;
}

/* Number of those that are /dev/zero, and close-on-exec. */
static guint
count_good (GUnixFDList *list)
{
  int n = 0;
  const int *fds = g_unix_fd_list_peek_fds (list, &n);
  guint n_good = 0;
  char byte = 1;

  for (int i = 0; i < n; i++)
    n_good += read (fds[i], &byte, 1) == 1 && byte == 0 && fcntl (fds[i], F_GETFD) == FD_CLOEXEC;
  return n_good;
}

/* Functions */

PROCFUN_DEFINE_STATIC_FUNCTION (count_open, guint) { return fixture_count_descriptors (); }

PROCFUN_DEFINE_STATIC_FUNCTION (take, guint, (GUnixFDList *, list)) { return count_good (list); }

PROCFUN_DEFINE_STATIC_FUNCTION (give, GUnixFDList *, (guint, n)) { return open_many (n); }

PROCFUN_DEFINE_STATIC_FUNCTION (pass, Nested, (Nested, nested))
{
  Nested result = { { g_new0 (Pair, nested.pairs.length), nested.pairs.length },
                    { dup (nested.last), g_object_ref (nested.pair.more), 5 },
                    dup (nested.pair.one) };

  for (gsize i = 0; i < result.pairs.length; i++)
    result.pairs.data[i] = (Pair){ dup (nested.pairs.data[i].one),
                                   g_object_ref (nested.pairs.data[i].more), (gint)i };
  return result;
}

typedef enum
{
  END_ERROR,
  END_CRASH,
  END_STAY,
  N_ENDS
} End;

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (fail, GUnixFDList *, (GUnixFDList *, list), (gint, end))
{
  if (end == END_CRASH)
    abort ();
  while (end == END_STAY)
    pause ();
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "on purpose");
  return NULL;
}

/* Executors */

/* A number that a worker has before and after. */
static guint
count_of_worker (ProcfunExecutor *executor)
{
  g_autoptr (GError) error = NULL;
  const guint n = count_open_process_with (executor, NULL, &error);

  g_assert_no_error (error);
  return n;
}

static GUnixFDList *
run_give (ProcfunExecutor *executor, guint n, gboolean async, GError **error)
{
  g_autoptr (ProcfunCall) call = give_call (n);
  g_autoptr (GAsyncResult) result = NULL;

  procfun_call_set_executor (call, executor);
  if (!async)
    return give_run (call, NULL, error);
  result = calls_await (call, NULL);
  return give_run_finish (call, result, error);
}

/* Numbers */

static void
test_numbers (void)
{
  static const guint numbers[] = { 0, 1, 2, MOST };
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const guint before = count_of_worker (executor);

  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
      {
        g_autoptr (GUnixFDList) list = open_many (numbers[i]);
        g_autofree char *expected = g_strdup_printf ("uint32 %u", numbers[i]);
        g_autoptr (GUnixFDList) back = NULL;
        g_autoptr (GError) error = NULL;

        calls_assert_result (executor, take_call (list), async, expected);
        back = run_give (executor, numbers[i], async, &error);
        g_assert_no_error (error);
        g_assert_cmpuint (count_good (back), ==, numbers[i]);
        g_assert_cmpint (g_unix_fd_list_get_length (back), ==, numbers[i]);
      }
  g_assert_cmpuint (count_of_worker (executor), ==, before);
}

static void
test_too_many (void)
{
  static const guint numbers[] = { MOST + 1, 1000 };
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const guint before = count_of_worker (executor);

  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
      {
        g_autoptr (GUnixFDList) list = open_many (numbers[i]);
        g_autofree char *pattern = g_strdup_printf ("*()*%u*253 is the limit*", numbers[i]);
        g_autoptr (GError) error = NULL;

        calls_assert_error (executor, take_call (list), async, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                            pattern);
        g_assert_null (run_give (executor, numbers[i], async, &error));
        calls_check_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT, pattern);
      }
  g_assert_cmpuint (count_of_worker (executor), ==, before);
}

/* Results that nobody takes. */
static void
test_not_taken (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      ProcfunCall *call = give_call (100);
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) result = NULL;

      procfun_call_set_executor (call, executor);
      result = calls_run (call, async, NULL, &error);
      g_assert_no_error (error);
    }
}

/* Structs */

static void
test_structs (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const guint before = count_of_worker (executor);
  g_autoptr (GUnixFDList) zero = open_many (1);
  const int fd = g_unix_fd_list_peek_fds (zero, NULL)[0];
  g_auto (Nested) nested = { { g_new0 (Pair, 3), 3 }, { dup (fd), open_many (10), 1 }, dup (fd) };

  for (gsize i = 0; i < 3; i++)
    nested.pairs.data[i] = (Pair){ dup (fd), open_many ((guint)i * 20), 1 };
  for (guint again = 0; again < 3; again++)
    {
      g_autoptr (GError) error = NULL;
      g_auto (Nested) back = pass_process_with (nested, executor, NULL, &error);

      g_assert_no_error (error);
      g_assert_cmpuint (back.pairs.length, ==, 3);
      for (gsize i = 0; i < 3; i++)
        g_assert_cmpuint (count_good (back.pairs.data[i].more), ==, i * 20);
      g_assert_cmpuint (count_good (back.pair.more), ==, 10);
      g_assert_cmpint (fcntl (back.pair.one, F_GETFD), ==, FD_CLOEXEC);
      g_assert_cmpint (fcntl (back.last, F_GETFD), ==, FD_CLOEXEC);
    }
  g_assert_cmpuint (count_of_worker (executor), ==, before);
}

/* Handles that are no indices of the list, and descriptors that have no handle. */
static void
test_wrong_counts (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const guint before = count_of_worker (executor);
  static const struct
  {
    const char *args;
    guint n_fds;
    gboolean is_good;
  } cases[] = { { "([handle 0, 1, 2],)", 2, FALSE }, { "([handle 0],)", 0, FALSE },
                { "([handle -1],)", 2, FALSE },      { "([handle 0, 2147483647],)", 2, FALSE },
                { "([handle 0],)", 50, TRUE },       { "(@ah [],)", 50, TRUE } };

  for (guint async = 0; async < 2; async++)
    for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
      {
        g_autoptr (GUnixFDList) list = open_many (cases[i].n_fds);
        ProcfunCall *call
            = procfun_call_new (take_function (), g_variant_new_parsed (cases[i].args));
        g_autoptr (GVariant) result = NULL;
        g_autoptr (GError) error = NULL;

        procfun_call_set_executor (call, executor);
        if (cases[i].n_fds > 0)
          procfun_call_set_fd_list (call, list);
        result = calls_run (call, async, NULL, &error);
        if (cases[i].is_good)
          g_assert_no_error (error);
        else
          g_assert_true (error != NULL && error->domain == PROCFUN_ERROR);
        g_assert_true (cases[i].is_good == (result != NULL));
      }
  g_assert_cmpuint (count_of_worker (executor), ==, before);
}

/* Failures */

static void
test_failures (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    for (End end = 0; end < N_ENDS; end++)
      {
        g_autoptr (GUnixFDList) list = open_many (100);
        ProcfunCall *call = fail_call (list, end);
        g_autoptr (GVariant) result = NULL;
        g_autoptr (GError) error = NULL;

        procfun_call_set_executor (call, executor);
        if (end == END_STAY)
          procfun_call_set_timeout (call, TIMEOUT_US);
        result = calls_run (call, async, NULL, &error);
        g_assert_null (result);
        g_assert_nonnull (error);
      }
}

/* Lack of descriptors */

static void
set_room (guint more, struct rlimit *before)
{
  struct rlimit few;
  /* The next free number, which all new ones begin with. */
  const int next = dup (STDERR_FILENO);

  close (next);
  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, before));
  few = *before;
  few.rlim_cur = (rlim_t)next + more;
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &few));
}

/* The rest of what was sent is lost to the caller. */
static void
test_full_caller (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();
  const guint before = count_of_worker (executor);

  for (guint async = 0; async < 2; async++)
    {
      struct rlimit limit;
      g_autoptr (GUnixFDList) list = NULL;
      g_autoptr (GUnixFDList) again = NULL;
      g_autoptr (GError) error = NULL;

      count_of_worker (executor);
      set_room (30, &limit);
      list = run_give (executor, 100, async, &error);
      g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
      g_assert_null (list);
      g_assert_nonnull (error);
      g_clear_error (&error);
      again = run_give (executor, 100, async, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (count_good (again), ==, 100);
    }
  g_assert_cmpuint (count_of_worker (executor), ==, before);
}

/* The caller cannot have as many as it is to send. */
static void
test_full_sender (void)
{
  g_autoptr (ProcfunExecutor) executor = calls_new_executor ();

  for (guint async = 0; async < 2; async++)
    {
      g_autoptr (GUnixFDList) list = open_many (100);
      struct rlimit limit;
      ProcfunCall *call;

      set_room (30, &limit);
      call = take_call (list);
      g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
      calls_assert_error (executor, call, async, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE,
                          "*take()*/list*can't pass file descriptor*");
      calls_assert_result (executor, take_call (list), async, "uint32 100");
    }
}

static void
test_full_callee (void)
{
  g_autoptr (ProcfunPool) pool = procfun_pool_new (1);
  ProcfunExecutor *executor = PROCFUN_EXECUTOR (pool);
  g_autoptr (ProcfunLimits) limits = procfun_limits_new ();

  procfun_limits_set_open_files (limits, 30);
  procfun_pool_set_worker_limits (pool, limits);
  for (guint async = 0; async < 2; async++)
    {
      const guint before = count_of_worker (executor);
      g_autoptr (GUnixFDList) list = open_many (100);
      g_autoptr (GUnixFDList) few = open_many (10);
      ProcfunCall *call = take_call (list);
      g_autoptr (GVariant) result = NULL;
      g_autoptr (GError) error = NULL;

      procfun_call_set_executor (call, executor);
      result = calls_run (call, async, NULL, &error);
      g_assert_null (result);
      g_assert_nonnull (error);
      calls_assert_result (executor, take_call (few), async, "uint32 10");
      g_assert_cmpuint (count_of_worker (executor), ==, before);
      g_clear_error (&error);
      g_assert_null (run_give (executor, 100, async, &error));
      g_assert_nonnull (error);
    }
}

/* More than a thousand, and as many again, while a call has them. */
static void
allow_all (void)
{
  struct rlimit limit;

  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &limit));
  limit.rlim_cur = MIN (limit.rlim_max, 4096);
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &limit));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  allow_all ();
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/up-to-253-are-passed", test_numbers);
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/more-are-refused-and-none-is-left",
                      test_too_many);
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/are-closed-when-nobody-takes-them",
                      test_not_taken);
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/pass-within-structs-and-arrays",
                      test_structs);
  calls_add_func_for (CALLS_ON_PROCESSES,
                      "/descriptors/in-wrong-numbers-are-an-error-and-none-is-left",
                      test_wrong_counts);
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/are-closed-when-the-call-fails",
                      test_failures);
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/that-a-caller-has-no-room-for-are-an-error",
                      test_full_caller);
  calls_add_func_for (CALLS_ON_PROCESSES, "/descriptors/that-cannot-be-duplicated-are-an-error",
                      test_full_sender);
  fixture_add_func ("/descriptors/that-a-worker-has-no-room-for-are-an-error", test_full_callee);
  return fixture_run ();
}
