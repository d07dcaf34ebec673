/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/hostile-ring.h"

#include "procfun/wire/frame.h"
#include "procfun/wire/ring.h"
#include <string.h>
#include <unistd.h>

static guint8 *
find_ring (void)
{
  g_autofree char *maps = NULL;
  guint64 address = 0;

  if (!g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL))
    return NULL;
  for (char *line = maps; line != NULL; line = strchr (line, '\n'))
    {
      char *end;

      line += *line == '\n' ? 1 : 0;
      end = strchrnul (line, '\n');
      if (memmem (line, (gsize)(end - line), "procfun-ring", strlen ("procfun-ring")) != NULL)
        address = g_ascii_strtoull (line, NULL, 16);
    }
  return (guint8 *)(gsize)address;
}

/* The second of the two is what the child writes to; see wire/ring.c. */
static void
write_to_ring (const guint8 *data, gsize size, guint64 more)
{
  const gsize ring_size = ring_get_pair_size () / 2;
  guint8 *ring = find_ring ();
  guint64 *written;

  if (ring == NULL)
    g_error ("there is no ring");
  ring += ring_size;
  written = (guint64 *)(gpointer)ring;
  for (gsize i = 0; i < size; i++)
    ring[ring_size - RING_SIZE + ((*written + i) & (RING_SIZE - 1))] = data[i];
  __atomic_store_n (written, *written + size + more, __ATOMIC_SEQ_CST);
}

PROCFUN_DEFINE_FUNCTION (forge, char *, (gint, forgery), (guint, call_id))
{
  struct
  {
    FrameHeader header;
    ProcfunUsage usage;
    char text[8];
  } frame = { .text = "forged!" };
  gsize size = sizeof frame;

  frame_header_init (&frame.header, FRAME_RESULT, call_id, 0, size - sizeof frame.header);
  if (forgery == FORGERY_MAGIC)
    frame.header.magic = 'x';
  else if (forgery == FORGERY_TYPE)
    frame.header.type = 200;
  else if (forgery == FORGERY_SENDER)
    frame.header.type = FRAME_CALL;
  else if (forgery == FORGERY_CALL_ID)
    frame.header.call_id = 77777;
  else if (forgery == FORGERY_SIZE)
    frame.header.size += 9;
  else if (forgery == FORGERY_SHORT)
    size = sizeof frame.header + (frame.header.size = 3);
  else if (forgery == FORGERY_HUGE)
    frame.header.size = G_MAXUINT64 - 8;
  else if (forgery == FORGERY_TEXT)
    frame.text[2] = '\xff';
  write_to_ring ((const guint8 *)&frame, size, forgery == FORGERY_COUNTER ? G_MAXUINT32 : 0);
  g_usleep (50000); /* the caller looks at it meanwhile */
  _exit (3);
}
