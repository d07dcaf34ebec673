/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/procfun-call.h"

G_BEGIN_DECLS

/* The failure of one element. */
typedef struct
{
  gsize at; /* its number in the chunk */
  GError *error;
} ChunkError;

/* (element-type ChunkError): in order */
GArray *chunk_errors_new (void);
void chunk_errors_add (GArray *errors, gsize at, GError *error);

/* Elements of a map that are one call of an executor, and what has come of them. Times in µs. */
typedef struct
{
  GVariant *args; /* an array of tuples of arguments */
  gsize n;
  gboolean goes_on; /* after an element that failed */
  double cost;      /* time that an element may take; -1: not known */
  gint64 budget;    /* no element is begun after it; 0: at any time */

  /* (nullable): of the executor, while the call runs: ends one element */
  void (*cancel_element) (gpointer user_data, gsize at);
  gpointer user_data;

  /* Once the call has succeeded */
  gsize n_gone;      /* elements that have ended, from the first one on */
  GVariant *results; /* an array, of those of them that succeeded */
  GArray *errors;    /* of the others */
  gint64 duration;
  gint64 round_trip; /* time that was spent on the way */
} CallChunk;

CallChunk *call_chunk_new (GVariant *args, gsize n);
void call_chunk_free (CallChunk *self);

/* Fails an element with %G_IO_ERROR_CANCELLED that has not ended. */
void call_chunk_cancel_element (CallChunk *self, gsize at);

/* Makes @call one of all elements of @chunk, and not of its own arguments. Takes @chunk. */
void procfun_call_take_chunk (ProcfunCall *call, CallChunk *chunk);

/* (nullable) */
CallChunk *procfun_call_get_chunk (ProcfunCall *call);

G_END_DECLS
