/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* Settings of a process that a call may change for the next one, and that take dozens of system
 * calls to read. Signal dispositions, timers, resource limits, the scheduling, and the flags of the
 * standard descriptors and of those of procfun are restored. Changes that cannot be restored, or
 * not safely, are found. */
typedef struct _Settings Settings;

/* As they are now. */
Settings *settings_new (void);

void settings_free (Settings *self);

/* Differences of the environment and the locale: FrameLeftovers. No system call. */
guint64 settings_compare_memory (Settings *self);

/* Restores all other settings, and tells which differ nevertheless: FrameLeftovers. The working
 * directory must have been restored. */
guint64 settings_restore (Settings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Settings, settings_free)
