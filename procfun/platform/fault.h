/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <signal.h>

/* What the processor was doing when a signal came, from the arguments of its handler, where all of
 * this may be called. What this processor does not tell, or is not understood here, is 0. */

typedef enum
{
  FAULT_UNKNOWN,
  FAULT_READ,
  FAULT_WRITE,
  FAULT_EXECUTE
} FaultAccess;

typedef struct
{
  guintptr pc;
  guintptr sp; /* 0: nothing is known of this processor */
  FaultAccess access;
  gboolean has_address;    /* of a fault in memory */
  gboolean stack_overflow; /* there is no room for another frame */
} Fault;

void fault_read (Fault *self, const siginfo_t *info, const void *context);

/* What was called where there is no function has no frame that the stack could be read from.
 * Makes @context that of the instruction which called, and returns where that call would have
 * returned to, or 0 when it cannot be undone. May read anywhere. */
guintptr fault_undo_call (const Fault *self, void *context);

guintptr fault_get_pc (const void *context);

/* Makes @context what it was. */
void fault_redo_call (const Fault *self, void *context);
