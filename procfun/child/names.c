/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/names.h"

#include "procfun/child/symbolise.h"
#include "procfun/platform/confine.h"
#include "procfun/platform/lines.h"
#include "procfun/platform/memfd.h"
#include "procfun/platform/symbols.h"
#include "procfun/wire/names.h"
#include <string.h>
#include <unistd.h>

/* Sanitizers take some memory for each byte, and time for each access. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define INSTRUMENTED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define INSTRUMENTED 1
#endif
#endif
#ifndef INSTRUMENTED
#define INSTRUMENTED 0
#endif

#define MEMORY_MAX (INSTRUMENTED ? 0 : (guint64)256 * 1024 * 1024)
#define CPU_US (INSTRUMENTED ? 900 * 1000 : 250 * 1000)

/* For names and lines: the rest is for what is on its way when it is used up. */
#define BUDGET_US (CPU_US * 4 / 5)

gboolean
names_is_asked (int argc, char **argv)
{
  return argc == 2 && g_str_equal (argv[1], NAMES_ARGUMENT);
}

/* The request */

typedef struct
{
  NamesRequest head;
  const CrashModule *modules;
  const guint8 *addresses;
} Request;

static gboolean
read_request (Request *self)
{
  gboolean is_constant;
  const gsize size = memfd_check (STDIN_FILENO, &is_constant);
  const guint8 *data = memfd_map_to_read (STDIN_FILENO, 0, size, is_constant);

  if (data == NULL || size < sizeof self->head)
    return FALSE;
  memcpy (&self->head, data, sizeof self->head);
  self->modules = (const CrashModule *)(gconstpointer)(data + sizeof self->head);
  self->addresses = (const guint8 *)(self->modules + self->head.n_modules);
  return self->head.magic == NAMES_MAGIC && self->head.n_modules <= NAMES_MAX_MODULES
         && self->head.n_addresses <= NAMES_MAX_ADDRESSES
         && size
                == sizeof self->head + self->head.n_modules * sizeof (CrashModule)
                       + self->head.n_addresses * sizeof (guint64);
}

/* The answer */

static void
add_text (GByteArray *bytes, const char *text)
{
  const gsize length = strnlen (text, NAMES_MAX_TEXT - 1);

  g_byte_array_append (bytes, (const guint8 *)text, (guint)length);
  g_byte_array_append (bytes, (const guint8 *)"", 1);
}

static void
on_place (const char *function, const char *text, gboolean is_runtime, gpointer user_data)
{
  GByteArray *bytes = user_data;
  const guint8 kind = is_runtime ? NAMES_RUNTIME : NAMES_PLACE;

  g_byte_array_append (bytes, &kind, sizeof kind);
  add_text (bytes, function != NULL ? function : "");
  add_text (bytes, text);
}

/* TRUE: somebody reads it. */
static gboolean
write_all (const guint8 *data, gsize size)
{
  gssize n = 1;

  for (gsize done = 0; done < size && n > 0; done += (gsize)MAX (n, 0))
    n = write (STDOUT_FILENO, data + done, size - done);
  return n > 0;
}

/* At once, since the next place may be the one that ends the process. */
static gboolean
answer (Symboliser *symboliser, guint64 address)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  NamesEntry entry = { .magic = NAMES_MAGIC, .address = address };

  g_byte_array_set_size (bytes, sizeof entry);
  symboliser_find (symboliser, address, on_place, bytes);
  entry.size = bytes->len - (guint)sizeof entry;
  memcpy (bytes->data, &entry, sizeof entry);
  return write_all (bytes->data, bytes->len);
}

void
names_serve (void)
{
  g_autoptr (Symboliser) symboliser = symboliser_new (BUDGET_US);
  Request request;

  confine_begin (CPU_US);
  if (!read_request (&request))
    _exit (2);
  for (guint i = 0; i < request.head.n_modules; i++)
    symboliser_add_module (symboliser, &request.modules[i]);
  symbols_prepare (request.head.with_cxx != 0);
  lines_prepare ();
  confine (MEMORY_MAX);
  for (guint i = 0; i < request.head.n_addresses; i++)
    {
      guint64 address;

      memcpy (&address, request.addresses + i * sizeof address, sizeof address);
      if (!answer (symboliser, address))
        break;
    }
  _exit (0);
}
