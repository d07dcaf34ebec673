/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/kind.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-values.h"
#include "procfun/values/buffer.h"
#include <errno.h>
#include <fcntl.h>
#include <gio/gfiledescriptorbased.h>
#include <gio/gunixinputstream.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

gpointer
kind_encode_error (GError **error, const char *what)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE, ": %s", what);
  return NULL;
}

gboolean
kind_decode_error (GError **error, const char *format, ...)
{
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE, ": %s", what);
  return FALSE;
}

void
kind_error_at_index (GError **error, gsize index)
{
  g_prefix_error (error, "/%" G_GSIZE_FORMAT, index);
}

void
kind_unref_all (GVariant **children, gsize n_children)
{
  for (gsize i = 0; i < n_children; i++)
    g_variant_unref (children[i]);
}

static GVariant *
encode_void (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  return g_variant_new_tuple (NULL, 0);
}

static gboolean
decode_void (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value, GError **error)
{
  return TRUE;
}

/* Strings */

static GVariant *
new_string (const char *string, GError **error)
{
  gsize length;
  char *copy;

  if (string == NULL)
    return kind_encode_error (error, _ ("is NULL"));
  length = strlen (string);
  if (!g_utf8_validate (string, length, NULL))
    return kind_encode_error (error, _ ("is not valid UTF-8"));

  /* g_variant_new_string() would validate it again. */
  copy = g_memdup2 (string, length + 1);
  return g_variant_new_from_data (G_VARIANT_TYPE_STRING, copy, length + 1, TRUE, g_free, copy);
}

static GVariant *
encode_string (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  return new_string (*(const char *const *)value, error);
}

static gboolean
decode_string (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
               GError **error)
{
  *(char **)value = g_variant_dup_string (variant, NULL);
  return TRUE;
}

static void
clear_string (gpointer value)
{
  g_free (*(char **)value);
}

static GVariant *
encode_maybe_string (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  const char *string = *(const char *const *)value;
  GVariant *child = NULL;

  if (string != NULL && (child = new_string (string, error)) == NULL)
    return NULL;
  return g_variant_new_maybe (G_VARIANT_TYPE_STRING, child);
}

static gboolean
decode_maybe_string (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
                     GError **error)
{
  g_autoptr (GVariant) child = g_variant_get_maybe (variant);

  *(char **)value = child != NULL ? g_variant_dup_string (child, NULL) : NULL;
  return TRUE;
}

static GVariant *
encode_strv (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  g_autofree GVariant **children = NULL;
  const GStrv strv = *(const GStrv *)value;
  gsize length;

  if (strv == NULL)
    return kind_encode_error (error, _ ("is NULL"));

  length = g_strv_length (strv);
  children = g_new (GVariant *, length);
  for (gsize i = 0; i < length; i++)
    if ((children[i] = new_string (strv[i], error)) == NULL)
      {
        kind_unref_all (children, i);
        kind_error_at_index (error, i);
        return NULL;
      }
  return g_variant_new_array (G_VARIANT_TYPE_STRING, children, length);
}

static gboolean
decode_strv (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value, GError **error)
{
  *(GStrv *)value = g_variant_dup_strv (variant, NULL);
  return TRUE;
}

static void
clear_strv (gpointer value)
{
  g_strfreev (*(GStrv *)value);
}

/* Bytes and variants */

static GVariant *
encode_bytes (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  GBytes *bytes = *(GBytes *const *)value;

  if (bytes == NULL)
    return kind_encode_error (error, _ ("is NULL"));
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static gboolean
decode_bytes (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value, GError **error)
{
  *(GBytes **)value = g_variant_get_data_as_bytes (variant);
  return TRUE;
}

static void
clear_bytes (gpointer value)
{
  g_clear_pointer ((GBytes **)value, g_bytes_unref);
}

/* Buffers, of which a function gets a copy to write */

static GVariant *
encode_buffer (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  ProcfunBuffer *buffer = *(ProcfunBuffer *const *)value;
  g_autoptr (GBytes) bytes = NULL;

  if (buffer == NULL)
    return kind_encode_error (error, _ ("is NULL"));
  bytes = buffer_share_bytes (buffer);
  return g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE);
}

static gboolean
decode_buffer (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
               GError **error)
{
  ProcfunBuffer *buffer
      = buffer_new_private (g_variant_get_data (variant), g_variant_get_size (variant));

  *(ProcfunBuffer **)value = buffer;
  return buffer != NULL || kind_decode_error (error, _ ("is too long"));
}

static void
clear_buffer (gpointer value)
{
  g_clear_pointer ((ProcfunBuffer **)value, procfun_buffer_unref);
}

static GVariant *
encode_variant (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  GVariant *variant = *(GVariant *const *)value;

  if (variant == NULL)
    return kind_encode_error (error, _ ("is NULL"));

  /* The box sinks a floating reference; the holder of the value keeps the first. */
  if (g_variant_is_floating (variant))
    g_variant_ref (variant);
  return g_variant_new_variant (variant);
}

static gboolean
decode_variant (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
                GError **error)
{
  *(GVariant **)value = g_variant_get_variant (variant);
  return TRUE;
}

static void
clear_variant (gpointer value)
{
  g_clear_pointer ((GVariant **)value, g_variant_unref);
}

/* File descriptors */

static GVariant *
new_handle (ProcfunFd fd, GUnixFDList **fds, GError **error)
{
  g_autoptr (GError) local_error = NULL;
  g_autofree char *what = NULL;
  int index;

  if (*fds == NULL)
    *fds = g_unix_fd_list_new ();
  index = fd < 0 ? -1 : g_unix_fd_list_append (*fds, fd, &local_error);
  if (index >= 0)
    return g_variant_new_handle (index);

  if (local_error == NULL)
    what = g_strdup_printf (_ ("%d is no file descriptor"), fd);
  else
    what = g_strdup_printf (_ ("can't pass file descriptor %d: %s"), fd, local_error->message);
  return kind_encode_error (error, what);
}

static GVariant *
encode_fd (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  return new_handle (*(const ProcfunFd *)value, fds, error);
}

/* The descriptor for a handle, which @fds keeps; -1 if there is none. */
static int
find_fd (GVariant *variant, GUnixFDList *fds, GError **error)
{
  int index = g_variant_get_handle (variant);
  int length = 0;
  const int *numbers = fds != NULL ? g_unix_fd_list_peek_fds (fds, &length) : NULL;

  if (index >= 0 && index < length)
    return numbers[index];
  kind_decode_error (error, _ ("there is no file descriptor %d, of %d that were passed"), index,
                     length);
  return -1;
}

static gboolean
decode_fd (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value, GError **error)
{
  int fd = find_fd (variant, fds, error);

  if (fd < 0)
    return FALSE;
  fd = fcntl (fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
  *(ProcfunFd *)value = fd;
  return fd >= 0
         || kind_decode_error (error, _ ("can't take a file descriptor: %s"), g_strerror (errno));
}

/* A struct of zeroes has a 0 where no descriptor was set; decode_fd() never makes one. */
static void
clear_fd (gpointer value)
{
  ProcfunFd fd = *(ProcfunFd *)value;

  if (fd > 0)
    close (fd);
}

static GVariant *
encode_fd_list (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  GUnixFDList *list = *(GUnixFDList *const *)value;
  g_autofree GVariant **children = NULL;
  const int *numbers;
  int length;

  if (list == NULL)
    return kind_encode_error (error, _ ("is NULL"));

  numbers = g_unix_fd_list_peek_fds (list, &length);
  children = g_new (GVariant *, length);
  for (int i = 0; i < length; i++)
    if ((children[i] = new_handle (numbers[i], fds, error)) == NULL)
      {
        kind_unref_all (children, i);
        kind_error_at_index (error, i);
        return NULL;
      }
  return g_variant_new_array (G_VARIANT_TYPE_HANDLE, children, length);
}

static gboolean
decode_fd_list (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
                GError **error)
{
  GUnixFDList *list = g_unix_fd_list_new ();
  gsize length = g_variant_n_children (variant);
  g_autoptr (GError) local_error = NULL;

  *(GUnixFDList **)value = list;
  for (gsize i = 0; i < length; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);
      int fd = find_fd (child, fds, error);

      if (fd < 0)
        {
          kind_error_at_index (error, i);
          return FALSE;
        }
      if (g_unix_fd_list_append (list, fd, &local_error) < 0)
        return kind_decode_error (error, _ ("can't take a file descriptor: %s"),
                                  local_error->message);
    }
  return TRUE;
}

static void
clear_fd_list (gpointer value)
{
  g_clear_object ((GUnixFDList **)value);
}

/* Streams, of which only the descriptor is passed */

static GVariant *
encode_input_stream (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  GInputStream *stream = *(GInputStream *const *)value;

  if (stream == NULL)
    return kind_encode_error (error, _ ("is NULL"));
  if (!G_IS_FILE_DESCRIPTOR_BASED (stream))
    return kind_encode_error (error, _ ("is a stream without a file descriptor"));
  return new_handle (g_file_descriptor_based_get_fd (G_FILE_DESCRIPTOR_BASED (stream)), fds, error);
}

static gboolean
decode_input_stream (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
                     GError **error)
{
  ProcfunFd fd;

  if (!decode_fd (self, variant, fds, &fd, error))
    return FALSE;
  *(GInputStream **)value = g_unix_input_stream_new (fd, TRUE);
  return TRUE;
}

static void
clear_input_stream (gpointer value)
{
  g_clear_object ((GInputStream **)value);
}

/* Arrays of numbers, which differ in the type of their data only */

/* The bytes of an array: a part of its owner, or a copy. */
static GBytes *
numbers_get_bytes (const ProcfunDoubles *numbers, gsize size)
{
  gsize owned = 0;
  const guint8 *start = numbers->owner != NULL ? g_bytes_get_data (numbers->owner, &owned) : NULL;
  const guint8 *data = (const guint8 *)numbers->data;

  if (start != NULL && data >= start && size <= owned && (gsize)(data - start) <= owned - size)
    return g_bytes_new_from_bytes (numbers->owner, data - start, size);
  return g_bytes_new (data, size);
}

static GVariant *
encode_numbers (const Kind *self, gconstpointer value, GUnixFDList **fds, GError **error)
{
  g_autoptr (GBytes) bytes = NULL;
  ProcfunDoubles numbers;

  memcpy (&numbers, value, sizeof numbers);
  if (numbers.data == NULL && numbers.length > 0)
    return kind_encode_error (error, _ ("is NULL"));
  if (numbers.length > G_MAXSSIZE / self->element)
    return kind_encode_error (error, _ ("is too long"));

  bytes = numbers_get_bytes (&numbers, numbers.length * self->element);
  return g_variant_new_from_bytes (G_VARIANT_TYPE (self->type), bytes, TRUE);
}

/* In place, unless the memory is not aligned as C needs it. */
static gboolean
decode_numbers (const Kind *self, GVariant *variant, GUnixFDList *fds, gpointer value,
                GError **error)
{
  ProcfunDoubles numbers = { NULL, 0, g_variant_get_data_as_bytes (variant) };
  gsize size;
  gconstpointer data = g_bytes_get_data (numbers.owner, &size);

  if ((gsize)data % self->element != 0)
    {
      g_bytes_unref (numbers.owner);
      numbers.owner = g_bytes_new (data, size);
      data = g_bytes_get_data (numbers.owner, NULL);
    }
  numbers.data = data;
  numbers.length = size / self->element;
  memcpy (value, &numbers, sizeof numbers);
  return TRUE;
}

static void
clear_numbers (gpointer value)
{
  ProcfunDoubles numbers;

  memcpy (&numbers, value, sizeof numbers);
  g_clear_pointer (&numbers.owner, g_bytes_unref);
}

/* clang-format off */
#define PLAIN(Type, packed, type) { sizeof (Type), packed, 0, type, NULL, NULL, NULL }
#define OTHER(Type, type, name) { sizeof (Type), 0, 0, type, encode_##name, decode_##name, clear_##name }
#define NUMBERS(Type, number, type) \
  { sizeof (Type), 0, sizeof (number), type, encode_numbers, decode_numbers, clear_numbers }

static const Kind kinds[] = {
  [PROCFUN_KIND_VOID]         = { 0, 0, 0, "()", encode_void, decode_void, NULL },
  [PROCFUN_KIND_GBOOLEAN]     = PLAIN (gboolean, 1, "b"),
  [PROCFUN_KIND_BOOL]         = PLAIN (bool, 1, "b"),
  [PROCFUN_KIND_UINT8]        = PLAIN (guint8, 1, "y"),
  [PROCFUN_KIND_INT16]        = PLAIN (gint16, 2, "n"),
  [PROCFUN_KIND_UINT16]       = PLAIN (guint16, 2, "q"),
  [PROCFUN_KIND_INT32]        = PLAIN (gint32, 4, "i"),
  [PROCFUN_KIND_UINT32]       = PLAIN (guint32, 4, "u"),
  [PROCFUN_KIND_INT64]        = PLAIN (gint64, 8, "x"),
  [PROCFUN_KIND_UINT64]       = PLAIN (guint64, 8, "t"),
  [PROCFUN_KIND_DOUBLE]       = PLAIN (double, 8, "d"),
  [PROCFUN_KIND_FLOAT]        = PLAIN (float, 8, "d"),
  [PROCFUN_KIND_STRING]       = OTHER (char *, "s", string),
  [PROCFUN_KIND_CONST_STRING] = OTHER (char *, "s", string),
  [PROCFUN_KIND_MAYBE_STRING] = { sizeof (ProcfunMaybeString), 0, 0, "ms", encode_maybe_string, decode_maybe_string,
                                  clear_string },
  [PROCFUN_KIND_STRV]         = OTHER (GStrv, "as", strv),
  [PROCFUN_KIND_BYTES]        = OTHER (GBytes *, "ay", bytes),
  [PROCFUN_KIND_VARIANT]      = OTHER (GVariant *, "v", variant),
  [PROCFUN_KIND_FD]           = OTHER (ProcfunFd, "h", fd),
  [PROCFUN_KIND_FD_LIST]      = OTHER (GUnixFDList *, "ah", fd_list),
  [PROCFUN_KIND_BUFFER]       = OTHER (ProcfunBuffer *, "ay", buffer),
  [PROCFUN_KIND_INPUT_STREAM] = OTHER (GInputStream *, "h", input_stream),
  [PROCFUN_KIND_INT16S]       = NUMBERS (ProcfunInt16s, gint16, "an"),
  [PROCFUN_KIND_UINT16S]      = NUMBERS (ProcfunUint16s, guint16, "aq"),
  [PROCFUN_KIND_INT32S]       = NUMBERS (ProcfunInt32s, gint32, "ai"),
  [PROCFUN_KIND_UINT32S]      = NUMBERS (ProcfunUint32s, guint32, "au"),
  [PROCFUN_KIND_INT64S]       = NUMBERS (ProcfunInt64s, gint64, "ax"),
  [PROCFUN_KIND_UINT64S]      = NUMBERS (ProcfunUint64s, guint64, "at"),
  [PROCFUN_KIND_DOUBLES]      = NUMBERS (ProcfunDoubles, double, "ad"),
  [PROCFUN_KIND_STRUCT]       = { 0, 0, 0, NULL, NULL, NULL, NULL },
  [PROCFUN_KIND_ENUM]         = PLAIN (int, 4, "i"),
  [PROCFUN_KIND_ARRAY]        = { 0, 0, 0, NULL, NULL, NULL, NULL },
};
/* clang-format on */

const Kind *
kind_get (guint32 kind)
{
  return &kinds[kind];
}
