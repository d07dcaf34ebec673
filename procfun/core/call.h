/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/usage.h"
#include "procfun/platform/canceller.h"
#include "procfun/procfun-call.h"

G_BEGIN_DECLS

struct _ProcfunCall
{
  GObject parent_instance;

  ProcfunFunction *function;
  GVariant *args;            /* (nullable): not when @encode_error is set, or not yet, when they */
  GBytes *packed_args;       /* (nullable): are this serialised */
  GError *encode_error;      /* (nullable) */
  GUnixFDList *fd_list;      /* (nullable) */
  ProcfunExecutor *executor; /* (nullable): the default one */

  /* how it may run; times in µs, 0: none */
  gint64 timeout;
  gint64 deadline;
  gint64 grace_period;
  gint priority;         /* of its turn, where calls wait for one */
  ProcfunLimits *limits; /* (nullable) */
  ProcfunOutputMode output_modes[2];
  ProcfunLaunchContext *launch_context; /* (nullable) */

  gint state;           /* a ProcfunCallState; whoever moves it from NEW runs the call, alone */
  gint64 submitted_at;  /* monotonic time in µs */
  gint64 started_at;    /* the same; 0: no process has it */
  guint debug_id;       /* 0: nobody asked for debugging */
  Canceller *canceller; /* by abort, and with the GCancellable that the caller gave */
  gint detached;        /* nobody needs to hold it */
  gint is_urgent;       /* when it is cancelled, it has no grace period */

  /* of a generator, from one item to the next */
  ProcfunExecutor *in_use; /* (nullable): from the first item to the end */
  GSource *
      anchor; /* (nullable): in the main context of who waited last, when that was asynchronously */
  gint is_waiting; /* somebody waits for an item */
  gboolean is_closing;
  gpointer stream; /* (nullable): the executor's */
  GDestroyNotify free_stream;

  /* what came of it */
  gint pid;
  GVariant *result;
  GUnixFDList *result_fd_list; /* (nullable) */
  gboolean has_usage;
  ProcfunUsage usage;
  ProcfunFailure *failure; /* (nullable) */
};

/* A call whose arguments, not of no bytes, are there in the serialised form of their type: a
 * GVariant is made of them when somebody asks for it. Takes @packed_args. */
ProcfunCall *procfun_call_new_packed (ProcfunFunction *function, GBytes *packed_args);

/* A call that can only fail, with @error (transfer full): its arguments could not be encoded. */
ProcfunCall *procfun_call_new_failed (ProcfunFunction *function, GError *error);

/* Its life, in run/call-run.c and run/call-next.c. FALSE: it was begun before. @error: NULL
 * when there is a result; both are borrowed. */
gboolean procfun_call_check_arguments (ProcfunCall *self, GError **error);
gboolean procfun_call_begin (ProcfunCall *self);
void procfun_call_end (ProcfunCall *self, GVariant *result, GError *error);
ProcfunExecutor *procfun_call_ref_executor (ProcfunCall *self);

/* For executors; all of it in the thread that runs the call. */

/* Its own timeout or the one that the user has set for calls without: in µs; 0: none. */
gint64 procfun_call_get_effective_timeout (ProcfunCall *self);

/* When its deadline is over: monotonic time in µs; 0: it has none. */
gint64 procfun_call_get_deadline_time (ProcfunCall *self);

/* What the executor keeps with the call of a generator. (nullable) */
gpointer procfun_call_get_stream (ProcfunCall *self);
void procfun_call_take_stream (ProcfunCall *self, gpointer stream, GDestroyNotify free_stream);

/* Nobody holds the call any more: ends it if it is that of a generator that has not ended. TRUE: it
 * is held again, until it has. */
gboolean procfun_call_close (ProcfunCall *self);

/* The process runs: keeps its number and emits #ProcfunCall::started. */
void procfun_call_started (ProcfunCall *self, int pid);
void procfun_call_notify_state (ProcfunCall *self);
void procfun_call_emit_finished (ProcfunCall *self);
void procfun_call_emit_progress (ProcfunCall *self, double fraction, const char *message);
void procfun_call_emit_output (ProcfunCall *self, ProcfunStream stream, const char *line);

/* Descriptors that came with the result, and why it failed. (nullable) (transfer full) */
void procfun_call_take_result_fd_list (ProcfunCall *self, GUnixFDList *fd_list);
void procfun_call_take_failure (ProcfunCall *self, ProcfunFailure *failure);

/* What was used. */
void procfun_call_set_usage (ProcfunCall *self, const ProcfunUsage *usage);

G_END_DECLS
