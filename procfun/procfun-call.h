/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <gio/gunixfdlist.h>
#include <procfun/procfun-failure.h>
#include <procfun/procfun-function.h>
#include <procfun/procfun-launch-context.h>
#include <procfun/procfun-limits.h>
#include <procfun/procfun-sandbox.h>
#include <procfun/procfun-usage.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

typedef struct _ProcfunExecutor ProcfunExecutor;

#define PROCFUN_TYPE_CALL (procfun_call_get_type ())

PROCFUN_AVAILABLE_IN_0_1
G_DECLARE_FINAL_TYPE (ProcfunCall, procfun_call, PROCFUN, CALL, GObject)

/**
 * ProcfunCallState:
 * @PROCFUN_CALL_NEW: not started
 * @PROCFUN_CALL_RUNNING: given to its executor
 * @PROCFUN_CALL_SUCCEEDED: ended, with a result
 * @PROCFUN_CALL_FAILED: ended, with an error
 *
 * The state of a call.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_CALL_NEW,
  PROCFUN_CALL_RUNNING,
  PROCFUN_CALL_SUCCEEDED,
  PROCFUN_CALL_FAILED
} ProcfunCallState;

#define PROCFUN_TYPE_CALL_STATE (procfun_call_state_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_call_state_get_type (void) G_GNUC_CONST;

/**
 * ProcfunStream:
 * @PROCFUN_STREAM_STDOUT: standard output
 * @PROCFUN_STREAM_STDERR: standard error
 *
 * The output streams of a function.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_STREAM_STDOUT,
  PROCFUN_STREAM_STDERR
} ProcfunStream;

#define PROCFUN_TYPE_STREAM (procfun_stream_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_stream_get_type (void) G_GNUC_CONST;

/**
 * ProcfunOutputMode:
 * @PROCFUN_OUTPUT_INHERIT: goes to the same stream of the program
 * @PROCFUN_OUTPUT_CAPTURE: is reported line by line by #ProcfunCall::output
 * @PROCFUN_OUTPUT_DISCARD: is thrown away
 *
 * The treatment of a function's output. In each mode the last 4 KiB are kept for the failure of the
 * call.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_OUTPUT_INHERIT,
  PROCFUN_OUTPUT_CAPTURE,
  PROCFUN_OUTPUT_DISCARD
} ProcfunOutputMode;

#define PROCFUN_TYPE_OUTPUT_MODE (procfun_output_mode_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_output_mode_get_type (void) G_GNUC_CONST;

#ifndef __GI_SCANNER__ /* for C and C++ alone */

/**
 * ProcfunCallSettings:
 * @timeout: #ProcfunCall:timeout
 * @deadline: #ProcfunCall:deadline
 * @grace_period: #ProcfunCall:grace-period; 0: the usual one; less than 0: none
 * @priority: #ProcfunCall:priority
 * @io_priority: #ProcfunCall:io-priority
 * @limits: (nullable): #ProcfunCall:limits
 * @launch_context: (nullable): as for procfun_call_set_launch_context()
 *
 * Settings of a call for the generated functions `name_process_with()` and
 * `name_process_with_async()`, which make a call without an object in the program. Fields that are
 * not set have their usual value, so the struct is best set by names:
 *
 * |[<!-- language="C" -->
 * const ProcfunCallSettings settings = { .timeout = 2 * G_USEC_PER_SEC };
 * int sum = add_process_with (1, 2, pool, &settings, &error);
 * ]|
 *
 * All is copied before the function returns. Times are in microseconds.
 *
 * Since: 0.1
 */
typedef struct _ProcfunCallSettings ProcfunCallSettings;

struct _ProcfunCallSettings
{
  gint64 timeout;
  gint64 deadline;
  gint64 grace_period;
  gint priority;
  gint io_priority;
  const ProcfunLimits *limits;
  ProcfunLaunchContext *launch_context;

  /*< private >*/
  gpointer padding[4];
};

#endif

PROCFUN_AVAILABLE_IN_0_1
ProcfunCall *procfun_call_new (ProcfunFunction *function, GVariant *args);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFunction *procfun_call_get_function (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_call_get_arguments (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_executor (ProcfunCall *self, ProcfunExecutor *executor);
PROCFUN_AVAILABLE_IN_0_1
ProcfunExecutor *procfun_call_get_executor (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_fd_list (ProcfunCall *self, GUnixFDList *fd_list);
PROCFUN_AVAILABLE_IN_0_1
GUnixFDList *procfun_call_get_fd_list (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_timeout (ProcfunCall *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_call_get_timeout (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_deadline (ProcfunCall *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_call_get_deadline (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_priority (ProcfunCall *self, gint priority);
PROCFUN_AVAILABLE_IN_0_1
gint procfun_call_get_priority (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_io_priority (ProcfunCall *self, gint priority);
PROCFUN_AVAILABLE_IN_0_1
gint procfun_call_get_io_priority (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_grace_period (ProcfunCall *self, gint64 us);
PROCFUN_AVAILABLE_IN_0_1
gint64 procfun_call_get_grace_period (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_limits (ProcfunCall *self, const ProcfunLimits *limits);
PROCFUN_AVAILABLE_IN_0_1
const ProcfunLimits *procfun_call_get_limits (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_sandbox (ProcfunCall *self, ProcfunSandbox sandbox);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_sandbox_rules (ProcfunCall *self, const ProcfunSandboxRules *rules);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSandbox procfun_call_get_sandbox (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSandboxParts procfun_call_get_sandbox_parts (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_output_mode (ProcfunCall *self, ProcfunStream stream, ProcfunOutputMode mode);
PROCFUN_AVAILABLE_IN_0_1
ProcfunOutputMode procfun_call_get_output_mode (ProcfunCall *self, ProcfunStream stream);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_set_launch_context (ProcfunCall *self, ProcfunLaunchContext *context);
PROCFUN_AVAILABLE_IN_0_1
ProcfunLaunchContext *procfun_call_get_launch_context (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_abort (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_call_wait (ProcfunCall *self, gint64 us, GCancellable *cancellable,
                            GError **error);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_call_run (ProcfunCall *self, GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_run_async (ProcfunCall *self, GCancellable *cancellable,
                             GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_call_run_finish (ProcfunCall *self, GAsyncResult *result, GError **error);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_call_next (ProcfunCall *self, GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_call_next_async (ProcfunCall *self, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_call_next_finish (ProcfunCall *self, GAsyncResult *result, GError **error);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCallState procfun_call_get_state (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
int procfun_call_get_pid (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_call_get_host (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
double procfun_call_get_progress (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
const char *procfun_call_get_progress_message (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
GVariant *procfun_call_get_result (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
GUnixFDList *procfun_call_get_result_fd_list (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunUsage *procfun_call_get_usage (ProcfunCall *self);
PROCFUN_AVAILABLE_IN_0_1
ProcfunFailure *procfun_call_get_failure (ProcfunCall *self);

G_END_DECLS
