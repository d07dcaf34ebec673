/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* The thread or main context that will bring a call to its end, or give a worker back. */
typedef struct
{
  GThread *thread;       /* unowned; that asked */
  GMainContext *context; /* (nullable) */
  gboolean is_stuck;     /* its thread waits for this scheduler */
} Owner;

/* @context: (nullable): of an asynchronous call */
void owner_init (Owner *self, GMainContext *context);
void owner_copy (Owner *self, const Owner *from);
void owner_clear (Owner *self);

/* Whether only this thread can do what the owner has to do. */
gboolean owner_is_here (const Owner *self);

/* Marks the owner if it is here. FALSE: it is not. */
gboolean owner_mark (Owner *self, gboolean is_stuck);
