/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/procfun-error.h"
#include "procfun/procfun-failure.h"

/* Cause of death of a process that its caller has not ended. Pure: it knows what it is told. */

typedef struct
{
  const ProcfunLimits *limits; /* (nullable): none */

  gboolean has_status;
  int wait_status;

  /* From the crash record, where there is one. */
  int signum; /* 0: there is none */
  int signal_code;
  int crash_errno; /* of the thread that crashed, as it was then */
  gboolean memory_exhausted;
  gboolean files_exhausted;

  const char *last_words; /* (nullable): the end of what it wrote to stderr */
  gint64 cpu_time;        /* the call's, in µs; -1: not known */
  gboolean oom_killed;    /* by the kernel, in a group of its own */
  gboolean fork_refused;  /* likewise */
} VerdictFacts;

typedef struct
{
  ProcfunCause cause;
  ProcfunError code;
  const char *limit; /* (nullable): the name of the limit, as in the text form of limits */
  gboolean proven;   /* and not only very likely */
} Verdict;

Verdict verdict_find (const VerdictFacts *facts);

/* A sentence about a process that ended before it did anything for a call. (transfer full) */
char *verdict_describe_start (gboolean has_status, int wait_status);

/* A sentence without its subject, which is the function: “needed more memory than it may use; its
 * limit is 200M”. */
char *verdict_to_string (const Verdict *self, const VerdictFacts *facts);
