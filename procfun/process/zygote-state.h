/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/process/deaths.h"
#include "procfun/process/preloads.h"
#include "procfun/process/spares.h"
#include "procfun/process/zygote.h"

/* State that zygote.c, which waits in a thread, and zygote-try.c, which does not wait, share. */

/* How long a fork may take on a machine that is very busy. Then it has been stopped, or worse. */
#define ZYGOTE_FORK_MAX_MS 5000

/* How long it mostly takes by far at most. Then it may have been stopped, also by a function that
 * it has forked and that may signal it. */
#define ZYGOTE_FORK_MS 100

struct _Zygote
{
  gatomicrefcount ref_count;
  Worker process;          /* of the zygote itself */
  ExchangeOptions options; /* that its children have */
  guint64 state;           /* inherited by it, and so by its children */
  guint owner;             /* which of the program's processes started it */
  char *identity;          /* of the module */

  GMutex lock;
  Spares spares;
  guint n_wanted; /* that were asked for and have not come */
  gint64 used_at; /* when one was last replaced */
  Deaths *deaths; /* for kernels that do not tell */
  GError *error;  /* (nullable): why none came */
  Preloads preloads;
  GError *start_error; /* (nullable): why it has not started, where calls are told so */
  gboolean has_forked;
  gboolean has_own_numbers; /* it has another pid namespace */
  gboolean has_ended;       /* or does not answer */
  gboolean is_stuck;        /* does not answer */
  gint64 started_at;        /* monotonic time in µs */
  gint64 failed_at;         /* the same: it has not started; 0: it has, or may */

  /* Those that wait for what it says */
  guint n_waiting;     /* for a process each */
  gboolean has_reader; /* a thread sleeps on the channel, and reads it alone */
  guint n_sleeping;    /* other threads */
  GCond news;          /* for them */
  GQueue watchers;     /* (element-type GSource) (unowned): main contexts */
};

/* With the lock held: */

/* Takes what has come, unless a thread sleeps on the channel. */
void zygote_receive (Zygote *self);

/* And has prepared itself. */
gboolean zygote_has_greeted (Zygote *self);
gint64 zygote_get_start_end (Zygote *self);

/* The time of a call limits what runs in its process before it, too. 0: it does not. */
gint64 zygote_get_timeout (const Zygote *self, ProcfunCall *call);

/* As many processes as callers wait, and none twice. */
void zygote_ask_for_those_who_wait (Zygote *self, guint idle);

/* It goes on if somebody has stopped it. */
void zygote_continue (Zygote *self);

/* It gives no more, and never did. The second form is for one that does not start. */
void zygote_give_up (Zygote *self, GError **error);
void zygote_fail_to_start (Zygote *self, GError **error);

/* Without the lock. */
void zygote_become_parent (Zygote *self, Worker *worker);
