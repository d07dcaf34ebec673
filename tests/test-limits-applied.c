/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/platform/limits-apply.h"
#include "tests/fixture.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* See limited.c. */
#define DONE 0
#define REFUSED 1
#define NOT_APPLIED 2

#define MIB (1024 * 1024)

static char *limited;

static GSubprocess *
start (const char *as, const char *limits, const char *death, gint64 number)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GSubprocessLauncher) launcher = g_subprocess_launcher_new (
      G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_SILENCE);
  g_autofree char *text = g_strdup_printf ("%" G_GINT64_FORMAT, number);
  GSubprocess *process;

  if (as != NULL)
    g_subprocess_launcher_setenv (launcher, "LIMITED_AS", as, TRUE);
  process = g_subprocess_launcher_spawn (launcher, &error, limited, limits, death, text, NULL);
  g_assert_no_error (error);
  return process;
}

/* The exit code, or minus the signal. */
static int
finish (GSubprocess *process, char **text)
{
  g_autoptr (GError) error = NULL;
  char output[256] = "";

  g_input_stream_read_all (g_subprocess_get_stdout_pipe (process), output, sizeof output - 1, NULL,
                           NULL, &error);
  g_assert_no_error (error);
  g_subprocess_wait (process, NULL, &error);
  g_assert_no_error (error);
  if (text != NULL)
    *text = g_strdup (g_strchomp (output));
  return g_subprocess_get_if_exited (process) ? g_subprocess_get_exit_status (process)
                                              : -g_subprocess_get_term_sig (process);
}

static int
run_as (const char *as, const char *limits, const char *death, gint64 number, char **text)
{
  g_autoptr (GSubprocess) process = start (as, limits, death, number);

  return finish (process, text);
}

static int
run (const char *limits, const char *death, gint64 number)
{
  return run_as (NULL, limits, death, number, NULL);
}

static void
assert_says (const char *limits, const char *death, gint64 number, const char *expected)
{
  g_autofree char *text = NULL;

  g_assert_cmpint (run_as (NULL, limits, death, number, &text), ==, DONE);
  g_assert_cmpstr (text, ==, expected);
}

/* They map much more memory than they give, look for leaks in a process of their own, and end the
 * process in their own way. */
static gboolean
skip_with_sanitizers (void)
{
  if (!fixture_has_sanitizers ())
    return FALSE;
  g_test_skip ("sanitizers need memory and processes of their own");
  return TRUE;
}

/* Memory */

static void
test_memory (void)
{
  static const struct
  {
    const char *death;
    gint64 size;
    int status;
  } cases[] = {
    { "take-at-once", 60 * MIB, DONE },
    { "take-at-once", 68 * MIB, REFUSED },
    { "take-piecemeal", 60 * MIB, DONE },
    { "take-piecemeal", 68 * MIB, REFUSED },
    { "take-by-growing", 60 * MIB, DONE },
    { "take-by-growing", 68 * MIB, REFUSED },
    { "take-by-mapping", 64 * MIB - 65536, DONE },
    { "take-by-mapping", 64 * MIB + 65536, REFUSED },
    { "take-by-g_malloc", 60 * MIB, DONE },
    { "take-by-g_malloc", 68 * MIB, -SIGTRAP },
    { "take-and-write", 60 * MIB, DONE },
    { "take-and-write", 68 * MIB, -SIGSEGV },
  };

  if (skip_with_sanitizers ())
    return;
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      int status = run ("memory=64M", cases[i].death, cases[i].size);

      g_test_message ("%s: %d", cases[i].death, status);
      g_assert_cmpint (status, ==, cases[i].status);
    }
}

static void
test_memory_extremes (void)
{
  if (skip_with_sanitizers ())
    return;
  g_assert_cmpint (run ("memory=1", "take-by-mapping", 1), ==, REFUSED);
  g_assert_cmpint (run ("memory=1M", "take-at-once", 512 * 1024), ==, DONE);
  g_assert_cmpint (run ("memory=18446744073709551615", "take-at-once", 64 * MIB), ==, DONE);
  g_assert_cmpint (run ("memory=1024G", "take-at-once", 64 * MIB), ==, DONE);
}

static void
test_memory_growing_down (void)
{
  if (skip_with_sanitizers ())
    return;
  g_assert_cmpint (run ("memory=2M", "take-by-growing-down", 1 * MIB), ==, DONE);
  g_assert_cmpint (run ("memory=2M", "take-by-growing-down", 4 * MIB), ==, -SIGSEGV);
  g_assert_cmpint (run ("memory=64M", "take-by-growing-down", 4 * MIB), ==, DONE);
}

/* It has a limit of 8 MiB in most programs, and in others none. */
static void
test_memory_of_stack (void)
{
  if (skip_with_sanitizers ())
    return;
  g_assert_cmpint (run ("memory=2M", "take-by-recursing", 1 * MIB), ==, DONE);
  g_assert_cmpint (run ("memory=2M", "take-by-recursing", 4 * MIB), ==, -SIGSEGV);
  g_assert_cmpint (run ("memory=64M", "take-by-recursing", 4 * MIB), ==, DONE);
}

/* Findings of a crash handler, and its means to report them. */
static void
test_memory_exhausted (void)
{
  if (skip_with_sanitizers ())
    return;
  assert_says ("memory=64M", "exhaust", 1000, "memory out, reserve there");
  assert_says ("memory=64M", "exhaust", 100000, "memory out, reserve there");
  assert_says ("memory=64M", "exhaust", 30 * MIB, "memory left, reserve there");
  assert_says ("memory=1M", "exhaust", 1000, "memory out, reserve there");
}

/* CPU time */

static gint64
watch (GSubprocess *process, gint64 budget, guint *n_looks)
{
  pid_t pid = atoi (g_subprocess_get_identifier (process));
  guint n_cpus = limits_count_cpus (pid);
  gint64 used;

  for (*n_looks = 1; (used = limits_read_cpu_time (pid)) < budget; ++*n_looks)
    {
      g_assert_cmpint (used, >=, 0);
      g_usleep ((gulong)limits_get_cpu_wait (budget - used, n_cpus));
    }
  g_subprocess_force_exit (process);
  return used;
}

/* How late the last look is depends on how busy the machine is, and so does how many there are: one
 * that was in time is enough. */
static void
test_cpu_watched (gconstpointer death)
{
  gint64 least = G_MAXINT64;

  for (guint i = 0; i < 5 || least >= 150000; i++)
    {
      g_autoptr (GSubprocess) process = start (NULL, "", death, 60000);
      guint n_looks;
      gint64 used = watch (process, 100000, &n_looks);

      g_assert_cmpint (finish (process, NULL), ==, -SIGKILL);
      g_test_message ("ended after %d us, in %u looks", (int)used, n_looks);
      least = MIN (least, used);
    }
  g_assert_cmpint (least, >=, 100000);
}

static void
test_cpu_not_used (void)
{
  g_assert_cmpint (run ("cpu=10s", "spin", 200), ==, DONE);
}

/* When nobody watches, two or three seconds later; both at once, for they take long. */
static void
test_cpu_backstop (void)
{
  g_autoptr (GSubprocess) one = start (NULL, "cpu=10ms", "spin", 60000);
  g_autoptr (GSubprocess) other = start (NULL, "cpu=10ms", "spin-on-deaf-ears", 60000);

  g_assert_cmpint (finish (one, NULL), ==, -SIGXCPU);
  g_assert_cmpint (finish (other, NULL), ==, -SIGKILL);
}

static void
test_cpu_wait (void)
{
  g_assert_cmpint (limits_get_cpu_wait (1000000, 1), ==, 1000000);
  g_assert_cmpint (limits_get_cpu_wait (1000000, 4), ==, 250000);
  g_assert_cmpint (limits_get_cpu_wait (1500, 4), ==, 1000);
  g_assert_cmpint (limits_get_cpu_wait (0, 4), ==, 1000);
  g_assert_cmpint (limits_get_cpu_wait (-5, 0), ==, 1000);
  g_assert_cmpuint (limits_count_cpus (getpid ()), ==, g_get_num_processors ());
}

/* proc(5), pid_max: 2^22 at most. */
static void
test_cpu_of_nobody (void)
{
  g_assert_cmpint (limits_read_cpu_time ((1 << 22) + 1), ==, -1);
}

/* Files */

static void
test_files (void)
{
  assert_says ("files=1", "open-files", 1000, "1 files, then none, reserve there");
  assert_says ("files=10", "open-files", 1000, "10 files, then none, reserve there");
  assert_says ("files=100", "open-files", 100, "100 files, then none, reserve there");
  assert_says ("files=100", "open-files", 99, "99 files, then more, reserve there");
  assert_says ("", "open-files", 100, "100 files, then more, reserve there");
}

static void
test_files_replaced (void)
{
  g_assert_cmpint (run ("files=10", "replace-files", 0), ==, DONE);
}

static void
test_file_size (void)
{
  g_assert_cmpint (run ("file-size=10K", "write-file", 10240), ==, DONE);
  g_assert_cmpint (run ("file-size=10K", "write-file", 10241), ==, -SIGXFSZ);
  g_assert_cmpint (run ("file-size=10M", "write-file", 10 * MIB), ==, DONE);
}

/* Processes */

/* A user that is not root and has no processes: not nobody, who may run other tests at the same
 * time. Also where there are only 65536 users. */
static char *
name_somebody (void)
{
  return g_strdup_printf ("%d", 20000 + (int)getpid () % 40000);
}

static void
test_processes (void)
{
  static const struct
  {
    const char *limits;
    gint64 at_most;
    const char *text;
  } cases[] = { { "processes=1", 100, "0 more, then EAGAIN" },
                { "processes=4", 100, "3 more, then EAGAIN" },
                { "processes=4", 3, "3 more" } };
  g_autofree char *somebody = NULL;

  if (skip_with_sanitizers ())
    return;
  if (getuid () != 0)
    {
      g_test_skip ("only root can become a user of whom there are no other processes");
      return;
    }
  somebody = name_somebody ();
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = NULL;

      g_assert_cmpint (
          run_as (somebody, cases[i].limits, "start-processes", cases[i].at_most, &text), ==, DONE);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

static void
test_processes_of_root (void)
{
  g_autofree char *text = NULL;

  if (getuid () != 0)
    {
      g_test_skip ("this is about root");
      return;
    }
  g_assert_cmpint (run_as (NULL, "processes=4", "start-processes", 3, &text), ==, NOT_APPLIED);
  g_assert_true (g_str_has_prefix (text, "the limit on processes cannot be kept here: "));
}

/* All of them */

static char *
show (const char *prefix, const char *limits)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *command = g_strdup_printf ("%s exec \"$0\" \"%s\" show-limits", prefix, limits);
  g_autoptr (GSubprocess) process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "sh",
                                                      "-c", command, limited, NULL);
  char *text;

  g_assert_no_error (error);
  g_assert_cmpint (finish (process, &text), ==, DONE);
  return text;
}

static void
test_others_stay (void)
{
  g_autofree char *without = show ("", "");
  g_autofree char *with = show ("", "cpu=1s file-size=1M result=1M output=1M");

  g_assert_cmpstr (with, ==, without);
}

static void
test_stricter_ones_stay (void)
{
  g_autofree char *hard = show ("ulimit -n 12;", "files=100");
  g_autofree char *soft = show ("ulimit -n 300; ulimit -S -n 12;", "files=200");
  g_autofree char *ours = show ("ulimit -S -n 100;", "files=20");

  g_assert_true (g_str_has_suffix (hard, "files 12 12"));
  g_assert_true (g_str_has_suffix (soft, "files 12 205"));
  g_assert_true (g_str_has_suffix (ours, "files 25 25"));
}

static void
test_together (void)
{
  static const char *const all = "memory=64M cpu=1s files=10 file-size=10K result=1K output=1K";

  g_assert_cmpint (run (all, "check-errno", 0), ==, DONE);
  g_assert_cmpint (run (all, "open-files", 10), ==, DONE);
  g_assert_cmpint (run (all, "write-file", 10240), ==, DONE);
  g_assert_cmpint (run (all, "write-file", 20480), ==, -SIGXFSZ);
}

int
main (int argc, char *argv[])
{
  int status;

  fixture_init (&argc, &argv);
  limited = g_test_build_filename (G_TEST_BUILT, "limited", NULL);

  fixture_add_func ("/limits/memory-beyond-limit-is-refused", test_memory);
  fixture_add_func ("/limits/memory-may-be-any-number", test_memory_extremes);
  fixture_add_func ("/limits/memory-includes-main-stack", test_memory_of_stack);
  fixture_add_func ("/limits/memory-includes-mappings-that-grow-down", test_memory_growing_down);
  fixture_add_func ("/limits/lack-of-memory-can-be-reported", test_memory_exhausted);
  fixture_add_data_func ("/limits/cpu-time-ends-one-thread", "spin", test_cpu_watched);
  fixture_add_data_func ("/limits/cpu-time-ends-two-threads", "spin-together", test_cpu_watched);
  fixture_add_func ("/limits/cpu-time-below-limit-ends-nothing", test_cpu_not_used);
  fixture_add_func ("/limits/cpu-time-is-kept-without-caller", test_cpu_backstop);
  fixture_add_func ("/limits/cpu-time-is-looked-at-in-time", test_cpu_wait);
  fixture_add_func ("/limits/cpu-time-of-no-process-is-unknown", test_cpu_of_nobody);
  fixture_add_func ("/limits/files-count-from-those-that-are-open", test_files);
  fixture_add_func ("/limits/files-may-replace-those-of-the-reserve", test_files_replaced);
  fixture_add_func ("/limits/file-cannot-exceed-its-size", test_file_size);
  fixture_add_func ("/limits/processes-beyond-limit-are-refused", test_processes);
  fixture_add_func ("/limits/processes-of-root-cannot-be-limited", test_processes_of_root);
  fixture_add_func ("/limits/other-limits-stay", test_others_stay);
  fixture_add_func ("/limits/stricter-limits-stay", test_stricter_ones_stay);
  fixture_add_func ("/limits/all-limits-work-together", test_together);

  status = fixture_run ();
  g_free (limited);
  return status;
}
