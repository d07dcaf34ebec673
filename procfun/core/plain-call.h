/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-codec.h"
#include "procfun/procfun-definition.h"
#include "procfun/procfun-executor.h"
#include "procfun/values/byte-buffer.h"

G_BEGIN_DECLS

#ifndef __GI_SCANNER__ /* which does not know ProcfunDefinition */

/* One who waits in the main context that is the thread's default. */
typedef struct
{
  GAsyncReadyCallback callback; /* (nullable) */
  gpointer user_data;
  gpointer source_tag; /* of the result, if the call becomes an object */
} PlainReceiver;

/* A call that asks for nothing special: C values in, a C value out. Nobody can see an object for
 * it, so there is none unless something happens that needs one. */
typedef struct
{
  ProcfunFunction *function; /* borrowed, as the next: arguments and result can be packed */
  ProcfunDefinition *definition;
  Buffer args;         /* owned: in serialised form */
  gpointer result;     /* borrowed: room for the C value */
  gint64 submitted_at; /* monotonic time in µs */
  gint64 started_at;   /* likewise */

  const PlainReceiver *receiver; /* (nullable): the caller does not wait for the result */

  /* Outcome of a call that became an object */
  ProcfunCall *call; /* owned, as what follows; (nullable) */
  GVariant *variant; /* (nullable) */
  GError *error;     /* (nullable) */
} PlainCall;

typedef enum
{
  PLAIN_CALL_NOT_BEGUN, /* it has to be made an object, and run as such */
  PLAIN_CALL_DONE,      /* the result is there */
  PLAIN_CALL_FAILED,    /* with an error of the function */
  PLAIN_CALL_MADE,      /* it became an object, which has ended */
  PLAIN_CALL_SENT       /* the receiver will be told, and the reference to the executor that was
                           given is taken: see plain-async.h */
} PlainCallStatus;

void plain_call_clear (PlainCall *self);

/* Runs the call on @executor and counts it, by the `run_plain` of its class. */
PlainCallStatus procfun_executor_run_plain (ProcfunExecutor *executor, PlainCall *self);

/* Counts it on @executor, with its result or its error, and gives that error its failure.
 * @ended_at: monotonic time in µs. */
void plain_call_count (PlainCall *self, ProcfunExecutor *executor, gint64 ended_at);

/* For `run_plain`: makes the object, which has begun. (transfer none) */
ProcfunCall *plain_call_make (PlainCall *self);

/* For `run_plain`: writes the arguments in the form of another codec than GVariant's to @out.
 * FALSE: an object tells what is wrong. */
gboolean plain_call_encode (const PlainCall *self, ProcfunCodec *codec, Buffer *out);

/* For `run_plain`: writes the result from its serialised form, or from that of another codec.
 * FALSE: it is to be read as one of an object, which tells what is wrong. */
gboolean plain_call_read_result (PlainCall *self, const guint8 *data, gsize size);
gboolean plain_call_decode_result (PlainCall *self, ProcfunCodec *codec, const guint8 *data,
                                   gsize size);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PlainCall, plain_call_clear)

#endif

G_END_DECLS
