/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-failure.h"

G_BEGIN_DECLS

/* Filled in by the exchange, and not changed after the call has ended. */
struct _ProcfunFailure
{
  gatomicrefcount ref_count;

  ProcfunCause cause;
  char *function_name;
  int pid;       /* 0: there was no process */
  int exit_code; /* -1: it did not exit */
  int signum;    /* 0: none */
  int signal_code;
  guint64 fault_address;
  guint64 program_counter;
  char *abort_message;  /* (nullable) */
  char **backtrace;     /* (nullable): a line for each frame, the innermost first */
  GBytes *stdout_tail;  /* (nullable) */
  GBytes *stderr_tail;  /* (nullable) */
  ProcfunStep step;
  ProcfunLimits *limits; /* (nullable) */
  ProcfunUsage *usage;   /* (nullable) */
};

ProcfunFailure *procfun_failure_new (ProcfunCause cause, const char *function_name);

G_END_DECLS
