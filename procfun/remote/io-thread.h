/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* The thread that speaks with all hosts of this process. It answers while the program computes, or
 * hosts would take the program for dead. It is there as long as somebody holds it, and has all
 * signals blocked. */

/* Its main context. (transfer none) (nullable): the machine has no room for a thread */
GMainContext *io_thread_hold (void);

/* Also in the thread itself, which ends after that if it was the last holder. @context: what the
 * other gave. */
void io_thread_release (GMainContext *context);
