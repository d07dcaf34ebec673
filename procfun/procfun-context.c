/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/procfun-context-private.h"

/**
 * SECTION:procfun-context
 * @title: In the function
 * @short_description: what the body of a function may ask
 *
 * A function runs where it is called: in its caller's process by its own name, in a child by
 * `name_process()`. These functions tell it where it is.
 */

static gint is_child;
static gint depth;
static gint serves;

/**
 * procfun_is_child:
 *
 * Tells whether this process was started to run a function, so that main() has not run and never
 * will.
 *
 * Returns: %TRUE in a process that procfun started for a call
 *
 * Since: 0.1
 */
gboolean
procfun_is_child (void)
{
  return g_atomic_int_get (&is_child);
}

void
procfun_context_set_child (void)
{
  g_atomic_int_set (&is_child, TRUE);
}

void
procfun_context_set_depth (guint value)
{
  g_atomic_int_set (&depth, (gint)value);
}

guint
procfun_context_get_depth (void)
{
  return (guint)g_atomic_int_get (&depth);
}

void
procfun_context_set_serves (void)
{
  g_atomic_int_set (&serves, TRUE);
}

gboolean
procfun_context_serves (void)
{
  return g_atomic_int_get (&serves);
}
