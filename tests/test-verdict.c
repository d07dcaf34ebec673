/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/limits.h"
#include "procfun/process/verdict.h"
#include "procfun/procfun-error.h"
#include "tests/fixture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#define EXIT(code) .has_status = TRUE, .wait_status = W_EXITCODE (code, 0)
#define DIED(signal) .has_status = TRUE, .wait_status = W_EXITCODE (0, signal)

/* With a crash record, as with one signal and another one that the process then dies of. */
#define CRASH(signal, code) DIED (signal), .signum = (signal), .signal_code = (code)

#define CRASHED PROCFUN_ERROR_CRASHED
#define EXITED PROCFUN_ERROR_EXITED
#define KILLED PROCFUN_ERROR_KILLED
#define MEMORY PROCFUN_ERROR_MEMORY_LIMIT
#define CPU PROCFUN_ERROR_CPU_LIMIT
#define LIMIT PROCFUN_ERROR_LIMIT

/* Words of GLib, the C++ runtime and perror(). */
#define GLIB_WORDS                                                                                 \
  "(process:1): GLib-ERROR **: ../glib/gmem.c:136: failed to allocate 71303168 bytes\n"
#define NO_MEMORY_WORDS "** (process:1): ERROR **: 18:48:32.743: no memory\n"
#define CXX_WORDS                                                                                  \
  "terminate called after throwing an instance of 'std::bad_alloc'\n  what():  std::bad_alloc\n"
#define FILES_WORDS "GLib-ERROR **: Creating pipes for GWakeup: Too many open files\n"
#define THREAD_WORDS                                                                               \
  "GLib-ERROR **: creating thread 'x': Error creating thread: Resource temporarily unavailable\n"

static const struct
{
  const char *limits; /* NULL: none */
  VerdictFacts facts;
  ProcfunError code;
  const char *limit;
  gboolean likely; /* but not proven */
} cases[] = {
  /* Plain ends */
  { NULL, { EXIT (0), .cpu_time = -1 }, EXITED },
  { NULL, { EXIT (3), .cpu_time = -1 }, EXITED },
  { NULL, { .cpu_time = -1 }, EXITED },
  { NULL, { DIED (SIGSEGV), .cpu_time = -1 }, CRASHED },
  { NULL, { CRASH (SIGSEGV, SEGV_MAPERR), .cpu_time = -1 }, CRASHED },
  { NULL, { CRASH (SIGABRT, SI_TKILL), .cpu_time = -1 }, CRASHED },
  { NULL, { CRASH (SIGFPE, FPE_INTDIV), .cpu_time = -1 }, CRASHED },
  { NULL, { CRASH (SIGSYS, 1), .cpu_time = -1 }, CRASHED },
  { NULL, { DIED (SIGTERM), .cpu_time = -1 }, CRASHED },
  { NULL, { DIED (SIGKILL), .cpu_time = -1 }, KILLED },

  /* The same with limits that have nothing to do with it */
  { "memory=64M cpu=1s files=9 file-size=1K processes=2", { EXIT (3), .cpu_time = 10 }, EXITED },
  { "memory=64M cpu=1s files=9 file-size=1K processes=2",
    { CRASH (SIGSEGV, SEGV_MAPERR), .cpu_time = 10 },
    CRASHED },
  { "memory=64M cpu=1s files=9 file-size=1K processes=2",
    { CRASH (SIGABRT, SI_TKILL), .cpu_time = 10, .last_words = "assertion failed\n" },
    CRASHED },
  { "memory=64M cpu=1s files=9 file-size=1K processes=2",
    { DIED (SIGKILL), .cpu_time = 10 },
    KILLED },

  /* CPU time, by the kernel */
  { "cpu=1s", { DIED (SIGXCPU), .cpu_time = -1 }, CPU, "cpu" },
  { "cpu=1s", { DIED (SIGXCPU), .cpu_time = 2000000 }, CPU, "cpu" },
  { "cpu=1s", { DIED (SIGXCPU), .cpu_time = 1000000 }, CPU, "cpu" },
  { "cpu=1s", { DIED (SIGXCPU), .cpu_time = 999999 }, CRASHED },
  { "cpu=1s", { DIED (SIGXCPU), .cpu_time = 5000 }, CRASHED },
  { "cpu=1s", { CRASH (SIGXCPU, SI_KERNEL), .cpu_time = -1 }, CPU, "cpu" },
  { "cpu=1s", { CRASH (SIGXCPU, SI_TKILL), .cpu_time = -1 }, CRASHED },
  { "cpu=1s", { CRASH (SIGXCPU, SI_USER), .cpu_time = -1 }, CRASHED },
  { NULL, { DIED (SIGXCPU), .cpu_time = -1 }, CRASHED },
  { "memory=1M", { DIED (SIGXCPU), .cpu_time = 5000000 }, CRASHED },
  { "cpu=1s", { DIED (SIGKILL), .cpu_time = 3000000 }, CPU, "cpu" },
  { "cpu=1s", { DIED (SIGKILL), .cpu_time = 999999 }, KILLED },
  { "cpu=1s", { DIED (SIGKILL), .cpu_time = -1 }, KILLED },

  /* File size */
  { "file-size=1K", { DIED (SIGXFSZ), .cpu_time = -1 }, LIMIT, "file-size" },
  { "file-size=1K", { CRASH (SIGXFSZ, SI_USER), .cpu_time = -1 }, LIMIT, "file-size" },
  { "file-size=1K", { CRASH (SIGXFSZ, SI_TKILL), .cpu_time = -1 }, CRASHED },
  { NULL, { DIED (SIGXFSZ), .cpu_time = -1 }, CRASHED },
  { "memory=1M", { CRASH (SIGXFSZ, SI_USER), .cpu_time = -1 }, CRASHED },

  /* Memory, by the kernel's verdict */
  { "memory=64M", { DIED (SIGKILL), .oom_killed = TRUE, .cpu_time = -1 }, MEMORY, "memory" },
  { "memory=64M cpu=1s",
    { DIED (SIGKILL), .oom_killed = TRUE, .cpu_time = 9999999 },
    MEMORY,
    "memory" },
  { "memory=64M", { EXIT (1), .oom_killed = TRUE, .cpu_time = -1 }, EXITED },
  { "memory=64M", { CRASH (SIGSEGV, 1), .oom_killed = TRUE, .cpu_time = -1 }, CRASHED },

  /* Memory, by what the process saw in the end */
  { "memory=64M", { CRASH (SIGSEGV, 1), .memory_exhausted = TRUE }, MEMORY, "memory" },
  { "memory=64M", { CRASH (SIGTRAP, SI_KERNEL), .memory_exhausted = TRUE }, MEMORY, "memory" },
  { "memory=64M", { CRASH (SIGABRT, SI_TKILL), .memory_exhausted = TRUE }, MEMORY, "memory" },
  { "memory=64M", { CRASH (SIGBUS, 1), .memory_exhausted = TRUE }, MEMORY, "memory" },
  { "memory=64M", { CRASH (SIGILL, 1), .memory_exhausted = TRUE }, MEMORY, "memory" },
  { NULL, { CRASH (SIGSEGV, 1), .memory_exhausted = TRUE }, CRASHED },
  { "cpu=1s", { CRASH (SIGSEGV, 1), .memory_exhausted = TRUE }, CRASHED },
  { "memory=64M", { CRASH (SIGFPE, 1), .memory_exhausted = TRUE }, CRASHED },
  { "memory=64M", { CRASH (SIGSEGV, SI_USER), .memory_exhausted = TRUE }, CRASHED },
  { "memory=64M", { CRASH (SIGTERM, SI_USER), .memory_exhausted = TRUE }, CRASHED },

  /* Memory, one block too large: the words of malloc() and of programs */
  { "memory=64M", { CRASH (SIGSEGV, 1), .crash_errno = ENOMEM }, MEMORY, "memory", TRUE },
  { "memory=64M", { DIED (SIGSEGV), .crash_errno = ENOMEM }, CRASHED },
  { "files=9", { CRASH (SIGBUS, 1), .files_exhausted = TRUE }, CRASHED },
  { "memory=64M", { CRASH (SIGABRT, SI_TKILL), .crash_errno = ENOMEM }, MEMORY, "memory", TRUE },
  { "memory=64M", { CRASH (SIGSEGV, 1), .crash_errno = EINVAL }, CRASHED },
  { NULL, { CRASH (SIGSEGV, 1), .crash_errno = ENOMEM }, CRASHED },
  { "memory=64M", { CRASH (SIGTRAP, SI_TKILL), .last_words = GLIB_WORDS }, MEMORY, "memory", TRUE },
  { "memory=64M", { DIED (SIGTRAP), .last_words = GLIB_WORDS }, MEMORY, "memory", TRUE },
  { "memory=64M", { DIED (SIGTRAP), .last_words = NO_MEMORY_WORDS }, MEMORY, "memory", TRUE },
  { "memory=64M", { CRASH (SIGABRT, SI_TKILL), .last_words = CXX_WORDS }, MEMORY, "memory", TRUE },
  { "memory=64M", { DIED (SIGSEGV), .last_words = GLIB_WORDS }, CRASHED },
  { "memory=64M", { EXIT (1), .last_words = GLIB_WORDS }, EXITED },
  { NULL, { CRASH (SIGTRAP, SI_TKILL), .last_words = GLIB_WORDS }, CRASHED },

  /* Files and processes */
  { "files=9", { CRASH (SIGTRAP, SI_TKILL), .files_exhausted = TRUE }, LIMIT, "files" },
  { "files=9", { CRASH (SIGABRT, SI_TKILL), .last_words = FILES_WORDS }, LIMIT, "files", TRUE },
  { "files=9", { CRASH (SIGSEGV, 1), .files_exhausted = TRUE }, CRASHED },
  { NULL, { CRASH (SIGTRAP, SI_TKILL), .files_exhausted = TRUE }, CRASHED },
  { "processes=4", { CRASH (SIGTRAP, SI_TKILL), .fork_refused = TRUE }, LIMIT, "processes" },
  { "processes=4",
    { CRASH (SIGTRAP, SI_TKILL), .last_words = THREAD_WORDS },
    LIMIT,
    "processes",
    TRUE },
  { "processes=4 memory=64M",
    { CRASH (SIGTRAP, SI_TKILL), .last_words = THREAD_WORDS },
    LIMIT,
    "processes",
    TRUE },
  { "memory=64M",
    { CRASH (SIGTRAP, SI_TKILL), .last_words = THREAD_WORDS },
    MEMORY,
    "memory",
    TRUE },
  { "processes=4", { CRASH (SIGSEGV, 1), .fork_refused = TRUE }, CRASHED },
};

static void
check_case (gsize i)
{
  g_autoptr (ProcfunLimits) limits = NULL;
  g_autofree char *sentence = NULL;
  g_autofree char *value = NULL;
  VerdictFacts facts = cases[i].facts;
  Verdict verdict;

  if (cases[i].limits != NULL)
    limits = procfun_limits_new_from_string (cases[i].limits, NULL);
  facts.limits = limits;
  verdict = verdict_find (&facts);
  sentence = verdict_to_string (&verdict, &facts);
  g_test_message ("%d: %s", (int)i, sentence);
  g_assert_cmpint (verdict.code, ==, cases[i].code);
  g_assert_cmpstr (verdict.limit, ==, cases[i].limit);
  g_assert_cmpint (verdict.proven, ==, !cases[i].likely);
  g_assert_cmpint (strstr (sentence, "very likely") != NULL, ==, cases[i].likely);
  if (cases[i].limit == NULL)
    return;
  value = limits_describe (limits, cases[i].limit);
  g_assert_true (g_str_has_suffix (sentence, value));
}

static void
test_verdict_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_case (i);
}

static void
test_verdict_words (void)
{
  static const struct
  {
    VerdictFacts facts;
    const char *words;
  } words[] = {
    { { EXIT (3) }, "ended its process with exit code 3" },
    { { DIED (SIGSEGV) }, "crashed: SIGSEGV (Segmentation fault)" },
    { { DIED (SIGKILL) },
      "was killed: SIGKILL from outside this program, maybe by the system for lack of memory" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    {
      Verdict verdict = verdict_find (&words[i].facts);
      g_autofree char *sentence = verdict_to_string (&verdict, &words[i].facts);

      g_assert_cmpstr (sentence, ==, words[i].words);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/verdict/facts-give-the-cause", test_verdict_table);
  fixture_add_func ("/verdict/each-cause-has-its-sentence", test_verdict_words);

  return fixture_run ();
}
