/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/context.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"

/**
 * SECTION:procfun-context
 * @title: In the function
 * @short_description: what the body of a function may ask
 *
 * A function runs where it is called: in its caller's process by its own name, in a child by
 * `name_process()`. These functions tell it where it is.
 */

static gint is_child;
static Running *running_in_child;
static __thread Running *running_in_thread;
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

Running *
procfun_context_set_running (Running *running)
{
  Running *before;

  if (procfun_is_child ())
    {
      before = g_atomic_pointer_get (&running_in_child);
      g_atomic_pointer_set (&running_in_child, running);
      return before;
    }
  before = running_in_thread;
  running_in_thread = running;
  return before;
}

static Running *
get_running (void)
{
  return procfun_is_child () ? g_atomic_pointer_get (&running_in_child) : running_in_thread;
}

/**
 * procfun_get_cancellable:
 *
 * Gets what trips when the call of the function that runs is to end: the caller has cancelled it,
 * or its time is up. From then on the function has the grace period of the call to end by itself.
 *
 * In a child, the first call of this starts a thread that listens to the caller.
 *
 * Returns: (transfer none) (nullable): the cancellable, which lives as long as the function runs;
 * %NULL when this is no function that procfun runs
 *
 * Since: 0.1
 */
GCancellable *
procfun_get_cancellable (void)
{
  Running *running = get_running ();

  if (running == NULL)
    return NULL;
  if (running->listen != NULL && g_atomic_int_compare_and_exchange (&running->listens, FALSE, TRUE))
    running->listen (running->user_data);
  return running->cancellable;
}

/**
 * procfun_get_deadline:
 *
 * Gets when the call of the function that runs must have ended, so that the function can do as much
 * as there is time for.
 *
 * Returns: a time in microseconds as of g_get_monotonic_time(), or 0 when there is none
 *
 * Since: 0.1
 */
gint64
procfun_get_deadline (void)
{
  Running *running = get_running ();

  return running != NULL ? running->deadline : 0;
}

static void
report (const Event *event)
{
  Running *running = get_running ();

  if (running != NULL && running->report != NULL)
    running->report (event, running->user_data);
}

/**
 * procfun_report_progress:
 * @fraction: how far the function is, from 0 to 1
 * @message: (nullable): what it is doing
 *
 * Tells the caller how far the function that runs is: see #ProcfunCall::progress. Does nothing
 * elsewhere. This is cheap enough for an inner loop.
 *
 * Since: 0.1
 */
void
procfun_report_progress (double fraction, const char *message)
{
  const Event event = { "progress", fraction, message, TRUE };

  report (&event);
}

gboolean
procfun_context_wants_item (ProcfunFunction *generator)
{
  Running *running = get_running ();

  return running != NULL && running->generator != NULL
         && (generator == NULL || generator == running->generator)
         && g_atomic_pointer_get (&running->item_error) == NULL
         && !g_cancellable_is_cancelled (running->cancellable);
}

gboolean
procfun_context_yield (GVariant *item, GUnixFDList *fds)
{
  Running *running = get_running ();

  return running->yield (item, fds, running->user_data);
}

void
procfun_context_fail_item (GError *error)
{
  Running *running = get_running ();

  if (!g_atomic_pointer_compare_and_exchange (&running->item_error, NULL, error))
    g_error_free (error);
}

/**
 * procfun_yield_item:
 * @item: the next item, of the type that was registered; if floating, it is sunk
 *
 * Yields an item, in the handler of a generator that is registered at run time with
 * procfun_registry_register_generator(). Waits as long as the caller is not ready for more.
 * Generators that macros define have a `name_yield()` of their own.
 *
 * An item of another type, or one that cannot be sent, fails the call, with %PROCFUN_ERROR_ENCODE
 * mostly.
 *
 * Returns: %TRUE, or %FALSE when no more is wanted and the handler is to return
 *
 * Since: 0.1
 */
gboolean
procfun_yield_item (GVariant *item)
{
  g_autoptr (GVariant) sunk = NULL;
  const GVariantType *type;
  ProcfunFunction *function;

  g_return_val_if_fail (item != NULL, FALSE);

  sunk = g_variant_ref_sink (item);
  if (!procfun_context_wants_item (NULL))
    return FALSE;
  function = get_running ()->generator;
  type = procfun_function_get_return_type (function);
  if (g_variant_is_of_type (item, type))
    return procfun_context_yield (item, NULL);
  procfun_context_fail_item (g_error_new (
      PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, _ ("%s() yielded “%s” instead of “%.*s”"),
      procfun_function_get_name (function), g_variant_get_type_string (item),
      (int)g_variant_type_get_string_length (type), g_variant_type_peek_string (type)));
  return FALSE;
}
