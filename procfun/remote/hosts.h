/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/process.h"
#include "procfun/remote/host-spec.h"
#include "procfun/remote/remote-call.h"
#include "procfun/schedule/owner.h"

G_BEGIN_DECLS

/* Settings, read when a host is started. Times in µs; 0: none. */
typedef struct
{
  gint64 heartbeat;
  gint64 connect_timeout;  /* from the start of a launcher to the first word of its host */
  gint64 idle_timeout;     /* a host without a call ends after that */
  guint min_hosts;         /* that stay without a call */
  guint max_hosts;         /* that are started; 0: all */
  guint calls_in_flight;   /* for each slot of a host */
  guint64 max_payload;     /* in bytes */
  guint max_queue_calls;   /* that wait for a slot; 0: any number */
  guint64 max_queue_bytes; /* of their arguments; 0: any number */
  char *program;           /* (nullable): what hosts run, if not this program */
  char *library;           /* (nullable): whose functions they run, by procfun-worker */
} HostsConfig;

/* News of a host, in the thread of the hosts. */
typedef struct
{
  const char *name; /* (interned) */
  guint slots;
  GVariant *contracts; /* (nullable): an “at” of its functions, if it says so */
  const GError *error; /* (nullable): it is up */
} HostNews;

typedef void (*HostsFunc) (const HostNews *news, gpointer user_data);

/* The hosts of a pool, and the calls that wait for one. The thread of the hosts alone touches them;
 * others submit calls. Hosts are started when there are calls. */

/* @specs: (element-type HostSpec). @func: (nullable) */
Hosts *hosts_new (GPtrArray *specs, HostsFunc func, gpointer user_data, GDestroyNotify destroy);
Hosts *hosts_ref (Hosts *self);
void hosts_unref (Hosts *self);

/* From any thread. The first takes what is in @config. */
void hosts_set_config (Hosts *self, HostsConfig *config);
void hosts_add (Hosts *self, HostSpec *spec);

/* FALSE: there is no thread for it, or it would have to wait and must not. The second one says that
 * its caller has done with it. */
gboolean hosts_submit (Hosts *self, RemoteCall *remote, GError **error);
void hosts_forget (Hosts *self);

/* Wait for the answer of a call, in the thread or main context of @owner, which is not referenced.
 */
typedef struct
{
  GList link;
  Owner owner;
} HostsWaiter;

void hosts_add_waiter (Hosts *self, HostsWaiter *waiter, GMainContext *context);
void hosts_remove_waiter (Hosts *self, HostsWaiter *waiter);

/* Whether somebody waits that only this thread can wake. */
gboolean hosts_has_own_calls (Hosts *self);

/* @remote has something that they are to look at. */
void hosts_note (Hosts *self, RemoteCall *remote);

/* From now on, no call waits: they fail with CLOSED (@drops). Those that run now are ended
 * (@cancels). */
void hosts_end_calls (Hosts *self, gboolean drops, gboolean cancels);

/* Ends all hosts. @func: (nullable) is called when they have ended, in their thread. */
void hosts_close (Hosts *self, void (*func) (gpointer user_data), gpointer user_data);

/* The same, and waits. */
void hosts_close_and_wait (Hosts *self);

/* Counts */
typedef struct
{
  guint64 n_queued_bytes;
  guint n_hosts; /* that are up */
  guint n_starting;
  guint n_down;
  guint n_slots; /* of these */
  guint n_busy;
  guint n_queued;
  guint64 n_lost; /* hosts, so far */
} HostsCounts;

void hosts_count (Hosts *self, HostsCounts *counts);

/* For RemoteHost, in the thread of the hosts */
GMainContext *hosts_get_context (Hosts *self);
const HostsConfig *hosts_get_config (Hosts *self);

/* The file that hosts run, or load, for those that do not have it. (nullable) */
const UploadFile *hosts_get_upload_file (Hosts *self, GError **error);
guint hosts_count_there (Hosts *self);
void hosts_host_is_up (Hosts *self, const char *name, guint slots, GVariant *contracts);
void hosts_host_is_lost (Hosts *self, const char *name, const GError *error);
void hosts_wake (Hosts *self);

/* Puts a call back to its place in the queue. */
void hosts_return_call (Hosts *self, RemoteCall *remote);

/* Takes a launcher that is to end by itself, or (@is_hung) at once. */
void hosts_reap (Hosts *self, Process *process, gboolean is_hung);

G_END_DECLS
