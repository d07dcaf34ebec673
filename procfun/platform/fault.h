/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <signal.h>

/* State of the processor when a signal came, from the arguments of its handler, where all of this
 * may be called. A field that this processor does not tell, or that is not understood here, is 0.
 */

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

/* A call of an address without a function has no frame from which the stack could be read. Makes
 * @context that of the calling instruction, and returns the address to which that call would have
 * returned, or 0 when it cannot be undone. May read anywhere. */
guintptr fault_undo_call (const Fault *self, void *context);

guintptr fault_get_pc (const void *context);

/* Makes @context again what it was. */
void fault_redo_call (const Fault *self, void *context);
