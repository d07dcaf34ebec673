/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/plain-call.h"
#include "procfun/wire/channel.h"

G_BEGIN_DECLS

#ifndef __GI_SCANNER__ /* as plain-call.h */

/* A plain call that was sent, and whose caller waits in a main context; and its result, which is
 * what the callback is given. The callback is given a ProcfunCall instead where the call became
 * one. */
#define PLAIN_TYPE_ASYNC (plain_async_get_type ())
G_DECLARE_FINAL_TYPE (PlainAsync, plain_async, PLAIN, ASYNC, GObject)

/* C values of up to so many bytes need no memory of their own. */
#define PLAIN_ASYNC_VALUE 16

struct _PlainAsync
{
  GObject parent_instance;

  ProcfunExecutor *executor; /* owned */
  PlainCall plain;           /* with a reference to its function, and arguments of its own */
  PlainReceiver receiver;
  guint64 args[4];
  guint64 value[PLAIN_ASYNC_VALUE / sizeof (guint64)];
  gboolean has_value; /* which was not taken */

  /* For the executor */
  guint32 call_id;       /* of its frames */
  GMainContext *context; /* (nullable): while it waits for a worker, as the next */
  union
  {
    gpointer settings; /* (nullable) */
    PlainAsync *next;  /* (nullable) (unowned): that was sent behind it */
  };
  gpointer slot;    /* (unowned): of the worker that has it */
  ChannelMark mark; /* of what that was sent before */
};

/* Takes what it needs of @plain, which has a receiver and was sent by @executor, and that reference
 * to it; and @spare (nullable), to use it. */
PlainAsync *plain_async_new (ProcfunExecutor *executor, const PlainCall *plain, PlainAsync *spare);

/* To make and to free an object takes a third of such a call. TRUE: nobody else has it, and the
 * next call can use it. */
gboolean plain_async_become_spare (PlainAsync *self);

/* Counts the call, whose result is there, and calls back; in its main context, which is the
 * thread's default then. */
void plain_async_end (PlainAsync *self, gint64 ended_at);

/* Makes the object, which has begun, and which calls back when plain_async_on_made_end() was called
 * with *@wait: a ProcfunExecutorFunc. Holds the call until then. In @context, which is that of the
 * call. */
ProcfunCall *plain_async_make (PlainAsync *self, GMainContext *context, gpointer *wait);
void plain_async_on_made_end (GVariant *result, GError *error, gpointer wait);

/* Gives the C value, once. FALSE: there is none. */
gboolean plain_async_take (PlainAsync *self, gpointer result);

#endif

G_END_DECLS
