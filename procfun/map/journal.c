/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/map/journal.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"
#include "procfun/wire/channel.h"
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Memory beyond these bytes is freed after the call. */
#define KEPT_BYTES (2 * JOURNAL_ENOUGH)

/* Fixed when the memory is made, so a journal that is too small is replaced. */
static gboolean
provide_room (Journal *self, gsize room)
{
  if (self->fd >= 0 && self->room >= room)
    return TRUE;
  fd_clear (&self->fd);
  self->room = room;
  self->fd = memfd_new ("procfun", JOURNAL_RESULTS + room, NULL);
  return self->fd >= 0;
}

GUnixFDList *
journal_begin (Journal *self, guint64 max_result, gint64 budget)
{
  const JournalHead head = { .budget = budget, .end = G_MAXUINT64 };
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  if (memfd_is_allowed (sizeof head) && provide_room (self, JOURNAL_ENOUGH + max_result + 32)
      && pwrite (self->fd, &head, sizeof head, 0) == sizeof head
      && g_unix_fd_list_append (fds, self->fd, NULL) >= 0)
    return g_steal_pointer (&fds);
  return NULL;
}

/* The callee looks at the end after it has noted the beginning, so one of both sees the other. */
gboolean
journal_end_at (Journal *self, guint64 at)
{
  JournalHead head;

  if (pwrite (self->fd, &at, sizeof at, offsetof (JournalHead, end)) != sizeof at)
    return TRUE;
  __atomic_thread_fence (__ATOMIC_SEQ_CST);
  return pread (self->fd, &head, sizeof head, 0) != sizeof head
         || (head.n_begun > at && head.n_done <= at);
}

/* A callee writes each result, and what it writes takes memory. So a large number without the
 * memory is a lie, and nothing is allocated for it. */
static gboolean
has_written (Journal *self, guint64 n_bytes)
{
  struct stat st;

  return n_bytes <= KEPT_BYTES
         || (fstat (self->fd, &st) == 0
             && (guint64)st.st_blocks * 512 >= JOURNAL_RESULTS + n_bytes);
}

gboolean
journal_read_head (Journal *self, gsize n, const ProcfunSchema *schema, JournalHead *head)
{
  return pread (self->fd, head, sizeof *head, 0) == sizeof *head && head->n_done <= n
         && head->n_begun <= n && head->n_begun >= head->n_done && head->n_bytes <= self->room
         && (schema->fixed_size == 0 || head->n_bytes == head->n_done * schema->fixed_size)
         && has_written (self, head->n_bytes);
}

static GBytes *
read_bytes (Journal *self, gsize size)
{
  g_autofree guint8 *data = g_try_malloc (size);
  gsize done = 0;

  if (data == NULL && size > 0)
    return NULL;
  while (done < size)
    {
      gssize n = pread (self->fd, data + done, size - done, (off_t)(JOURNAL_RESULTS + done));

      if (n <= 0)
        return NULL;
      done += (gsize)n;
    }
  return g_bytes_new_take (g_steal_pointer (&data), size);
}

/* A callee begins no element behind so many bytes. So only the last result can be large, and the
 * sizes of all are known before memory is taken for them. */
static gboolean
has_last_alone_beyond (Journal *self, const JournalHead *head)
{
  g_autoptr (GBytes) bytes = read_bytes (self, JOURNAL_ENOUGH + sizeof (guint64));
  guint64 position = 0;

  for (guint64 i = 0; i < head->n_done; i++)
    {
      guint64 size;

      if (bytes == NULL || position >= JOURNAL_ENOUGH)
        return FALSE;
      memcpy (&size, (const guint8 *)g_bytes_get_data (bytes, NULL) + position, sizeof size);
      if (size > head->n_bytes)
        return FALSE;
      position += sizeof size + JOURNAL_ALIGN (size);
    }
  return position == head->n_bytes;
}

static gboolean
can_be_true (Journal *self, const JournalHead *head, const ProcfunSchema *schema)
{
  return schema->fixed_size > 0 || head->n_bytes <= KEPT_BYTES
         || has_last_alone_beyond (self, head);
}

/* The next result of variable size. */
static GVariant *
take_result (GBytes *bytes, gsize *position, ProcfunSchema *schema)
{
  const gsize end = g_bytes_get_size (bytes);
  const guint8 *data = g_bytes_get_data (bytes, NULL);
  g_autoptr (GBytes) slice = NULL;
  guint64 size;

  if (end - *position < sizeof size)
    return NULL;
  memcpy (&size, data + *position, sizeof size);
  *position += sizeof size;
  if (size > end - *position)
    return NULL;
  slice = g_bytes_new_from_bytes (bytes, *position, size);
  *position = MIN (end, *position + JOURNAL_ALIGN (size));
  return wire_variant_decode (schema, slice, NULL);
}

static GVariant *
split_results (GBytes *bytes, gsize n, ProcfunSchema *schema)
{
  g_autoptr (GPtrArray) results = g_ptr_array_new_full ((guint)n, (GDestroyNotify)g_variant_unref);
  gsize position = 0;

  for (gsize i = 0; i < n; i++)
    {
      GVariant *result = take_result (bytes, &position, schema);

      if (result == NULL)
        return NULL;
      g_ptr_array_add (results, result);
    }
  return g_variant_ref_sink (g_variant_new_array (procfun_schema_get_variant_type (schema),
                                                  (GVariant *const *)results->pdata, n));
}

GVariant *
journal_read_results (Journal *self, const JournalHead *head, ProcfunSchema *schema, GError **error)
{
  g_autoptr (ProcfunSchema) array = procfun_schema_new_array (schema);
  g_autoptr (GBytes) bytes = NULL;
  GVariant *results = NULL;

  if (can_be_true (self, head, schema))
    bytes = read_bytes (self, head->n_bytes);
  if (head->n_bytes > KEPT_BYTES)
    memfd_clear (self->fd, JOURNAL_RESULTS, head->n_bytes);
  if (bytes != NULL && schema->fixed_size == 0)
    results = split_results (bytes, head->n_done, schema);
  else if (bytes != NULL)
    results = wire_variant_decode (array, bytes, NULL);
  if (results == NULL)
    g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE,
                         _ ("the results of the map cannot be read"));
  return results;
}
