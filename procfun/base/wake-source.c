/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/wake-source.h"

GSource *
wake_source_new (GSourceFuncs *funcs, gsize size)
{
  GSource *source = g_source_new (funcs, (guint)size);

  g_source_set_can_recurse (source, TRUE);
  return source;
}

void
wake_source_attach (WakeSource *self, GMainContext *context)
{
  self->context = context;
  g_source_attach (&self->source, context);
}

gboolean
wake_source_prepare (GSource *source, int *timeout)
{
  WakeSource *self = (WakeSource *)source;

  *timeout = -1;
  if (g_atomic_int_get (&self->is_ready))
    return TRUE;
  if (self->next > 0)
    *timeout = (int)CLAMP ((self->next - g_source_get_time (source) + 999) / 1000, 0, G_MAXINT);
  return *timeout == 0;
}

gboolean
wake_source_check (GSource *source)
{
  WakeSource *self = (WakeSource *)source;

  return g_atomic_int_get (&self->is_ready)
         || (self->next > 0 && self->next <= g_source_get_time (source));
}

void
wake_source_begin (WakeSource *self)
{
  g_atomic_int_set (&self->is_ready, FALSE);
  self->next = 0;
}

/* A thread that runs the main context looks before it sleeps. */
void
wake_source_wake (WakeSource *self)
{
  if (g_atomic_int_compare_and_exchange (&self->is_ready, FALSE, TRUE)
      && !g_main_context_is_owner (self->context))
    g_main_context_wakeup (self->context);
}
