/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <procfun.h>

/* Takes the items of a call, in one of the two ways: in this thread, or on a main context made for
 * it. */
typedef struct
{
  const char *name;
  const char *codec;
  gboolean async;
} ReaderMode;

extern const ReaderMode reader_modes[4];

typedef struct
{
  ProcfunCall *call;
  GMainContext *context; /* (nullable) */
} Reader;

/* Takes @call, and gives it a spawner of its own. */
Reader reader_new (ProcfunCall *call, const ReaderMode *mode);

GVariant *reader_next (Reader *self, GCancellable *cancellable, GError **error);

/* Asynchronously, for who takes the item by its C type. */
GAsyncResult *reader_wait (Reader *self, GCancellable *cancellable);

/* Takes @n items; there must be as many. */
void reader_skip (Reader *self, guint n);

/* Takes the rest, as g_variant_print() writes it, with blanks between. */
char *reader_print_rest (Reader *self, GError **error);

/* Until the function waits for something. */
void reader_wait_until_it_sleeps (Reader *self);

/* Drops the call, and waits until it is gone. */
void reader_clear (Reader *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Reader, reader_clear)
