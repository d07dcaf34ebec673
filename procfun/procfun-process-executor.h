/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <procfun/procfun-codec.h>
#include <procfun/procfun-executor.h>
#include <procfun/procfun-launch-context.h>
#include <procfun/procfun-sandbox.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_PROCESS_EXECUTOR (procfun_process_executor_get_type ())
#define PROCFUN_PROCESS_EXECUTOR(object)                                                           \
  (G_TYPE_CHECK_INSTANCE_CAST ((object), PROCFUN_TYPE_PROCESS_EXECUTOR, ProcfunProcessExecutor))
#define PROCFUN_PROCESS_EXECUTOR_CLASS(klass)                                                      \
  (G_TYPE_CHECK_CLASS_CAST ((klass), PROCFUN_TYPE_PROCESS_EXECUTOR, ProcfunProcessExecutorClass))
#define PROCFUN_PROCESS_EXECUTOR_GET_CLASS(object)                                                 \
  (G_TYPE_INSTANCE_GET_CLASS ((object), PROCFUN_TYPE_PROCESS_EXECUTOR, ProcfunProcessExecutorClass))
#define PROCFUN_IS_PROCESS_EXECUTOR(object)                                                        \
  (G_TYPE_CHECK_INSTANCE_TYPE ((object), PROCFUN_TYPE_PROCESS_EXECUTOR))

typedef struct _ProcfunProcessExecutor ProcfunProcessExecutor;
typedef struct _ProcfunProcessExecutorClass ProcfunProcessExecutorClass;

struct _ProcfunProcessExecutor
{
  ProcfunExecutor parent_instance;
};

/**
 * ProcfunProcessExecutorClass:
 * @parent_class: the parent
 *
 * Functions that only the executors of this library override. Other executors derive from
 * #ProcfunExecutor.
 *
 * Since: 0.1
 */
struct _ProcfunProcessExecutorClass
{
  ProcfunExecutorClass parent_class;

  /*< private >*/
#ifndef __GI_SCANNER__
  ProcfunCodec *(*get_default_codec) (void);
  gpointer (*start) (ProcfunProcessExecutor *self, ProcfunCall *call, GError **error);
  void (*start_async) (ProcfunProcessExecutor *self, gpointer process_start);
  gboolean (*prepare) (ProcfunProcessExecutor *self, ProcfunCall *call, gpointer preparation,
                       GError **error);
  gpointer padding[3];
#endif
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunProcessExecutor, g_object_unref)

PROCFUN_AVAILABLE_IN_0_1
GType procfun_process_executor_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_codec (ProcfunProcessExecutor *self, ProcfunCodec *codec);
PROCFUN_AVAILABLE_IN_0_1
ProcfunCodec *procfun_process_executor_get_codec (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_max_payload (ProcfunProcessExecutor *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_process_executor_get_max_payload (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_launch_context (ProcfunProcessExecutor *self,
                                                  ProcfunLaunchContext *context);
PROCFUN_AVAILABLE_IN_0_1
ProcfunLaunchContext *procfun_process_executor_get_launch_context (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_max_processes (ProcfunProcessExecutor *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_process_executor_get_max_processes (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_max_queue_calls (ProcfunProcessExecutor *self, guint n);
PROCFUN_AVAILABLE_IN_0_1
guint procfun_process_executor_get_max_queue_calls (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_max_queue_bytes (ProcfunProcessExecutor *self, guint64 bytes);
PROCFUN_AVAILABLE_IN_0_1
guint64 procfun_process_executor_get_max_queue_bytes (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_has_queue (ProcfunProcessExecutor *self, gboolean has_queue);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_process_executor_get_has_queue (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_process_executor_submit (ProcfunProcessExecutor *self, ProcfunCall *call,
                                          GCancellable *cancellable, GAsyncReadyCallback callback,
                                          gpointer user_data, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_process_executor_try_submit (ProcfunProcessExecutor *self, ProcfunCall *call,
                                              GCancellable *cancellable,
                                              GAsyncReadyCallback callback, gpointer user_data,
                                              GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_submit_async (ProcfunProcessExecutor *self, ProcfunCall *call,
                                            GCancellable *cancellable, GAsyncReadyCallback callback,
                                            gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_process_executor_submit_finish (ProcfunProcessExecutor *self, GAsyncResult *result,
                                                 GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_process_executor_drain (ProcfunProcessExecutor *self, GCancellable *cancellable,
                                         GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_drain_async (ProcfunProcessExecutor *self, GCancellable *cancellable,
                                           GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_process_executor_drain_finish (ProcfunProcessExecutor *self, GAsyncResult *result,
                                                GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_sandbox (ProcfunProcessExecutor *self, ProcfunSandbox sandbox);
PROCFUN_AVAILABLE_IN_0_1
ProcfunSandbox procfun_process_executor_get_sandbox (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_set_sandbox_rules (ProcfunProcessExecutor *self,
                                                 const ProcfunSandboxRules *rules);
PROCFUN_AVAILABLE_IN_0_1
const ProcfunSandboxRules *
procfun_process_executor_get_sandbox_rules (ProcfunProcessExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
void procfun_process_executor_renew (ProcfunProcessExecutor *self);

G_END_DECLS
