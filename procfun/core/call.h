/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/usage.h"
#include "procfun/core/call-chunk.h"
#include "procfun/core/context.h"
#include "procfun/platform/canceller.h"
#include "procfun/procfun-call.h"

G_BEGIN_DECLS

/* Settings of a call, fixed once it has begun. Times in µs, 0: none. */
typedef struct
{
  ProcfunExecutor *executor; /* (nullable): the default one */
  gint64 timeout;
  gint64 deadline;
  gint64 grace_period;
  gint priority;         /* in a queue */
  gint io_priority;      /* of the source that calls back */
  ProcfunLimits *limits; /* (nullable) */
  gboolean has_sandbox;  /* of its own */
  ProcfunSandbox sandbox;
  ProcfunSandboxRules *sandbox_rules; /* (nullable) */
  ProcfunOutputMode output_modes[2];
  ProcfunLaunchContext *launch_context; /* (nullable) */
} CallSettings;

/* Items of a generator's call, which run/call-next.c takes. */
typedef struct
{
  ProcfunExecutor *executor; /* (nullable): from the first item to the end */
  GSource *anchor;           /* (nullable): in the main context of the last asynchronous wait */
  gint is_waiting;           /* somebody waits for an item */
  gboolean is_closing;

  /* (nullable): ends a call that nobody holds. TRUE: it holds itself until it has ended. */
  gboolean (*close) (ProcfunCall *call);
} CallItems;

/* Answer for the one who waited for a call. */
typedef struct
{
  GVariant *value; /* (nullable) */
  GError *error;   /* (nullable) */
  gpointer user_data;
  gpointer source_tag; /* (nullable): nobody was given it yet */
} CallAnswer;

/* Hears before the handlers of the signals do, which are dearer to connect. */
typedef struct
{
  void (*started) (ProcfunCall *call, int pid, gpointer user_data); /* (nullable), as the next */
  void (*progress) (ProcfunCall *call, double fraction, const char *message, gpointer user_data);
  void (*output) (ProcfunCall *call, ProcfunStream stream, const char *line, gpointer user_data);
} CallObserver;

/* Fields are used in core/call*.c and by the functions below; see tests/test-layers.sh. */
struct _ProcfunCall
{
  GObject parent_instance;

  ProcfunFunction *function;
  GVariant *args;       /* (nullable): set later if @packed_args are, never if @encode_error is */
  GBytes *packed_args;  /* (nullable): @args in serialised form */
  GError *encode_error; /* (nullable) */
  GUnixFDList *fd_list; /* (nullable) */
  GPtrArray *pumps;     /* (nullable) (element-type StreamPump): see core/call-streams.h */
  GPtrArray *buffers;   /* (nullable) (element-type ProcfunBuffer): see core/call-buffers.h */
  CallChunk *chunk;     /* (nullable): see core/call-chunk.h */
  GPtrArray *contents;  /* (nullable) (element-type GBytes): for these, and not in the result */

  CallSettings settings;

  gint state; /* a ProcfunCallState; the thread that moves it from NEW runs the call, alone */
  gint64 submitted_at;   /* monotonic time in µs */
  gint64 started_at;     /* the same; 0: no process has it */
  guint debug_id;        /* 0: no debugging */
  GThread *thread;       /* (nullable): that started it */
  GMainContext *context; /* (nullable) (unowned): of a call that is waited for asynchronously */
  gint n_joined;         /* threads that wait in procfun_call_wait() */
  Canceller *canceller;  /* by procfun_call_abort(), and through the GCancellable of the caller */
  gint is_urgent;        /* without a grace period when it is cancelled */

  GList executor_link; /* among the calls that run on its executor */
  CallItems items;
  gpointer stream; /* (nullable): the executor's */
  GDestroyNotify free_stream;

  CallAnswer answer; /* of an asynchronous run, whose result is the call itself */

  const CallObserver *observer; /* (nullable) (unowned) */
  gpointer observer_data;

  /* outcome */
  gint pid;
  const char *host; /* (nullable) (interned): that has it, if not this machine */
  double progress;
  char *progress_message; /* (nullable) */
  GVariant *result;
  GUnixFDList *result_fd_list; /* (nullable) */
  guint32 sandbox;             /* the ProcfunSandbox that was achieved, */
  guint32 sandbox_parts;       /* and its ProcfunSandboxParts */
  gboolean has_usage;
  ProcfunUsage usage;
  ProcfunFailure *failure; /* (nullable) */
};

/* Call whose arguments are there in serialised form, of at least one byte. Their GVariant is made
 * on demand. Takes @packed_args. */
ProcfunCall *procfun_call_new_packed (ProcfunFunction *function, GBytes *packed_args);

/* Call whose arguments could not be encoded. It fails with @error (transfer full). */
ProcfunCall *procfun_call_new_failed (ProcfunFunction *function, GError *error);

/* FALSE: arguments of another type than the function's, or that could not be encoded. */
gboolean procfun_call_check_arguments (ProcfunCall *self, GError **error);

/* FALSE: the call was begun before. */
gboolean procfun_call_begin (ProcfunCall *self);

/* The same for one that nobody else has, and that has begun before it was made. Monotonic times in
 * µs. */
void procfun_call_begin_late (ProcfunCall *self, gint64 submitted_at, gint64 started_at);

/* Of a call that ended with @error before it had a process. */
ProcfunCause procfun_call_find_cause (const GError *error);

/* @error: NULL when there is a result; both are borrowed. */
void procfun_call_end (ProcfunCall *self, GVariant *result, GError *error);

/* For executors, in the thread that runs the call */

/* Timeout in µs: its own, or that of PROCFUN_TIMEOUT; 0: none. */
gint64 procfun_call_get_effective_timeout (ProcfunCall *self);

/* Moment of its deadline: monotonic time in µs; 0: none. */
gint64 procfun_call_get_deadline_time (ProcfunCall *self);

/* Data of the executor for the call of a generator. (nullable) */
gpointer procfun_call_get_stream (ProcfunCall *self);
void procfun_call_take_stream (ProcfunCall *self, gpointer stream, GDestroyNotify free_stream);

/* There is one observer at most. (nullable): none any more. */
void procfun_call_set_observer (ProcfunCall *self, const CallObserver *observer,
                                gpointer user_data);

/* Keeps the number of the process and emits #ProcfunCall::started. */
void procfun_call_started (ProcfunCall *self, int pid);
void procfun_call_notify_state (ProcfunCall *self);

/* Machine that has the call. @host: interned */
void procfun_call_set_host (ProcfunCall *self, const char *host);
void procfun_call_emit_finished (ProcfunCall *self);
void procfun_call_emit_event (ProcfunCall *self, const Event *event);
void procfun_call_emit_output (ProcfunCall *self, ProcfunStream stream, const char *line);

/* Descriptors of the result; reason of the failure. (nullable) (transfer full) */
void procfun_call_take_result_fd_list (ProcfunCall *self, GUnixFDList *fd_list);
void procfun_call_take_failure (ProcfunCall *self, ProcfunFailure *failure);

/* Sandbox that its process is in. */
void procfun_call_set_confined (ProcfunCall *self, guint32 level, guint32 parts);

void procfun_call_set_usage (ProcfunCall *self, const ProcfunUsage *usage);

/* Whether it reads streams that have no descriptor. */
static inline gboolean
procfun_call_has_pumps (ProcfunCall *self)
{
  return self->pumps != NULL;
}

/* Fields, without the checks of public functions: a pooled call reads them thirty times. */

static inline const CallSettings *
procfun_call_get_settings (ProcfunCall *self)
{
  return &self->settings;
}

static inline CallItems *
procfun_call_get_items (ProcfunCall *self)
{
  return &self->items;
}

static inline GList *
procfun_call_get_executor_link (ProcfunCall *self)
{
  return &self->executor_link;
}

static inline ProcfunFunction *
procfun_call_peek_function (ProcfunCall *self)
{
  return self->function;
}

static inline Canceller *
procfun_call_get_canceller (ProcfunCall *self)
{
  return self->canceller;
}

/* (nullable): arguments that are not serialised */
static inline GBytes *
procfun_call_get_packed_arguments (ProcfunCall *self)
{
  return self->packed_args;
}

static inline GUnixFDList *
procfun_call_peek_fd_list (ProcfunCall *self)
{
  return self->fd_list;
}

/* (nullable): as far as it is known, also before the end */
static inline ProcfunFailure *
procfun_call_peek_failure (ProcfunCall *self)
{
  return self->failure;
}

/* (nullable): the same */
static inline const ProcfunUsage *
procfun_call_peek_usage (ProcfunCall *self)
{
  return self->has_usage ? &self->usage : NULL;
}

/* Monotonic time in µs */
static inline gint64
procfun_call_get_submitted_at (ProcfunCall *self)
{
  return self->submitted_at;
}

/* The same; 0: no process has the call. */
static inline gint64
procfun_call_get_started_at (ProcfunCall *self)
{
  return self->started_at;
}

/* Without a grace period when it is cancelled; from any thread. */
static inline void
procfun_call_set_urgent (ProcfunCall *self)
{
  g_atomic_int_set (&self->is_urgent, TRUE);
}

static inline gboolean
procfun_call_is_urgent (ProcfunCall *self)
{
  return g_atomic_int_get (&self->is_urgent);
}

G_END_DECLS
