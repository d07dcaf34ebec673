/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>

/* The settings of a process that one call may leave changed for the next, and that it takes dozens
 * of system calls to look at. Signal dispositions, timers, resource limits, the scheduling, the
 * standard descriptors' flags and those of procfun are restored; what cannot be restored, or not
 * safely, is found. */
typedef struct _Settings Settings;

/* As they are now. */
Settings *settings_new (void);

void settings_free (Settings *self);

/* What of the environment and the locale differs: FrameLeftovers. No system call. */
guint64 settings_compare_memory (Settings *self);

/* Restores all others and tells what differs nevertheless: FrameLeftovers. The working directory
 * must have been restored. */
guint64 settings_restore (Settings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Settings, settings_free)
