/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-failure.h"
#include "procfun/wire/crash.h"

G_BEGIN_DECLS

/* End of a call that has failed. */
typedef enum
{
  FAILURE_ENDED_BY_START,    /* the function was not run */
  FAILURE_ENDED_BY_FUNCTION, /* it returned an error */
  FAILURE_ENDED_BY_DEATH,    /* its process died, or could be trusted no more */
  FAILURE_ENDED_BY_LIMIT,
  FAILURE_ENDED_BY_TIME,
  FAILURE_ENDED_BY_CALLER
} FailureEnded;

/* Rows of ProcfunCause, in its order: nick; end of the call; code of %PROCFUN_ERROR (-1: another
 * domain, or the error of the function); sentence where nothing more exact is known; summary for
 * the users of a program. All lists of causes are made of these rows. */
/* clang-format off */
#define FAILURE_CAUSES(ROW)                                                                        \
  ROW (ERROR, "error", FUNCTION, -1,                                                               \
       N_ ("%s() failed"),                                                                         \
       N_ ("The operation failed."))                                                               \
  ROW (START, "start", START, PROCFUN_ERROR_SPAWN,                                                 \
       N_ ("%s() could not be started"),                                                           \
       N_ ("The operation could not be started."))                                                 \
  ROW (CRASHED, "crashed", DEATH, PROCFUN_ERROR_CRASHED,                                           \
       N_ ("%s() crashed"),                                                                        \
       N_ ("The operation crashed."))                                                              \
  ROW (EXITED, "exited", DEATH, PROCFUN_ERROR_EXITED,                                              \
       N_ ("%s() ended its process"),                                                              \
       N_ ("The operation ended unexpectedly."))                                                   \
  ROW (KILLED, "killed", DEATH, PROCFUN_ERROR_KILLED,                                              \
       N_ ("%s() was killed: SIGKILL from outside this program, maybe by the "                     \
           "system for lack of memory"),                                                           \
       N_ ("The operation was ended by the system."))                                              \
  ROW (TIMED_OUT, "timed-out", TIME, PROCFUN_ERROR_TIMED_OUT,                                      \
       N_ ("%s() took too long"),                                                                  \
       N_ ("The operation took too long."))                                                        \
  ROW (CANCELLED, "cancelled", CALLER, -1,                                                         \
       N_ ("%s() was cancelled"),                                                                  \
       N_ ("The operation was cancelled."))                                                        \
  ROW (MEMORY_LIMIT, "memory-limit", LIMIT, PROCFUN_ERROR_MEMORY_LIMIT,                            \
       N_ ("%s() needed more memory than its limit allows"),                                       \
       N_ ("The operation needed too much memory."))                                               \
  ROW (CPU_LIMIT, "cpu-limit", LIMIT, PROCFUN_ERROR_CPU_LIMIT,                                     \
       N_ ("%s() needed more CPU time than its limit allows"),                                     \
       N_ ("The operation needed too much processor time."))                                       \
  ROW (LIMIT, "limit", LIMIT, PROCFUN_ERROR_LIMIT,                                                 \
       N_ ("%s() went over one of its limits"),                                                    \
       N_ ("The operation needed more than it may use."))                                          \
  ROW (PROTOCOL, "protocol", DEATH, PROCFUN_ERROR_PROTOCOL,                                        \
       N_ ("%s() failed: its process sent what it must not"),                                      \
       N_ ("The operation gave no valid answer."))                                                 \
  ROW (WORKER_LOST, "worker-lost", DEATH, PROCFUN_ERROR_WORKER_LOST,                               \
       N_ ("%s() lost its process"),                                                               \
       N_ ("The operation was interrupted."))
/* clang-format on */

#define FAILURE_COUNT(NAME, nick, ended, code, sentence, summary) FAILURE_ROW_OF_##NAME,
enum
{
  FAILURE_CAUSES (FAILURE_COUNT) FAILURE_N_CAUSES
};
#undef FAILURE_COUNT

/* Filled in by the exchange. Does not change after the call has ended. */
struct _ProcfunFailure
{
  gatomicrefcount ref_count;

  ProcfunCause cause;
  char *function_name;
  const char *host; /* (nullable) (interned): machine that ran it, if not this one */
  char *verdict;    /* (nullable): what it did, in a sentence without its subject */
  int pid;          /* 0: there was no process */
  int exit_code;    /* -1: it did not exit */

  int signum;      /* 0: none */
  int wait_signum; /* signal that the process died of, if another one; else 0 */
  int signal_code;
  int sender;               /* pid that sent the signal; 0: the kernel, or nobody */
  int system_call;          /* number of the call that raised SIGSYS; -1: none */
  gboolean is_foreign_call; /* it is one of another architecture */
  int refused_call;         /* the last one that a sandbox has refused before; -1: none */
  guint64 fault_address;
  gboolean has_address; /* @fault_address is valid */
  FaultAccess access;
  gboolean stack_overflow;
  guint64 program_counter;
  int thread_id;       /* thread that died; 0: not known */
  char *thread_name;   /* (nullable) */
  char *abort_message; /* (nullable) */
  char *place;         /* (nullable): the line of @backtrace that is the function's own code */
  char **backtrace;    /* (nullable): a line for each frame, the innermost first */

  /* Stacks of threads are looked up on demand, which takes longer than a caller with a deadline
   * waits. */
  GBytes *stacks;        /* (nullable): not yet looked up */
  GBytes *names_request; /* (nullable): for the names of its places */
  void (*look_up) (ProcfunFailure *self, GBytes *stacks, GBytes *names_request);

  GBytes *stdout_tail; /* (nullable) */
  GBytes *stderr_tail; /* (nullable) */
  ProcfunStep step;
  ProcfunLimits *limits; /* (nullable) */
  ProcfunUsage *usage;   /* (nullable) */

  gboolean is_readable;
};

/* Columns of @cause. The sentence is a format for the name of the function, not translated yet. */
FailureEnded failure_get_ended (ProcfunCause cause);
int failure_get_code (ProcfunCause cause);
const char *failure_get_sentence (ProcfunCause cause);

ProcfunFailure *procfun_failure_new (ProcfunCause cause, const char *function_name);

/* Makes names, messages and places that came from the child readable. From any thread. */
void failure_make_readable (ProcfunFailure *self);

/* The same, after looking up @backtrace. From any thread. */
void failure_complete (ProcfunFailure *self);

/* For another machine, in the byte order of this one. Floating. The other way the wire form is of
 * that type, and in normal form. (nullable): no failure can have been that. */
#define FAILURE_WIRE_TYPE "(aiatamsasayaya{st}ay)"
GVariant *failure_to_wire (ProcfunFailure *self);
ProcfunFailure *failure_from_wire (GVariant *wire, const char *function_name);

/* Attaches @failure to @error, of %PROCFUN_ERROR, for procfun_error_get_failure(). */
void failure_attach (ProcfunFailure *self, GError *error);

/* “SIGSEGV” or “SIGRTMIN+3”. (transfer full) */
char *failure_name_signal (int signum);

/* Message of the error in one line: function, cause, last output. */
char *failure_summarise (ProcfunFailure *self);

/* “SIGSEGV reading 0x10”; “nothing is mapped there”, or NULL where the code says nothing. */
char *failure_describe_signal (ProcfunFailure *self);
const char *failure_describe_signal_code (ProcfunFailure *self);

G_END_DECLS
