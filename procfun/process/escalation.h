/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/platform/cgroup.h"
#include "procfun/platform/process.h"
#include "procfun/procfun-failure.h"
#include "procfun/wire/channel.h"

/* How a process is ended that has not ended by itself: it is asked, then SIGTERM, then SIGKILL,
 * with a grace period after each of the first two. */
typedef struct
{
  Process *process; /* unowned */
  Channel *channel; /* unowned */
  guint32 call_id;
  Cgroup *cgroup;    /* unowned (nullable) */
  gint64 grace;      /* in µs */
  gboolean listens;  /* the function asked for its cancellable, so asking it makes sense */
  ProcfunStep step;  /* the last one taken */
  gint64 next_at;    /* of the next one: monotonic time in µs; 0: none */
  guint n_looks;     /* whether all are stopped, before SIGKILL */
  gint64 in_vain_at; /* then a process that was killed and lives on will not die; 0: not killed */
} Escalation;

/* Takes the first step, if none is taken yet. */
void escalation_begin (Escalation *self);

/* Goes to the last step at once. */
void escalation_kill (Escalation *self);

/* Takes the next step when its time has come. */
void escalation_advance (Escalation *self);

/* It was killed, and need not be waited for any longer. */
gboolean escalation_is_in_vain (const Escalation *self);
