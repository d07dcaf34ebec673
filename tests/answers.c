/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/answers.h"

#include "tests/plain-calls.h"

#include "procfun/core/plain-async.h"

void
answer_on_result (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Answer *self = user_data;

  g_assert_false (self->has_come);
  self->has_come = TRUE;
  self->needed_object = !PLAIN_IS_ASYNC (result);
  self->result = g_object_ref (result);
  self->context = g_main_context_get_thread_default ();
}

void
answer_wait (Answer *self)
{
  while (!self->has_come)
    g_main_context_iteration (g_main_context_get_thread_default (), TRUE);
}

void
answer_clear (Answer *self)
{
  g_clear_object (&self->result);
  *self = (Answer){ FALSE };
}

gint
answer_give_int (gint value, gboolean *needed_object, GError **error)
{
  Answer answer = { FALSE };
  gint result;

  give_int_process_async (value, NULL, answer_on_result, &answer);
  answer_wait (&answer);
  if (needed_object != NULL)
    *needed_object = answer.needed_object;
  result = give_int_process_finish (answer.result, error);
  answer_clear (&answer);
  return result;
}
