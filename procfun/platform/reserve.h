/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

#define RESERVE_MAX_DESCRIPTORS 16
#define RESERVE_MAX_TASKS 2

/* Descriptors and tasks that are held for GLib, and let go just before it needs them: GLib ends the
 * program when it finds none left. */
typedef struct
{
  int fds[RESERVE_MAX_DESCRIPTORS];
  guint n_fds;
  GThread *tasks[RESERVE_MAX_TASKS];
  guint n_tasks;
  GMutex lock;
  GCond let_go;
  gboolean is_let_go;
} Reserve;

/* Holds so many of each. Fails with %PROCFUN_ERROR_SPAWN, and then holds nothing. @self is zeroed
 * memory. */
gboolean reserve_hold (Reserve *self, guint n_fds, guint n_tasks, GError **error);
void reserve_let_go (Reserve *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reserve, reserve_let_go)
