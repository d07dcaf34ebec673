/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/process/back-off.h"

void
back_off_fail (BackOff *self, gint64 least, gint64 most)
{
  self->wait = MIN (MAX (2 * self->wait, least), most);
  self->retry_at = g_get_monotonic_time () + self->wait;
}

void
back_off_reset (BackOff *self)
{
  *self = (BackOff){ 0 };
}

gint64
back_off_get_rest (const BackOff *self)
{
  return self->retry_at > 0 ? MAX (self->retry_at - g_get_monotonic_time (), 0) : 0;
}
