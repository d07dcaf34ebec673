/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/core/recorder.h"
#include "procfun/procfun-executor.h"

G_BEGIN_DECLS

typedef struct _ExecutorEntry ExecutorEntry;

/* State of the base class, for core/executor*.c alone. */
typedef struct
{
  guint process; /* of the program's, whose calls are counted: see platform/inherited-state.h */
  GMutex lock;
  GCond idle;      /* nothing runs */
  guint n_threads; /* threads that wait on @idle */
  gboolean closed;
  ProcfunCloseFlags close_flags;
  guint n_running;
  GQueue waiting; /* (element-type GSource): main contexts that wait for the same */
  GQueue calls;   /* (element-type ProcfunCall) (unowned): those that run, by a class that does not
                     override `end_calls` */
  Recorder *recorder;
  guint number;
  ExecutorEntry *entry;
} ExecutorState;

ExecutorState *procfun_executor_get_state (ProcfunExecutor *self);

/* Default of `end_calls`. */
void procfun_executor_real_end_calls (ProcfunExecutor *self, ProcfunCloseFlags flags);

/* With the lock held. */
void procfun_executor_announce_idle (ExecutorState *state);

G_END_DECLS
