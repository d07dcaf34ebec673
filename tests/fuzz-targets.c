/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fuzz-targets.h"

#include <string.h>

const FuzzTarget fuzz_targets[] = {
  { "caller", fuzz_caller },
  { "child", fuzz_child, fuzz_child_clear },
  { "crash", fuzz_crash },
  { "elf", fuzz_elf },
  { "error", fuzz_error },
  { "gvariant", fuzz_gvariant },
  { "hello", fuzz_hello },
  { "hosts", fuzz_hosts },
  { "journal", fuzz_journal },
  { "json", fuzz_json },
  { "limits", fuzz_limits },
  { "monitor", fuzz_monitor, fuzz_monitor_clear },
  { "packet", fuzz_packet },
  { "reply", fuzz_reply },
  { "ring", fuzz_ring, fuzz_ring_clear },
  { "sandbox", fuzz_sandbox },
  { "setup", fuzz_setup },
  { "socket", fuzz_socket },
  { "symbol", fuzz_symbol },
};

const gsize fuzz_n_targets = G_N_ELEMENTS (fuzz_targets);

const FuzzTarget *
fuzz_find_target (const char *name)
{
  for (gsize i = 0; i < fuzz_n_targets; i++)
    if (strcmp (fuzz_targets[i].name, name) == 0)
      return &fuzz_targets[i];
  return NULL;
}

static guint64
take (FuzzInput *self, gsize size)
{
  const gsize n = MIN (size, self->size);
  guint64 number = 0;

  if (n > 0)
    memcpy (&number, self->data, n);
  self->data += n;
  self->size -= n;
  return GUINT64_FROM_LE (number);
}

guint8
fuzz_take_byte (FuzzInput *self)
{
  return (guint8)take (self, 1);
}

guint16
fuzz_take_short (FuzzInput *self)
{
  return (guint16)take (self, 2);
}

guint64
fuzz_take_word (FuzzInput *self)
{
  return take (self, 8);
}

GBytes *
fuzz_take_bytes (FuzzInput *self, gsize size)
{
  const gsize n = MIN (size, self->size);
  GBytes *bytes = g_bytes_new (self->data, n);

  self->data += n;
  self->size -= n;
  return bytes;
}

char *
fuzz_take_line (FuzzInput *self)
{
  const guint8 *end = self->size > 0 ? memchr (self->data, '\n', self->size) : NULL;
  const gsize n = end != NULL ? (gsize)(end - self->data) : self->size;
  char *line = g_strndup ((const char *)self->data, n);

  self->data += MIN (n + 1, self->size);
  self->size -= MIN (n + 1, self->size);
  return line;
}

void
fuzz_touch (gconstpointer data, gsize size)
{
  for (gsize i = 0; i < size; i++)
    (void)((const volatile guint8 *)data)[i];
}
