/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/process/verdict.h"

#include "procfun/base/intl.h"
#include "procfun/base/limits.h"
#include "procfun/core/failure.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <gio/gio.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

/* Facts */

/* Signal that the process died of, or 0. */
static int
get_signum (const VerdictFacts *facts)
{
  if (facts->signum != 0)
    return facts->signum;
  return facts->has_status && WIFSIGNALED (facts->wait_status) ? WTERMSIG (facts->wait_status) : 0;
}

/* TRUE: the process crashed by itself. A signal that was sent by kill() tells nothing. */
static gboolean
has_crashed (const VerdictFacts *facts)
{
  static const int signums[] = { SIGSEGV, SIGBUS, SIGABRT, SIGTRAP, SIGILL };
  gboolean found = FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (signums); i++)
    found = found || get_signum (facts) == signums[i];
  return found && !(facts->signum != 0 && facts->signal_code == SI_USER);
}

/* TRUE: the process noticed an error and ended itself, by abort(), g_error() or __builtin_trap().
 */
static gboolean
has_given_up (const VerdictFacts *facts)
{
  return has_crashed (facts) && get_signum (facts) != SIGSEGV && get_signum (facts) != SIGBUS;
}

static gboolean
said_one_of (const VerdictFacts *facts, const char *const *words)
{
  for (; *words != NULL; words++)
    if (facts->last_words != NULL && strstr (facts->last_words, *words) != NULL)
      return TRUE;
  return FALSE;
}

static gboolean
was_oom_killed (const VerdictFacts *facts)
{
  return facts->oom_killed && get_signum (facts) == SIGKILL;
}

/* The kernel's own signal has SI_KERNEL. Without a crash record only the clock can tell. */
static gboolean
was_sent_xcpu (const VerdictFacts *facts)
{
  if (get_signum (facts) != SIGXCPU)
    return FALSE;
  if (facts->signum != 0)
    return facts->signal_code == SI_KERNEL;
  return facts->cpu_time < 0 || (guint64)facts->cpu_time >= facts->limits->cpu_time;
}

/* The kernel sends SIGKILL at the hard limit. It cannot be told from any other SIGKILL. */
static gboolean
was_killed_out_of_time (const VerdictFacts *facts)
{
  return get_signum (facts) == SIGKILL && facts->cpu_time >= 0
         && (guint64)facts->cpu_time >= facts->limits->cpu_time;
}

/* The kernel sends it as if the process had sent it to itself by kill(); raise() has SI_TKILL. */
static gboolean
was_sent_xfsz (const VerdictFacts *facts)
{
  return get_signum (facts) == SIGXFSZ && !(facts->signum != 0 && facts->signal_code == SI_TKILL);
}

static gboolean
had_no_memory (const VerdictFacts *facts)
{
  return has_crashed (facts) && facts->memory_exhausted;
}

static gboolean
had_no_files (const VerdictFacts *facts)
{
  return has_given_up (facts) && facts->files_exhausted;
}

static gboolean
had_no_processes (const VerdictFacts *facts)
{
  return has_given_up (facts) && facts->fork_refused;
}

/* malloc() leaves this errno when a block is too large for the memory that is left. The function
 * may then crash on NULL without a message. */
static gboolean
last_failed_for_memory (const VerdictFacts *facts)
{
  return has_crashed (facts) && facts->signum != 0 && facts->crash_errno == ENOMEM;
}

static gboolean
spoke_of_memory (const VerdictFacts *facts)
{
  /* GLib, C++, strerror(), Rust, and others */
  static const char *const words[] = { "failed to allocate ",
                                       "std::bad_alloc",
                                       "Cannot allocate memory",
                                       "memory allocation of ",
                                       "virtual memory exhausted",
                                       "out of memory",
                                       "Out of memory",
                                       "no memory",
                                       NULL };

  return has_given_up (facts) && said_one_of (facts, words);
}

static gboolean
spoke_of_files (const VerdictFacts *facts)
{
  static const char *const words[] = { "Too many open files", NULL };

  return has_given_up (facts) && said_one_of (facts, words);
}

/* Also for want of memory for a thread's stack. */
static gboolean
spoke_of_processes (const VerdictFacts *facts)
{
  static const char *const words[]
      = { "Error creating thread", "Resource temporarily unavailable", NULL };

  return has_given_up (facts) && said_one_of (facts, words);
}

/* Rules. The first that fits counts; a rule of a limit that is not set does not fit. */

typedef struct
{
  const char *limit;
  gsize offset;
  ProcfunCause cause;
  gboolean proven;
  gboolean (*fits) (const VerdictFacts *facts);
} Rule;

#define MEMORY "memory", G_STRUCT_OFFSET (ProcfunLimits, memory), PROCFUN_CAUSE_MEMORY_LIMIT
#define CPU "cpu", G_STRUCT_OFFSET (ProcfunLimits, cpu_time), PROCFUN_CAUSE_CPU_LIMIT
#define FILE_SIZE "file-size", G_STRUCT_OFFSET (ProcfunLimits, file_size), PROCFUN_CAUSE_LIMIT
#define FILES "files", G_STRUCT_OFFSET (ProcfunLimits, open_files), PROCFUN_CAUSE_LIMIT
#define PROCESSES "processes", G_STRUCT_OFFSET (ProcfunLimits, processes), PROCFUN_CAUSE_LIMIT

static const Rule rules[] = {
  { MEMORY, TRUE, was_oom_killed },      { CPU, TRUE, was_sent_xcpu },
  { CPU, TRUE, was_killed_out_of_time }, { FILE_SIZE, TRUE, was_sent_xfsz },
  { MEMORY, TRUE, had_no_memory },       { PROCESSES, TRUE, had_no_processes },
  { FILES, TRUE, had_no_files },         { MEMORY, FALSE, last_failed_for_memory },
  { FILES, FALSE, spoke_of_files },      { PROCESSES, FALSE, spoke_of_processes },
  { MEMORY, FALSE, spoke_of_memory },    { MEMORY, FALSE, spoke_of_processes },
};

static Verdict
make_verdict (ProcfunCause cause, const char *limit, gboolean proven)
{
  return (Verdict){ cause, (ProcfunError)failure_get_code (cause), limit, proven };
}

/* Cause of an end that no limit explains. */
static ProcfunCause
find_own_end (const VerdictFacts *facts)
{
  if (get_signum (facts) == 0)
    return PROCFUN_CAUSE_EXITED;
  return get_signum (facts) == SIGKILL ? PROCFUN_CAUSE_KILLED : PROCFUN_CAUSE_CRASHED;
}

Verdict
verdict_find (const VerdictFacts *facts)
{
  for (gsize i = 0; facts->limits != NULL && i < G_N_ELEMENTS (rules); i++)
    if (G_STRUCT_MEMBER (guint64, facts->limits, rules[i].offset) != 0 && rules[i].fits (facts))
      return make_verdict (rules[i].cause, rules[i].limit, rules[i].proven);
  return make_verdict (find_own_end (facts), NULL, TRUE);
}

/* In words */

static const struct
{
  const char *limit;
  const char *proven;
  const char *likely; /* (nullable) */
} limit_sentences[] = {
  { "memory", N_ ("needed more memory than it may use"),
    N_ ("ended for lack of memory, very likely") },
  { "cpu", N_ ("used more CPU time than it may use"), NULL },
  { "files", N_ ("needed more file descriptors than it may have"),
    N_ ("ended for lack of file descriptors, very likely") },
  { "file-size", N_ ("wrote to a file beyond the size that it may have"), NULL },
  { "processes", N_ ("needed more processes and threads than it may have"),
    N_ ("ended because it could not start a process or thread, very likely") },
};

static char *
describe_limit (const Verdict *self, const VerdictFacts *facts)
{
  g_autofree char *value
      = facts->limits != NULL ? limits_describe (facts->limits, self->limit) : NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (limit_sentences); i++)
    if (strcmp (limit_sentences[i].limit, self->limit) == 0)
      {
        const char *sentence = self->proven || limit_sentences[i].likely == NULL
                                   ? limit_sentences[i].proven
                                   : limit_sentences[i].likely;

        return g_strdup_printf (_ ("%s; its limit is %s"), _ (sentence),
                                value != NULL ? value : "?");
      }
  g_return_val_if_reached (NULL);
}

static char *
describe_exit (const VerdictFacts *facts)
{
  if (facts->has_status)
    return g_strdup_printf (_ ("ended its process with exit code %d"),
                            WEXITSTATUS (facts->wait_status));
  return g_strdup (_ ("ended its process without an answer; how is not known, because this program "
                      "ignores or collects the end of its children"));
}

static char *
describe_signal (int signum)
{
  g_autofree char *name = failure_name_signal (signum);

  return g_strdup_printf (_ ("crashed: %s (%s)"), name, g_strsignal (signum));
}

char *
verdict_describe_start (gboolean has_status, int wait_status)
{
  g_autofree char *signal_name = NULL;

  if (!has_status)
    return g_strdup (_ ("how it ended is not known"));
  if (WIFEXITED (wait_status))
    return g_strdup_printf (_ ("it ended with exit code %d"), WEXITSTATUS (wait_status));
  signal_name = failure_name_signal (WTERMSIG (wait_status));
  return g_strdup_printf (_ ("it was ended by %s (%s)"), signal_name,
                          g_strsignal (WTERMSIG (wait_status)));
}

char *
verdict_to_string (const Verdict *self, const VerdictFacts *facts)
{
  if (self->limit != NULL)
    return describe_limit (self, facts);
  switch (self->cause)
    {
    case PROCFUN_CAUSE_EXITED:
      return describe_exit (facts);
    case PROCFUN_CAUSE_KILLED:
      return g_strdup (_ ("was killed: SIGKILL from outside this program, maybe by the system for "
                          "lack of memory"));
    default:
      return describe_signal (get_signum (facts));
    }
}
