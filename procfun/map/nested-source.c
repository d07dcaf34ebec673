/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/map/nested-source.h"

#include <string.h>

typedef struct
{
  GSource source;
  GMainContext *inner;
  GPollFD *fds; /* which the outer main context polls */
  int n_fds;
  int priority; /* of what is ready in the inner one */
} NestedSource;

static void
clear_fds (NestedSource *self)
{
  for (int i = 0; i < self->n_fds; i++)
    g_source_remove_poll (&self->source, &self->fds[i]);
  g_clear_pointer (&self->fds, g_free);
  self->n_fds = 0;
}

static gboolean
are_the_same (const GPollFD *one, const GPollFD *other, int n)
{
  for (int i = 0; i < n; i++)
    if (one[i].fd != other[i].fd || one[i].events != other[i].events)
      return FALSE;
  return TRUE;
}

/* Takes @fds. */
static void
set_fds (NestedSource *self, GPollFD *fds, int n)
{
  if (n == self->n_fds && are_the_same (self->fds, fds, n))
    {
      g_free (fds);
      return;
    }
  clear_fds (self);
  self->fds = fds;
  self->n_fds = n;
  for (int i = 0; i < n; i++)
    g_source_add_poll (&self->source, &self->fds[i]);
}

static gboolean
nested_source_prepare (GSource *source, int *timeout)
{
  NestedSource *self = (NestedSource *)source;
  GPollFD *fds = NULL;
  int n = 0, n_room = 0;
  gboolean is_ready;

  *timeout = -1;
  if (!g_main_context_acquire (self->inner))
    return FALSE;
  is_ready = g_main_context_prepare (self->inner, &self->priority);
  while ((n = g_main_context_query (self->inner, self->priority, timeout, fds, n_room)) > n_room)
    {
      n_room = n;
      fds = g_renew (GPollFD, fds, n);
      memset (fds, 0, (gsize)n * sizeof *fds);
    }
  set_fds (self, fds, n);
  g_main_context_release (self->inner);
  return is_ready;
}

static gboolean
nested_source_check (GSource *source)
{
  NestedSource *self = (NestedSource *)source;
  gboolean is_ready = FALSE;

  if (g_main_context_acquire (self->inner))
    {
      is_ready = g_main_context_check (self->inner, self->priority, self->fds, self->n_fds);
      g_main_context_release (self->inner);
    }
  return is_ready;
}

/* Whole iterations, since what was ready when it was looked at may have been dealt with. */
static gboolean
nested_source_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  g_autoptr (GMainContext) inner = g_main_context_ref (((NestedSource *)source)->inner);

  g_main_context_push_thread_default (inner);
  g_main_context_iteration (inner, FALSE);
  g_main_context_pop_thread_default (inner);
  return G_SOURCE_CONTINUE;
}

static void
nested_source_finalize (GSource *source)
{
  NestedSource *self = (NestedSource *)source;

  g_free (self->fds);
  g_main_context_unref (self->inner);
}

GSource *
nested_source_new (GMainContext *inner)
{
  static GSourceFuncs funcs = { .prepare = nested_source_prepare,
                                .check = nested_source_check,
                                .dispatch = nested_source_dispatch,
                                .finalize = nested_source_finalize };
  GSource *source = g_source_new (&funcs, sizeof (NestedSource));

  ((NestedSource *)source)->inner = g_main_context_ref (inner);
  g_source_set_static_name (source, "procfun nested");
  return source;
}
