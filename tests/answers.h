/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

/* An answer, as a callback was given it. */
typedef struct
{
  gboolean has_come;
  gboolean needed_object;
  GAsyncResult *result;
  GMainContext *context; /* the default of the thread then */
} Answer;

/* The callback; its data is an Answer. */
void answer_on_result (GObject *source, GAsyncResult *result, gpointer answer);

/* Runs the main context of the thread until it has come. */
void answer_wait (Answer *self);
void answer_clear (Answer *self);

/* Calls give_int(), and waits. @needed_object: (nullable) */
gint answer_give_int (gint value, gboolean *needed_object, GError **error);
