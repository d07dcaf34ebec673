/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/schedule/scheduler.h"

/* A thread that is to be woken when the lock is free, as it needs that; zero: there is none. */
typedef struct
{
  GCond *assigned; /* (nullable): of the thread */
  Waiter *waiter;  /* (nullable): its call is to be sent before, and it waits for that */
} HandOver;

/* @waiter was assigned a worker: wakes it now, or notes it as the one to be woken. @self:
 * (nullable): nothing is noted. With the lock held. */
void hand_over_prepare (HandOver *self, Waiter *waiter);

/* Sends its call, and wakes the thread. Without the lock. */
void hand_over_run (HandOver *self, Scheduler *scheduler);
