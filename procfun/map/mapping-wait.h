/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "procfun/map/mapping.h"

/* Waits in this thread, without a main context, until there is a batch to take or it has ended. */
void mapping_wait (Mapping *self, GCancellable *cancellable);

/* Does the same in the main context that is this thread's default now: @callback is called there,
 * from no call of this function, once there is a batch or it has ended. Between two of these the
 * workers go on, as long as there is room for what they bring. */
typedef void (*MappingFunc) (gpointer user_data);
void mapping_wait_async (Mapping *self, GCancellable *cancellable, MappingFunc callback,
                         gpointer user_data);
