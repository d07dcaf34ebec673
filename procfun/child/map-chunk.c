/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/map-chunk.h"

#include "procfun/base/intl.h"
#include "procfun/codecs/gvariant.h"
#include "procfun/core/call-buffers.h"
#include "procfun/core/function.h"
#include "procfun/platform/inherited-state.h"
#include "procfun/platform/leave.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/values/parts.h"
#include "procfun/values/schema.h"
#include "procfun/wire/journal.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

struct _MapChunk
{
  guint8 *journal; /* (nullable) */
  gsize journal_size;
  JournalHead *head; /* in it */
  guint8 *results;   /* in it */
  gsize room;        /* for these, in bytes */

  ProcfunFunction *function; /* borrowed */
  ProcfunSchema *return_schema;
  GVariant *array; /* of arguments */
  guint64 max_payload;
  guint process; /* the one that runs the map, and not one that a function forks */
};

MapChunk *
map_chunk_new (GUnixFDList *fds)
{
  MapChunk *self = g_new0 (MapChunk, 1);
  int n_fds = 0;
  g_autofree int *list = fds != NULL ? g_unix_fd_list_steal_fds (fds, &n_fds) : NULL;

  if (n_fds > 0)
    self->journal = memfd_map (list[0], &self->journal_size);
  if (self->journal != NULL)
    memfd_hide_from_children (self->journal, self->journal_size);
  for (int i = 0; i < n_fds; i++)
    close (list[i]);
  return self;
}

void
map_chunk_free (MapChunk *self)
{
  if (self->journal != NULL)
    memfd_unmap (self->journal, self->journal_size);
  g_clear_pointer (&self->array, g_variant_unref);
  g_free (self);
}

gboolean
map_chunk_prepare (MapChunk *self, ProcfunFunction *function, GBytes *array, const GArray *parts,
                   guint64 max_payload, GError **error)
{
  ProcfunSchema *args = procfun_function_get_arguments_schema (function);
  g_autoptr (ProcfunSchema) schema = procfun_schema_new_array (args);
  g_autoptr (GVariant) rest = NULL;

  if (self->journal == NULL || self->journal_size <= JOURNAL_RESULTS)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the caller sent a call that cannot be read"));
      return FALSE;
    }
  rest = wire_variant_decode (schema, array, error);
  if (rest != NULL)
    self->array = parts != NULL ? parts_put_back (rest, parts) : g_variant_ref (rest);
  if (rest != NULL && self->array == NULL)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                 _ ("the arguments of %s() have other parts than the caller sent"),
                 procfun_function_get_name (function));
  else if (self->array == NULL)
    g_prefix_error (error, _ ("the arguments of %s() cannot be read: "),
                    procfun_function_get_name (function));
  if (self->array == NULL)
    return FALSE;
  self->process = inherited_state_get_process ();
  self->head = (JournalHead *)(gpointer)self->journal;
  self->results = self->journal + JOURNAL_RESULTS;
  self->room = self->journal_size - JOURNAL_RESULTS;
  self->function = function;
  self->return_schema = procfun_function_get_return_schema (function);
  self->max_payload = max_payload;
  return TRUE;
}

/* The function may have forked, and returned in both processes: the other one goes on. */
static void
leave_if_forked (MapChunk *self)
{
  if (inherited_state_get_process () != self->process)
    leave_process (0);
}

/* An element is noted as done before the next one is begun. */
static void
note_done (MapChunk *self, guint64 n_bytes)
{
  __atomic_store_n (&self->head->n_bytes, n_bytes, __ATOMIC_RELEASE);
  __atomic_store_n (&self->head->n_done, self->head->n_done + 1, __ATOMIC_RELEASE);
}

/* FALSE: the caller does not want it any more. It may change its mind at any time, and looks at
 * what was begun afterwards. */
static gboolean
note_begun (MapChunk *self)
{
  const guint64 n = self->head->n_done;

  __atomic_store_n (&self->head->n_begun, n + 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n (&self->head->end, __ATOMIC_SEQ_CST) > n)
    return TRUE;
  __atomic_store_n (&self->head->n_begun, n, __ATOMIC_RELEASE);
  return FALSE;
}

/* Whether the next one may begin now. */
static gboolean
can_go_on (MapChunk *self, gint64 until, gsize n_bytes)
{
  return n_bytes < JOURNAL_ENOUGH && (until == 0 || g_get_monotonic_time () < until);
}

static gboolean
run_plain (MapChunk *self, PackedInvocation *invocation, gint64 until, GError **error)
{
  const gsize stride = procfun_function_get_arguments_schema (self->function)->fixed_size;
  const gsize size = self->return_schema->fixed_size;
  const guint8 *args = g_variant_get_data (self->array);
  const gsize n = g_variant_n_children (self->array);
  gsize position = 0;

  for (gsize i = 0; i < n && position + size <= self->room; i++)
    {
      if ((i > 0 && !can_go_on (self, until, position)) || !note_begun (self))
        break;
      if (!packed_invocation_run_plain (invocation, args + i * stride, self->results + position,
                                        error))
        return FALSE;
      leave_if_forked (self);
      position += size;
      note_done (self, position);
    }
  return TRUE;
}

/* @result in normal form at @position, which moves on. */
static gboolean
store (MapChunk *self, GVariant *result, gsize buffers_size, gsize *position, GError **error)
{
  g_autoptr (GBytes) bytes = wire_variant_encode (self->return_schema, result, error);
  const char *name = procfun_function_get_name (self->function);
  guint64 size = bytes != NULL ? g_bytes_get_size (bytes) : 0;
  gboolean is_fixed = self->return_schema->fixed_size > 0;
  guint8 *at = self->results + *position;

  if (bytes == NULL)
    {
      g_prefix_error (error, _ ("%s of %s() cannot be sent: "), _ ("the result"), name);
      return FALSE;
    }
  if (size > self->max_payload + buffers_size || size + 2 * sizeof size > self->room - *position)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("%s of %s() takes %zu bytes, but %" PRIu64 " is the limit"), _ ("the result"),
                   name, (gsize)size - buffers_size, MIN (self->max_payload, self->room));
      return FALSE;
    }
  if (!is_fixed)
    {
      memcpy (at, &size, sizeof size);
      at += sizeof size;
    }
  if (size > 0)
    memcpy (at, g_bytes_get_data (bytes, NULL), size);
  *position += is_fixed ? size : sizeof size + JOURNAL_ALIGN (size);
  return TRUE;
}

static gboolean
run_one (MapChunk *self, gsize i, gsize *position, GError **error)
{
  g_autoptr (GVariant) args = g_variant_get_child_value (self->array, i);
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) result = NULL;

  result = procfun_function_invoke (self->function, args, NULL, &fds, error);
  leave_if_forked (self);
  return result != NULL
         && store (self, result, call_buffers_get_size (self->function, args), position, error);
}

gboolean
map_chunk_run (MapChunk *self, GError **error)
{
  const gsize n = g_variant_n_children (self->array);
  const gint64 budget = self->head->budget;
  const gint64 until = budget > 0 ? g_get_monotonic_time () + budget : 0;
  g_autoptr (PackedInvocation) packed = packed_invocation_new (self->function);
  gsize position = 0;

  if (packed != NULL && packed_invocation_is_plain (packed))
    return run_plain (self, packed, until, error);
  for (gsize i = 0; i < n; i++)
    {
      if ((i > 0 && !can_go_on (self, until, position)) || !note_begun (self))
        break;
      if (!run_one (self, i, &position, error))
        return FALSE;
      note_done (self, position);
    }
  return TRUE;
}
