/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/platform/cgroup.h"
#include "procfun/platform/process.h"
#include "procfun/procfun-function.h"

/* A process that was started for one function: it waits for frames on @channel_fd, ends when
 * @lifeline_fd is closed, reports a crash on @report_fd, and prints on @output_fds. */
typedef struct
{
  Process *process;
  int channel_fd;
  int lifeline_fd;
  int report_fd;
  int output_fds[2];
  Cgroup *cgroup; /* (nullable) */
} Launched;

#define LAUNCHED_INIT                                                                              \
  {                                                                                                \
    NULL, -1, -1, -1, { -1, -1 }, NULL                                                             \
  }

void launched_clear (Launched *self);

/* The program that calls functions of libraries. */
const char *launch_get_worker_path (void);

/* Starts the process that can run @function: the program itself, procfun-worker, or the script.
 * @prefix: (nullable) a command that executes what follows it. @arguments: (nullable) as JSON, for
 * the command line. @limits: (nullable) what a control group is made for, where one can. Fails with
 * %PROCFUN_ERROR_SPAWN, %PROCFUN_ERROR_NESTED, %PROCFUN_ERROR_INVALID, %PROCFUN_ERROR_SANDBOX or
 * %PROCFUN_ERROR_LIMIT. */
gboolean launch (Launched *launched, ProcfunFunction *function, const char *const *prefix,
                 const char *arguments, const ProcfunLimits *limits, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Launched, launched_clear)
