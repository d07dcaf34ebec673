/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#if !defined(PROCFUN_INSIDE) && !defined(PROCFUN_COMPILATION)
#error "Only <procfun.h> can be included directly."
#endif

#include <gio/gio.h>
#include <procfun/procfun-call.h>
#include <procfun/procfun-version-macros.h>

G_BEGIN_DECLS

#define PROCFUN_TYPE_EXECUTOR (procfun_executor_get_type ())

#define PROCFUN_EXECUTOR(object)                                                                   \
  (G_TYPE_CHECK_INSTANCE_CAST ((object), PROCFUN_TYPE_EXECUTOR, ProcfunExecutor))
#define PROCFUN_EXECUTOR_CLASS(klass)                                                              \
  (G_TYPE_CHECK_CLASS_CAST ((klass), PROCFUN_TYPE_EXECUTOR, ProcfunExecutorClass))
#define PROCFUN_IS_EXECUTOR(object) (G_TYPE_CHECK_INSTANCE_TYPE ((object), PROCFUN_TYPE_EXECUTOR))
#define PROCFUN_EXECUTOR_GET_CLASS(object)                                                         \
  (G_TYPE_INSTANCE_GET_CLASS ((object), PROCFUN_TYPE_EXECUTOR, ProcfunExecutorClass))

typedef struct _ProcfunExecutorClass ProcfunExecutorClass;

/**
 * ProcfunCloseFlags:
 * @PROCFUN_CLOSE_NONE: calls that wait, and calls that run, go on to their end
 * @PROCFUN_CLOSE_DROP_QUEUED: calls that wait for a process fail with %PROCFUN_ERROR_CLOSED
 * @PROCFUN_CLOSE_CANCEL_RUNNING: calls that run are ended as by procfun_call_abort()
 *
 * How the calls of an executor end when it is closed. A call that was sent ahead to the worker
 * of another one, as #ProcfunPool:calls-in-flight allows, runs.
 *
 * Since: 0.1
 */
typedef enum
{
  PROCFUN_CLOSE_NONE = 0,
  PROCFUN_CLOSE_DROP_QUEUED = 1 << 0,
  PROCFUN_CLOSE_CANCEL_RUNNING = 1 << 1
} ProcfunCloseFlags;

#define PROCFUN_TYPE_CLOSE_FLAGS (procfun_close_flags_get_type ())

PROCFUN_AVAILABLE_IN_0_1
GType procfun_close_flags_get_type (void) G_GNUC_CONST;

typedef struct _ProcfunStatistics ProcfunStatistics;

struct _ProcfunExecutor /* the type itself: procfun-call.h */
{
  GObject parent_instance;
};

/**
 * ProcfunExecutorClass:
 * @parent_class: the parent
 * @run: runs a call and waits for its end, in the thread of the caller. Returns a new reference to
 *   the result, which is not floating, or %NULL with the error set
 * @run_async: the same without waiting. The callback comes in the main context that is the thread's
 *   default now, and never before this returns. The call lives until then; a reference to it keeps
 * it running without other references
 * @run_finish: returns the result of @run_async, as @run does
 * @next: runs the call of a generator up to its next item, which it returns likewise; %NULL without
 *   an error is the end
 * @next_async: the same without waiting, as @run_async does
 * @next_finish: returns the item of @next_async, as @next does
 * @close: ends the processes that the executor keeps between calls, and waits for them. No call
 * runs then
 * @close_async: the same without waiting
 * @close_finish: returns the result of @close_async
 * @describe: describes queue and processes, by procfun_statistics_set_queue() and
 * procfun_statistics_add_worker(). It is called from any thread after construction, and must not
 * wait
 *
 * The functions of an executor. Before it calls them, the base class checks that the executor is
 * open, that the call is new and that its arguments have the right type; it also keeps state and
 * result of the call. @run and @run_async must obey the cancellable, and are called from any
 * thread, several at once. Both forms of a function are required, except for close, where the base
 * class does nothing, and for next, where it fails with %PROCFUN_ERROR_INVALID. The base class
 * counts calls, so an executor without processes needs no @describe. One that keeps processes emits
 * #ProcfunExecutor::worker-started, #ProcfunExecutor::worker-exited and
 * #ProcfunExecutor::worker-recycled by g_signal_emit_by_name().
 *
 * The first item starts a call. An executor can attach its data to the call by
 * g_object_set_data_full(), from one item to the next: the base class asks for items until the end,
 * or cancels the call and asks once more.
 *
 * Since: 0.1
 */
struct _ProcfunExecutorClass
{
  GObjectClass parent_class;

  GVariant *(*run) (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                    GError **error);
  void (*run_async) (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                     GAsyncReadyCallback callback, gpointer user_data);
  GVariant *(*run_finish) (ProcfunExecutor *self, GAsyncResult *result, GError **error);
  GVariant *(*next) (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                     GError **error);
  void (*next_async) (ProcfunExecutor *self, ProcfunCall *call, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data);
  GVariant *(*next_finish) (ProcfunExecutor *self, GAsyncResult *result, GError **error);
  gboolean (*close) (ProcfunExecutor *self, GCancellable *cancellable, GError **error);
  void (*close_async) (ProcfunExecutor *self, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data);
  gboolean (*close_finish) (ProcfunExecutor *self, GAsyncResult *result, GError **error);
  void (*describe) (ProcfunExecutor *self, ProcfunStatistics *statistics);

  /*< private >*/
#ifndef __GI_SCANNER__
  gboolean (*close_progress) (ProcfunExecutor *self, gint64 closing_since, gboolean blocks,
                              gint64 *next, GError **error);
  void (*run_then) (ProcfunExecutor *self, ProcfunCall *call, GMainContext *context,
                    void (*func) (GVariant *result, GError *error, gpointer user_data),
                    gpointer user_data);
  void (*begin_anew) (ProcfunExecutor *self);
  guint (*run_plain) (ProcfunExecutor *self, gpointer plain_call);
  void (*end_calls) (ProcfunExecutor *self, ProcfunCloseFlags flags);
  guint (*get_capacity) (ProcfunExecutor *self);
  guint64 (*get_chunk_limit) (ProcfunExecutor *self);
#endif
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (ProcfunExecutor, g_object_unref)

PROCFUN_AVAILABLE_IN_0_1
GType procfun_executor_get_type (void) G_GNUC_CONST;
PROCFUN_AVAILABLE_IN_0_1
ProcfunExecutor *procfun_executor_get_default (void);
PROCFUN_AVAILABLE_IN_0_1
void procfun_executor_set_default (ProcfunExecutor *self);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_close (ProcfunExecutor *self, GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_executor_close_async (ProcfunExecutor *self, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_close_finish (ProcfunExecutor *self, GAsyncResult *result,
                                        GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_close_full (ProcfunExecutor *self, ProcfunCloseFlags flags,
                                      GCancellable *cancellable, GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_executor_close_full_async (ProcfunExecutor *self, ProcfunCloseFlags flags,
                                        GCancellable *cancellable, GAsyncReadyCallback callback,
                                        gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_close_full_finish (ProcfunExecutor *self, GAsyncResult *result,
                                             GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_close_all (ProcfunCloseFlags flags, GCancellable *cancellable,
                                     GError **error);
PROCFUN_AVAILABLE_IN_0_1
void procfun_executor_close_all_async (ProcfunCloseFlags flags, GCancellable *cancellable,
                                       GAsyncReadyCallback callback, gpointer user_data);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_close_all_finish (GAsyncResult *result, GError **error);
PROCFUN_AVAILABLE_IN_0_1
gboolean procfun_executor_is_closed (ProcfunExecutor *self);

G_END_DECLS
