/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* The thread that speaks with all hosts of this process. It answers while the program computes, or
 * hosts would take the program for dead. It is there as long as somebody holds it, and has all
 * signals blocked. As long as one thread waits for the only call, that does its work: otherwise
 * each would have to wake the other one. */

/* Its main context. (transfer none) (nullable): the machine has no room for a thread */
GMainContext *io_thread_hold (void);

/* Also in the thread itself, which ends after that if it was the last holder. @context: what the
 * other gave. */
void io_thread_release (GMainContext *context);

/* In any thread: a call has begun, or ended. */
void io_thread_add_call (void);
void io_thread_drop_call (void);

/* Likewise: there is work for which nobody waits. */
void io_thread_nudge (void);

typedef struct _IoThread IoThread;
typedef struct _IoMask IoMask;

/* A thread that waits. */
typedef struct
{
  void (*func) (gpointer user_data); /* from now on it works; called in the other thread */
  gpointer user_data;
  IoThread *thread; /* (nullable): there is none */
  IoMask *mask;     /* (nullable): it has not worked */
} IoWaiter;

/* It begins to wait. TRUE: it works from now on. */
gboolean io_thread_join (IoWaiter *self);

/* Works, or waits until there is something to do. */
void io_thread_work (IoWaiter *self);

/* It waits no more. */
void io_thread_leave (IoWaiter *self);
