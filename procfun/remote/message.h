/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/usage.h"
#include "procfun/core/call.h"
#include "procfun/remote/link.h"

G_BEGIN_DECLS

/* Heads of messages: numbers in the byte order of both sides, which HELLO compares. Times in µs. */

#define REMOTE_PROTOCOL 1U

/* First message of either side. */
typedef struct
{
  guint slots;           /* of a host: calls that it runs at once */
  gint64 heartbeat;      /* of a caller: twice as long without a byte, and the other side is gone */
  guint depth;           /* of a caller: of the calls that a host runs */
  guint64 max_payload;   /* of a caller, in bytes */
  guint calls_in_flight; /* for each slot, of a caller */
  char *name;            /* (nullable): of a host */
  GVariant *contracts;   /* (nullable): of a host's functions, an “at” */
  char *locale;          /* (nullable): of a caller's messages */
} RemoteHello;

GBytes *remote_hello_make (const RemoteHello *self);
void remote_hello_clear (RemoteHello *self);

/* FALSE: another protocol or byte order: %PROCFUN_ERROR_MISMATCH. */
gboolean remote_hello_read (RemoteHello *self, GBytes *bytes, GError **error);

typedef struct
{
  guint64 contract;
  gint64 timeout;      /* 0: none */
  gint64 left;         /* until the deadline; 0: there is none */
  gint64 grace_period; /* see procfun_call_set_grace_period() */
  gint32 priority;
  guint32 output; /* bits of ProcfunStream: lines of these streams are wanted */
  guint64 window; /* bytes of items and output that may come without a word of the caller */

  /* Of a chunk of a map, whose arguments are an array; see CallChunk */
  guint64 n_elements; /* 0: it is none */
  guint64 goes_on;
  double cost;
  gint64 budget;
} RemoteCallHead;

/* Behind it come, as an a{sv}: name (s), limits (a{st}), context (a{sv}), sandbox (u),
 * sandbox-rules (SANDBOX_RULES_TYPE). */

typedef struct
{
  guint64 is_urgent; /* without a grace period */
  guint64 element;   /* of a chunk, counted from 1; 0: all of the call */
} RemoteCancelHead;

typedef struct
{
  gint64 pid;
} RemoteStartedHead;

typedef struct
{
  guint64 stream;
} RemoteOutputHead;

typedef struct
{
  double fraction;
  guint64 has_text;
} RemoteProgressHead;

/* Total from the beginning. */
typedef struct
{
  guint64 bytes;
} RemoteTakeHead;

typedef enum
{
  REMOTE_END_RESULT,
  REMOTE_END_ERROR,   /* the payload is remote_end_pack() */
  REMOTE_END_REFUSED, /* the same: the function was not begun, and another host may run it */
  REMOTE_END_AFTER_LAST
} RemoteEndStatus;

/* Bytes that the end of a chunk may have beside a result: its other results, and errors. */
#define REMOTE_CHUNK_MAX ((guint64)8 * 1024 * 1024)

/* Of a chunk, whose payload is remote_chunk_pack() */
typedef struct
{
  guint64 n_gone;
  guint64 results_size; /* in bytes */
  gint64 duration;
} RemoteChunkHead;

typedef struct
{
  guint64 status; /* a RemoteEndStatus */
  gint64 pid;
  guint64 has_usage;
  ProcfunUsage usage;
  guint32 sandbox; /* that was achieved, as of procfun_call_set_confined() */
  guint32 sandbox_parts;
  RemoteChunkHead chunk;
} RemoteEndHead;

/* An error and, (nullable), the failure of the call. */
GBytes *remote_end_pack (const GError *error, ProcfunFailure *failure);

/* The error, with *@failure (nullable). (transfer full) */
GError *remote_end_unpack (GBytes *payload, const char *function_name, ProcfunFailure **failure);

/* Copies a head that must have exactly the size of a type. @bytes: (nullable): it has none */
gboolean remote_head_read (GBytes *bytes, gpointer head, gsize size);

/* The same with a second part. */
GBytes *remote_head_make (gconstpointer head, gsize size, GBytes *more);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (RemoteHello, remote_hello_clear)

G_END_DECLS
