/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/child/confinement.h"
#include "procfun/child/leftovers.h"
#include "procfun/child/listener.h"
#include "procfun/child/placement.h"
#include "procfun/core/context.h"
#include "procfun/core/function.h"
#include "procfun/platform/usage-measure.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-limits.h"
#include "procfun/procfun-registry.h"
#include "procfun/wire/channel.h"

/* Sources of the functions. */
typedef struct
{
  const char *path;          /* (nullable): of the library that defines them; NULL: the program */
  ProcfunRegistry *registry; /* (nullable): they were registered here at run time */

  const char *name;      /* (nullable): of the one that it was started for */
  const char *hash;      /* likewise */
  const GError *why;     /* (nullable): there are none */
  const char *arguments; /* (nullable): as JSON, from the command line */
} ServerOptions;

/* The service of a child: calls that come over the channel which the caller left. */
typedef struct
{
  ServerOptions options;
  GHashTable *functions;      /* (nullable) (element-type guint64 ProcfunFunction): by their hash */
  ProcfunFunction *function;  /* (nullable): of the last call */
  ProcfunFunction *packed_of; /* (nullable) */
  PackedInvocation *packed;   /* (nullable): for this, if its values can be packed */

  Channel *channel;
  Channel *used; /* (nullable): for the next */
  ProcfunCodec *codec;
  guint64 max_payload;
  gsize buffers_size;           /* in bytes, of contents that go back with the result */
  ProcfunLimits *limits;        /* (nullable): of the next call, and no other */
  ProcfunLimits *worker_limits; /* (nullable): of each call, which the process keeps already */
  Confinement confinement;
  guint32 call_id;  /* of the call that runs, for the exit handler */
  guint arena_idle; /* time without a frame, in ms, after which shared memory is given back */
  gboolean is_running;
  UsageMark mark;
  Running running;
  GError *unprepared;        /* (nullable): its first call has failed */
  GCancellable *cancellable; /* that no function has asked for */
  Listener listener;
  Leftovers leftovers;
  Placement placement;
  gboolean is_kept;      /* for more calls */
  gboolean has_begun;    /* the function of the last call */
  gboolean is_followed;  /* the next one is there already */
  gboolean was_followed; /* when the one before ended */
  gboolean is_unmetered; /* FRAME_CALL_UNMETERED */
  gboolean is_call_coming;
  guint n_unchecked;   /* calls since the last look for leftovers */
  gboolean is_alone;   /* no caller hears the function */
  gboolean is_ended;   /* by its caller, which has a result */
  GMutex write_lock;   /* threads of the function report while it runs */
  Event held;          /* the last report; its text is @held_text */
  char *held_text;     /* (nullable) */
  gboolean is_holding; /* @held was not sent yet */
  gboolean has_reporter;
  GCond holds;   /* @is_holding */
  guint process; /* the one that was started, and not one that the function forks */
} Server;

/* In a process that has just begun. @options and what is in it stay the caller's, and must stay. */
Server *server_new (const ServerOptions *options);

/* Takes the first frame of the caller. FALSE: it was answered with an error. */
gboolean server_handle_setup (Server *self, Channel *channel, const Frame *frame);

/* Tells the caller who this is. */
void server_say_hello (Server *self, Channel *channel);

/* (transfer full): why the process cannot be had: its last function has failed. */
GError *server_make_initial_error (Server *self, const GError *error);

/* Runs the function of @frame in this process, before anything is forked; its reports go nowhere.
 * Fails with the error of the function. */
gboolean server_run_preload (Server *self, Channel *channel, const Frame *frame, GError **error);

/* Prepares the server, so that nothing has to be looked up, loaded or bound after a fork. */
void server_prepare_to_fork (Server *self);

/* Serves over SETUP_CHANNEL_FD, and ends this process when the caller has no more calls, or has had
 * none for @idle milliseconds, and for @first_idle before the first one; -1: any time. */
void server_run (Server *self, int first_idle, int idle) G_GNUC_NORETURN;

/* The same after it has said hello, for a process that was executed. */
void server_start (Server *self) G_GNUC_NORETURN;

/* Serves over @fd from now on, which becomes the server's. */
void server_open (Server *self, int fd);

void server_close (Server *self);

/* Threads of this process that are the server's. */
guint server_count_own_threads (Server *self);

/* Takes the payload of @frame. */
void server_handle_call (Server *self, Frame *frame);

/* For serve-limits.c. The second takes @error, which is the only answer of this process from now
 * on.
 */
void server_send_error (Server *self, guint32 call_id, const GError *error);
void server_set_unprepared (Server *self, GError *error);

/* Limits that the caller has sent, for the next call or, by another frame, for each one. FALSE:
 * that was no such frame. */
void server_take_limits (Server *self, const ProcfunLimits *limits);
gboolean server_handle_limits (Server *self, const Frame *frame);

/* Just before the function runs. */
gboolean server_apply_limits (Server *self, GError **error);

/* Of a result, in bytes. */
guint64 server_get_max_result (Server *self);

/* For reports of the running function, in report.c. A report that was held back is sent when the
 * call ends. @user_data: the server */
void server_report (const Event *event, gpointer user_data);
void server_flush_reports (Server *self);
