/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/frame.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>
#include <string.h>

#define FRAME_MAGIC 0xf5 /* no byte of UTF-8, so that text is never taken for a frame */

G_STATIC_ASSERT (sizeof (FrameHeader) == 16);
G_STATIC_ASSERT (sizeof (FrameCall) % 8 == 0);

void
frame_clear (Frame *self)
{
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_clear_object (&self->fds);
  g_clear_pointer (&self->parts, g_array_unref);
  while (self->n_child_fds > 0)
    fd_clear (&self->child_fds[--self->n_child_fds]);
}

static const struct
{
  const char *name;
  FrameSenders sender;
  guint64 min_size;
  guint64 max_size;
  guint max_fds;
} rows[] = {
#define FRAME_ROW(type, name, sender, min_size, max_size, max_fds)                                 \
  [FRAME_##type] = { name, FRAME_FROM_##sender, min_size, max_size, max_fds },
  FRAME_ROWS (FRAME_ROW)
#undef FRAME_ROW
};

const char *
frame_type_get_name (FrameType type)
{
  return type > FRAME_NONE && type <= FRAME_LAST ? rows[type].name : "unknown";
}

gboolean
frame_is_word (const Frame *self)
{
  return rows[self->type].sender == FRAME_FROM_CHANNEL;
}

char *
frame_cut_text (const char *text, gsize max_size)
{
  static const char mark[] = "…";
  gsize size = strnlen (text, max_size + 1);

  if (size <= max_size)
    return g_strdup (text);
  size = max_size - strlen (mark);
  while (size > 0 && ((guint8)text[size] & 0xc0) == 0x80) /* not within a character */
    size--;
  return g_strdup_printf ("%.*s%s", (int)size, text, mark);
}

void
frame_header_init (FrameHeader *self, FrameType type, guint32 call_id, guint n_fds, gsize size)
{
  self->magic = FRAME_MAGIC;
  self->version = FRAME_VERSION;
  self->type = (guint8)type;
  self->n_fds = (guint8)n_fds;
  self->call_id = call_id;
  self->size = size;
}

/* Bounds of a frame of each known type. */
static gboolean
check_row (const FrameHeader *self, gsize limit, FrameSenders senders, GError **error)
{
  const char *name = rows[self->type].name;
  guint64 max_size = rows[self->type].max_size;

  if (max_size == FRAME_ANY_SIZE)
    max_size = limit;
  if ((rows[self->type].sender & senders) == 0)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                 _ ("the other side sent a frame out of turn: %s"), name);
  else if (self->size > max_size)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                 _ ("the other side announced %" PRIu64 " bytes, but %" PRIu64 " is the limit"),
                 self->size, max_size);
  else if (self->size < rows[self->type].min_size || self->n_fds > rows[self->type].max_fds)
    g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                 _ ("the other side sent a malformed frame: %s"), name);
  else
    return TRUE;
  return FALSE;
}

gboolean
frame_header_check (const FrameHeader *self, gsize limit, FrameSenders senders, GError **error)
{
  if (self->magic != FRAME_MAGIC)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                           _ ("the other side sent something that is no frame"));
      return FALSE;
    }
  if (self->version != FRAME_VERSION)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                   _ ("the other side speaks version %u of the protocol, this one %u"),
                   self->version, FRAME_VERSION);
      return FALSE;
    }
  if (self->type == FRAME_NONE || self->type > FRAME_LAST)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                   _ ("the other side sent a frame of the unknown type %u"), self->type);
      return FALSE;
    }
  return check_row (self, limit, senders, error);
}
