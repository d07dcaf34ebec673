/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/executor.h"
#include "procfun/remote/message.h"
#include "procfun/schedule/queue.h"

G_BEGIN_DECLS

typedef struct _Hosts Hosts;
typedef struct _RemoteHost RemoteHost;
typedef struct _RemoteListener RemoteListener;

/* News of a call, from the thread of the hosts to that of its caller. */
typedef struct
{
  LinkType type;    /* LINK_STARTED, LINK_OUTPUT, LINK_PROGRESS, LINK_ITEM or LINK_END */
  const char *host; /* (nullable) (interned): its name */
  gint64 pid;
  guint64 number;  /* the stream of output, whether there is text, or the status of the end */
  double fraction; /* of progress */
  GBytes *payload; /* (nullable) */
  gboolean has_usage;
  ProcfunUsage usage;
  guint32 sandbox; /* that was achieved, as of procfun_call_set_confined() */
  guint32 sandbox_parts;
  RemoteChunkHead chunk;
  gint64 elapsed;          /* from the sending of the call to its end, in µs */
  GError *error;           /* (nullable): of the end, where no host said so */
  ProcfunFailure *failure; /* (nullable): likewise */
} RemoteEvent;

RemoteEvent *remote_event_new (LinkType type, const char *host);
void remote_event_free (RemoteEvent *self);

/* A call on its way to a host. The caller has one reference, and the hosts another one until it
 * has ended. */
typedef struct
{
  gatomicrefcount ref_count;

  /* As it was submitted */
  Hosts *hosts;
  char *function_name;
  RemoteCallHead head;
  GBytes *options; /* see message.h */
  GBytes *args;
  guint64 max_payload; /* in bytes, of the result without the contents of buffers */
  gsize buffers_size;  /* in bytes, of these */
  gint64 deadline;     /* as the call was given it, in µs */
  gint64 deadline_at;  /* monotonic time in µs; 0: none */

  /* Of the thread of the hosts */
  QueueEntry entry;
  HeapNode deadline_node;
  RemoteHost *host; /* (nullable): it has been sent */
  const char *at;   /* (nullable) (interned): the host behind that which has answered */
  guint64 id;
  gint64 queued_at; /* monotonic times in µs */
  gint64 sent_at;
  gboolean has_ended;   /* nobody has to be told any more */
  gboolean was_stopped; /* the host has been told to end it */
  guint n_cancelled;    /* of those below, how many it has been told */

  /* With the lock */
  GMutex lock;
  GCond cond;
  RemoteListener *listener; /* (nullable) (unowned): to be told of news */
  GQueue events;            /* (element-type RemoteEvent) */
  gboolean is_cancelled;
  gboolean is_urgent;
  gboolean has_work; /* who waits does the work of the thread of the hosts */
  gboolean is_noted; /* it is in the list of those that the hosts are to look at */
  guint64 taken;     /* bytes of items and output that the caller has taken */
  guint64 told;      /* of these, as the host knows */
  GArray *cancelled; /* (nullable) (element-type guint64): elements of a chunk, counted from 1 */
} RemoteCall;

/* FALSE: it cannot run on another machine: %PROCFUN_ERROR_INVALID, or %PROCFUN_ERROR_LIMIT.
 * Otherwise (transfer full). */
RemoteCall *remote_call_new (Hosts *hosts, ProcfunCall *call, guint64 max_payload, GError **error);
RemoteCall *remote_call_ref (RemoteCall *self);
void remote_call_unref (RemoteCall *self);

/* In the thread of the hosts: takes @event. */
void remote_call_post (RemoteCall *self, RemoteEvent *event);

/* Likewise: the next element, counted from 1, that the host is to end. FALSE: there is none. */
gboolean remote_call_take_cancelled (RemoteCall *self, guint64 *element);

/* Likewise, and nothing more: it is not in the queue. Takes @event, or @error. @host: (nullable) */
void remote_call_end (RemoteCall *self, RemoteEvent *event);
void remote_call_fail (RemoteCall *self, ProcfunCause cause, const char *host, GError *error);
void remote_call_fail_late (RemoteCall *self);
void remote_call_fail_unsent (RemoteCall *self, const GError *error); /* an engine's, which stays */

/* In any thread: the host is to end it. */
void remote_call_cancel (RemoteCall *self, gboolean is_urgent);

/* Likewise, one element of a chunk. */
void remote_call_cancel_element (RemoteCall *self, gsize at);

/* Waits for news. (transfer full) */
RemoteEvent *remote_call_wait (RemoteCall *self);

/* (transfer full) (nullable): there are no news */
RemoteEvent *remote_call_take (RemoteCall *self);

/* Notes @listener (nullable) whenever there are news. */
void remote_call_set_listener (RemoteCall *self, RemoteListener *listener);

/* Tells @call what @event says, in the thread of its caller. An item is left in it. Returns whether
 * it was the end: then *@result or *@error is set. */
gboolean remote_call_tell (RemoteCall *self, ProcfunCall *call, RemoteEvent *event,
                           GVariant **result, GError **error);

/* The item of a generator. (nullable): with %PROCFUN_ERROR_PROTOCOL, it is none of its type */
GVariant *remote_call_read_item (ProcfunCall *call, const RemoteEvent *event, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemoteCall, remote_call_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (RemoteEvent, remote_event_free)

G_END_DECLS
