/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/frame.h"

#include "procfun/base/intl.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>

#define FRAME_MAGIC 0xf5 /* no byte of UTF-8, so that text is never taken for a frame */

G_STATIC_ASSERT (sizeof (FrameHeader) == 16);
G_STATIC_ASSERT (sizeof (FrameCall) % 8 == 0);

void
frame_clear (Frame *self)
{
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_clear_object (&self->fds);
}

const char *
frame_type_get_name (FrameType type)
{
  static const char *const names[]
      = { [FRAME_HELLO] = "hello",   [FRAME_SETUP] = "setup",     [FRAME_CALL] = "call",
          [FRAME_RESULT] = "result", [FRAME_ERROR] = "error",     [FRAME_EXIT] = "exit",
          [FRAME_CANCEL] = "cancel", [FRAME_LISTENS] = "listens", [FRAME_PROGRESS] = "progress",
          [FRAME_ITEM] = "item",     [FRAME_CREDIT] = "credit",   [FRAME_STATE] = "state",
          [FRAME_FORK] = "fork",     [FRAME_CHILD] = "child",     [FRAME_EXITED] = "exited",
          [FRAME_RING] = "ring",     [FRAME_BY_RING] = "by ring", [FRAME_BY_SOCKET] = "by socket",
          [FRAME_WAKE] = "wake",     [FRAME_LIMITS] = "limits" };

  return type < G_N_ELEMENTS (names) && names[type] != NULL ? names[type] : "unknown";
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

gboolean
frame_header_check (const FrameHeader *self, gsize limit, GError **error)
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
  if (self->size > limit)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("the other side announced %" PRIu64 " bytes, but %zu is the limit"),
                   self->size, limit);
      return FALSE;
    }
  if (self->type < FRAME_HELLO || self->type > FRAME_WAKE)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                   _ ("the other side sent a frame of the unknown type %u"), self->type);
      return FALSE;
    }
  return TRUE;
}
