/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <glib-object.h>
#include <procfun/procfun-limits.h>
#include <procfun/procfun-usage.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

/**
 * ProcfunCause:
 * @PROCFUN_CAUSE_ERROR: the function returned an error, or a value could not be sent
 * @PROCFUN_CAUSE_START: the process could not be started, or is not of the caller's build
 * @PROCFUN_CAUSE_CRASHED: a signal of the function's own making
 * @PROCFUN_CAUSE_EXITED: the function ended its process
 * @PROCFUN_CAUSE_KILLED: a SIGKILL that did not come from the caller
 * @PROCFUN_CAUSE_TIMED_OUT: the timeout or the deadline
 * @PROCFUN_CAUSE_CANCELLED: a #GCancellable, procfun_call_abort(), or the loss of the last
 * reference
 * @PROCFUN_CAUSE_MEMORY_LIMIT: the limit on memory
 * @PROCFUN_CAUSE_CPU_LIMIT: the limit on CPU time
 * @PROCFUN_CAUSE_LIMIT: another limit
 * @PROCFUN_CAUSE_PROTOCOL: the process broke the protocol
 * @PROCFUN_CAUSE_WORKER_LOST: the process is gone, together with the zygote that forked it
 *
 * Why a call failed.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_CAUSE_ERROR,
  PROCFUN_CAUSE_START,
  PROCFUN_CAUSE_CRASHED,
  PROCFUN_CAUSE_EXITED,
  PROCFUN_CAUSE_KILLED,
  PROCFUN_CAUSE_TIMED_OUT,
  PROCFUN_CAUSE_CANCELLED,
  PROCFUN_CAUSE_MEMORY_LIMIT,
  PROCFUN_CAUSE_CPU_LIMIT,
  PROCFUN_CAUSE_LIMIT,
  PROCFUN_CAUSE_PROTOCOL,
  PROCFUN_CAUSE_WORKER_LOST
} ProcfunCause;

/**
 * ProcfunStep:
 * @PROCFUN_STEP_NONE: it was not ended from outside
 * @PROCFUN_STEP_CANCELLABLE: it ended when its procfun_get_cancellable() tripped
 * @PROCFUN_STEP_TERMINATE: it ended by SIGTERM
 * @PROCFUN_STEP_KILL: it ended by SIGKILL
 *
 * The step of cancellation that ended a call.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_STEP_NONE,
  PROCFUN_STEP_CANCELLABLE,
  PROCFUN_STEP_TERMINATE,
  PROCFUN_STEP_KILL
} ProcfunStep;

#define PROCFUN_TYPE_CAUSE (procfun_cause_get_type ())
#define PROCFUN_TYPE_STEP (procfun_step_get_type ())
#define PROCFUN_TYPE_FAILURE (procfun_failure_get_type ())

typedef struct _ProcfunFailure ProcfunFailure;

PROCFUN_AVAILABLE_IN_0_1
GType procfun_cause_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
GType procfun_step_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
GType procfun_failure_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunFailure *procfun_failure_ref (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_failure_unref (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCause procfun_failure_get_cause (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_failure_get_function_name (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
int procfun_failure_get_pid (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_failure_get_host (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
int procfun_failure_get_exit_code (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
int procfun_failure_get_signal (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_failure_get_signal_name (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
int procfun_failure_get_signal_code (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_failure_get_fault_address (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_failure_get_program_counter (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_failure_get_abort_message (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const char *const *procfun_failure_get_backtrace (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
GBytes *procfun_failure_get_stdout_tail (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
GBytes *procfun_failure_get_stderr_tail (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunStep procfun_failure_get_step (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const ProcfunLimits *procfun_failure_get_limits (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const ProcfunUsage *procfun_failure_get_usage (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_failure_get_summary (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
char *procfun_failure_to_string (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_failure_to_variant (ProcfunFailure *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFailure *procfun_error_get_failure (const GError *error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunFailure, procfun_failure_unref)

G_END_DECLS
