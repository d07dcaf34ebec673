/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/schedule/owner.h"

void
owner_init (Owner *self, GMainContext *context)
{
  self->thread = g_thread_self ();
  self->is_stuck = FALSE;
  self->context = context != NULL ? g_main_context_ref (context) : NULL;
}

void
owner_copy (Owner *self, const Owner *from)
{
  *self = *from;
  if (self->context != NULL)
    g_main_context_ref (self->context);
}

void
owner_clear (Owner *self)
{
  g_clear_pointer (&self->context, g_main_context_unref);
  self->thread = NULL;
}

/* A main context that no thread runs counts as run by the thread that used it. */
gboolean
owner_is_here (const Owner *self)
{
  if (self->context == NULL)
    return self->thread == g_thread_self ();
  if (g_main_context_is_owner (self->context))
    return TRUE;
  if (self->thread != g_thread_self () || !g_main_context_acquire (self->context))
    return FALSE;
  g_main_context_release (self->context);
  return TRUE;
}

gboolean
owner_mark (Owner *self, gboolean is_stuck)
{
  if (!owner_is_here (self))
    return FALSE;
  self->is_stuck = is_stuck;
  return TRUE;
}
