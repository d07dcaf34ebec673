/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/base/sandbox.h"
#include "procfun/platform/cgroup.h"
#include "procfun/platform/process.h"
#include "procfun/procfun-codec.h"
#include "procfun/procfun-launch-context.h"
#include "procfun/procfun-limits.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/journal.h"
#include "procfun/wire/setup.h"

/* Functions of a process that forks others, for one that it has forked. */
typedef struct
{
  gboolean (*has_died) (gpointer parent);
  pid_t (*get_pid) (gpointer parent);
  void (*fork_ahead) (gpointer parent, guint idle, guint n);
  void (*unref) (gpointer parent);
} WorkerParentFuncs;

/* A process that runs functions, as its caller sees it: it waits for frames on @channel_fd, reports
 * a crash on @report_fd, and prints on @output_fds. An executed process ends when @lifeline_fd is
 * closed, a forked one with its zygote. */
typedef struct
{
  Process *process;
  int channel_fd; /* until there is a @channel */
  int lifeline_fd;
  int report_fd;
  int output_fds[2];
  Journal journal; /* of maps */
  Cgroup *cgroup;  /* (nullable) */
  gpointer parent; /* (nullable): the zygote that forked it; NULL: it was executed */
  const WorkerParentFuncs *parent_funcs;
  guint n_spares;   /* that the zygote shall have for the next calls */
  guint spare_idle; /* and how long they wait, in ms */

  guint64 inherited_state; /* when it, or its zygote, was started: see zygotes_get_state() */
  gboolean is_kept;        /* for more than one call */
  ProcfunLimits *limits;   /* (nullable): of each of its calls; by g_atomic_rc_box_acquire() */
  gboolean knows_limits;   /* it was told */
  gboolean was_refused;    /* it was not started: the machine has no room for more processes now */

  /* From its first call on */
  Channel *channel;
  ProcfunCodec *codec;           /* that it was told to use; */
  gboolean is_packed;            /* which is GVariant's: values go as type-packed.h has them */
  guint64 max_payload;           /* likewise */
  ProcfunLaunchContext *context; /* (nullable): likewise */
  SandboxPlan *sandbox;          /* (nullable): likewise, */
  SandboxState confined;         /* and what became of it */
  char *initializer;             /* (nullable): the name of the one that it runs */
  char *trouble;                 /* (nullable): why that failed */
  gboolean has_greeted;
  guint32 call_id;     /* of its last call */
  guint64 quiet_until; /* the last of what has come so far with nothing beside it: a position of
                          channel_get_arrived() */
  GSource *source;     /* (nullable): that waited for it then, and is still in its main context */
  GMainContext *source_context; /* (nullable): this one, which must not go while another thread
                                   takes the source out of it */
  FrameState state;             /* after that */
  guint arena_idle;             /* time after which it gives shared memory back, in ms; 0: never */
  guint told_arena_idle;        /* that it knows of */
} Worker;

#define WORKER_INIT                                                                                \
  {                                                                                                \
    .channel_fd = -1, .lifeline_fd = -1, .report_fd = -1, .output_fds = { -1, -1 },                \
    .journal = { .fd = -1 }, .arena_idle = SETUP_ARENA_IDLE_MS,                                    \
    .told_arena_idle = SETUP_ARENA_IDLE_MS                                                         \
  }

/* Ends the process, too, if it has nothing more to do. */
void worker_clear (Worker *self);

/* Lets its zygote fork @n_spares processes; once. */
void worker_fork_ahead (Worker *self);

/* Takes the contents of @self, which is empty then. */
Worker worker_steal (Worker *self);

/* Forget the source that waited for the worker. */
void worker_drop_source (Worker *self);
void worker_keep_source (Worker *self, GSource *source);
GSource *worker_take_source (Worker *self); /* (transfer full) */

/* Before each call. @max_result: in bytes. */
void worker_open_channel (Worker *self, guint64 max_result);

/* It was told to use this one. */
void worker_set_codec (Worker *self, ProcfunCodec *codec);

/* A result is the end of its last call: the caller that takes it for the end ends the process, too.
 */
gboolean worker_ends_with_result (const Worker *self);

/* FrameCallFlags for its next call, as an exchange has it. */
guint64 worker_get_call_flags (const Worker *self);

/* From the bytes of a frame. */
void worker_set_state (Worker *self, GBytes *bytes);

/* Its memory has changed: a limit of its control group counts from what it has now. */
void worker_count_memory_anew (Worker *self);

/* Whether its initializer has failed; if so, the error of its next call tells why. */
gboolean worker_is_unprepared (const Worker *self);
void worker_note_error (Worker *self, const GError *error);

/* The process is there no more, and its zygote neither. */
gboolean worker_is_lost (Worker *self);

/* Kills the processes that it has left behind. */
void worker_kill_family (Worker *self);

/* Number of its zygote; 0: there is none. */
pid_t worker_get_parent_pid (Worker *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Worker, worker_clear)
