/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/link.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#define MAGIC 0xf5
#define LINK_VERSION 1

/* Of a piece's contents. A larger message goes in several. */
#define PIECE_MAX ((gsize)64 * 1024)

/* Bytes of pieces that may be on their way. What is more would stand before small messages in the
 * buffers of the kernel and of ssh. */
#define WINDOW ((guint64)1024 * 1024)
#define CREDIT_STEP ((guint64)256 * 1024)

/* Text before the first message, as login shells print it. */
#define BANNER_MAX ((gsize)64 * 1024)

/* Bytes that are read or written before other sources have their turn. */
#define TURN_MAX ((gsize)1024 * 1024)

/* Messages that have begun and not ended. */
#define PARTS_MAX 4096

#define BUFFER_SIZE ((gsize)64 * 1024)
#define FIRST_ROOM ((gsize)1024 * 1024)

enum
{
  PIECE_FIRST = 1 << 0,
  PIECE_LAST = 1 << 1,
  PIECE_WHOLE = PIECE_FIRST | PIECE_LAST
};

/* All numbers are little-endian. Those of the message stand in its first piece. */
typedef struct
{
  guint8 magic;
  guint8 version;
  guint8 type;
  guint8 flags;
  guint32 id;
  guint32 size;      /* of the contents that follow */
  guint32 head_size; /* of the message */
  guint64 total;     /* likewise: its head and its payload */
} PieceHeader;

G_STATIC_ASSERT (sizeof (PieceHeader) == 24);

/* A message on its way out, in pieces. */
typedef struct _Outgoing
{
  struct _Outgoing *next; /* (nullable) (owned): of the same call, which must not overtake it */
  LinkType type;
  guint32 id;
  GBytes *head;
  GBytes *payload; /* (nullable) */
  gsize sent;
} Outgoing;

/* A message whose pieces come. */
typedef struct
{
  LinkType type;
  gsize head_size;
  gsize total;
  gsize size; /* of what is there */
  gsize room; /* of the payload's buffer */
  guint8 *head;
  guint8 *payload;
} Incoming;

struct _Link
{
  int in_fd;
  int out_fd;
  guint64 max_payload;
  LinkFunc func;
  LinkEndFunc end_func;
  gpointer user_data;
  GSource *source;
  gpointer in_tag;
  gpointer out_tag;
  GIOCondition watched; /* besides input */
  gboolean *is_freed;   /* (nullable): of who has called back */
  gboolean has_ended;
  gint64 heard_at;

  guint8 buffer[BUFFER_SIZE];
  gsize n_read;           /* in the buffer */
  gboolean is_synced;     /* the banner is over */
  GString *banner;        /* (nullable) */
  GHashTable *parts;      /* (element-type guint32 Incoming) */
  PieceHeader piece;      /* whose contents come */
  Incoming *part;         /* (nullable): that it belongs to */
  gsize piece_left;       /* of its contents */
  guint64 credit_to_give; /* for pieces that were read */

  GByteArray *out;     /* being written */
  gsize n_written;     /* of that */
  GQueue small;        /* (element-type Outgoing): of one piece */
  GQueue bulk;         /* (element-type Outgoing): of more */
  gboolean is_blocked; /* the other side has no room now */
  guint64 in_window;   /* bytes of pieces that the other side has not read */
  gsize n_waiting;     /* bytes in both queues */
};

const char *
link_type_get_name (LinkType type)
{
  static const char *const names[] = { "none",
#define LINK_NAME(type, name) name,
                                       LINK_ROWS (LINK_NAME)
#undef LINK_NAME
  };

  return type < G_N_ELEMENTS (names) ? names[type] : "unknown";
}

/* Writing */

static void
outgoing_free (gpointer outgoing)
{
  Outgoing *self = outgoing;

  g_bytes_unref (self->head);
  g_clear_pointer (&self->payload, g_bytes_unref);
  g_clear_pointer (&self->next, outgoing_free);
  g_free (self);
}

static gsize
get_payload_size (const Outgoing *self)
{
  return self->payload != NULL ? g_bytes_get_size (self->payload) : 0;
}

static gsize
get_total (const Outgoing *self)
{
  return g_bytes_get_size (self->head) + get_payload_size (self);
}

static void
append_part (GByteArray *out, GBytes *bytes, gsize offset, gsize size)
{
  const guint8 *data = size > 0 ? g_bytes_get_data (bytes, NULL) : NULL;

  if (size > 0)
    g_byte_array_append (out, data + offset, (guint)size);
}

/* TRUE: it was the last one. */
static gboolean
append_piece (Link *self, Outgoing *message)
{
  const gsize head_size = g_bytes_get_size (message->head);
  const gsize total = get_total (message);
  const gsize size = MIN (total - message->sent, PIECE_MAX);
  const gsize of_head = message->sent < head_size ? MIN (size, head_size - message->sent) : 0;
  const gboolean is_first = message->sent == 0;
  const gboolean is_last = message->sent + size == total;
  const PieceHeader header
      = { .magic = MAGIC,
          .version = LINK_VERSION,
          .type = (guint8)message->type,
          .flags = (guint8)((is_first ? PIECE_FIRST : 0) | (is_last ? PIECE_LAST : 0)),
          .id = GUINT32_TO_LE (message->id),
          .size = GUINT32_TO_LE ((guint32)size),
          .head_size = GUINT32_TO_LE (is_first ? (guint32)head_size : 0),
          .total = GUINT64_TO_LE (is_first ? total : 0) };

  g_byte_array_append (self->out, (const guint8 *)&header, sizeof header);
  append_part (self->out, message->head, message->sent, of_head);
  append_part (self->out, message->payload, message->sent + of_head - head_size, size - of_head);
  message->sent += size;
  self->n_waiting -= size;
  if (header.flags != PIECE_WHOLE)
    self->in_window += size;
  return is_last;
}

/* The next call has its turn after each piece. */
static void
append_bulk (Link *self)
{
  Outgoing *message = g_queue_pop_head (&self->bulk);
  Outgoing *left = message;

  if (append_piece (self, message))
    {
      left = g_steal_pointer (&message->next);
      outgoing_free (message);
    }
  if (left != NULL)
    g_queue_push_tail (&self->bulk, left);
}

static gboolean
may_send_bulk (const Link *self)
{
  return self->bulk.length > 0 && self->in_window < WINDOW;
}

static void
fill (Link *self)
{
  if (self->n_written < self->out->len)
    return;
  g_byte_array_set_size (self->out, 0);
  self->n_written = 0;
  while (self->small.length > 0 && self->out->len < PIECE_MAX)
    {
      Outgoing *message = g_queue_pop_head (&self->small);

      append_piece (self, message);
      outgoing_free (message);
    }
  if (may_send_bulk (self) && self->out->len < PIECE_MAX)
    append_bulk (self);
}

static void
end (Link *self, GError *error)
{
  g_autoptr (GError) own_error = error;

  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  g_source_destroy (self->source);
  self->end_func (self, own_error, self->user_data);
}

static GError *
make_system_error (void)
{
  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("the connection was lost: %s"),
                      g_strerror (errno));
}

/* FALSE: an error, in errno. A pipe knows no MSG_NOSIGNAL: who uses a link blocks SIGPIPE. */
static gboolean
write_some (Link *self, gsize max)
{
  gsize n_done = 0;

  for (fill (self); self->n_written < self->out->len && n_done < max; fill (self))
    {
      const gssize n = write (self->out_fd, self->out->data + self->n_written,
                              self->out->len - self->n_written);

      self->is_blocked = n < 0 && errno == EAGAIN;
      if (self->is_blocked)
        return TRUE;
      if (n < 0 && errno != EINTR)
        return FALSE;
      self->n_written += (gsize)MAX (n, 0);
      n_done += (gsize)MAX (n, 0);
    }
  return TRUE;
}

static gboolean
has_output (const Link *self)
{
  return self->n_written < self->out->len || self->small.length > 0 || may_send_bulk (self);
}

/* Once more only when the room has changed: each change wakes the main loop. */
static void
watch (Link *self)
{
  const GIOCondition output = self->is_blocked ? G_IO_OUT : 0;

  if (output == self->watched)
    return;
  self->watched = output;
  if (self->in_fd == self->out_fd)
    g_source_modify_unix_fd (self->source, self->in_tag, G_IO_IN | output);
  else
    g_source_modify_unix_fd (self->source, self->out_tag, output);
}

static Outgoing *
find_bulk (const Link *self, guint32 id)
{
  for (GList *l = id != 0 ? self->bulk.head : NULL; l != NULL; l = l->next)
    if (((Outgoing *)l->data)->id == id)
      return l->data;
  return NULL;
}

static void
queue (Link *self, Outgoing *message)
{
  const gsize total = get_total (message);
  Outgoing *before = find_bulk (self, message->id);

  self->n_waiting += total;
  while (before != NULL && before->next != NULL)
    before = before->next;
  if (before != NULL)
    before->next = message;
  else
    g_queue_push_tail (total <= PIECE_MAX ? &self->small : &self->bulk, message);
}

void
link_send_with (Link *self, LinkType type, guint32 id, gconstpointer head, gsize head_size,
                GBytes *more, GBytes *payload)
{
  Outgoing *message;

  if (self->has_ended)
    {
      g_clear_pointer (&payload, g_bytes_unref);
      return;
    }
  message = g_new (Outgoing, 1);
  *message = (Outgoing){ .type = type, .id = id, .payload = payload };
  if (more != NULL)
    {
      GByteArray *both = g_byte_array_sized_new ((guint)(head_size + g_bytes_get_size (more)));

      g_byte_array_append (both, head, (guint)head_size);
      append_part (both, more, 0, g_bytes_get_size (more));
      message->head = g_byte_array_free_to_bytes (both);
    }
  else
    message->head = g_bytes_new (head, head_size);
  queue (self, message);
}

void
link_send (Link *self, LinkType type, guint32 id, gconstpointer head, gsize head_size,
           GBytes *payload)
{
  link_send_with (self, type, id, head, head_size, NULL, payload);
}

void
link_flush (Link *self, int ms)
{
  const gint64 until = g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND;

  while (!self->has_ended && has_output (self))
    {
      struct pollfd fd = { .fd = self->out_fd, .events = POLLOUT };
      const gint64 left = until - g_get_monotonic_time ();

      if (left <= 0 || poll (&fd, 1, (int)(left / 1000) + 1) <= 0 || !write_some (self, TURN_MAX))
        break;
    }
}

gsize
link_get_unsent (const Link *self)
{
  return self->n_waiting + self->out->len - self->n_written;
}

/* Reading */

static void
incoming_free (gpointer incoming)
{
  Incoming *self = incoming;

  g_free (self->head);
  g_free (self->payload);
  g_free (self);
}

static gboolean
set_protocol_error (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent what is no message"));
  return FALSE;
}

/* @size: of all that must fit. Memory grows with what has come, and not with what was announced. */
static gboolean
make_room (Incoming *self, gsize size)
{
  const gsize wanted = MIN (self->total - self->head_size, MAX (2 * self->room, FIRST_ROOM));
  guint8 *larger;

  if (size <= self->room)
    return TRUE;
  larger = g_try_realloc (self->payload, MAX (wanted, size));
  if (larger == NULL)
    return FALSE;
  self->payload = larger;
  self->room = MAX (wanted, size);
  return TRUE;
}

static Incoming *
begin_part (Link *self, const PieceHeader *header, GError **error)
{
  const guint64 total = GUINT64_FROM_LE (header->total);
  const guint32 head_size = GUINT32_FROM_LE (header->head_size);
  Incoming *part;

  if (head_size > LINK_HEAD_MAX || head_size > total
      || g_hash_table_contains (self->parts, GUINT_TO_POINTER (header->id))
      || g_hash_table_size (self->parts) >= PARTS_MAX)
    {
      set_protocol_error (error);
      return NULL;
    }
  if (total - head_size > self->max_payload || total > G_MAXSIZE / 4)
    {
      g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                           _ ("the other side sent more than the limit"));
      return NULL;
    }
  part = g_new0 (Incoming, 1);
  part->type = header->type;
  part->head_size = head_size;
  part->total = total;
  part->head = g_malloc (MAX (head_size, 1));
  g_hash_table_insert (self->parts, GUINT_TO_POINTER (header->id), part);
  return part;
}

static gboolean
check_header (const PieceHeader *header, GError **error)
{
  if (header->magic != MAGIC)
    return set_protocol_error (error);
  if (header->version != LINK_VERSION)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_MISMATCH,
                   _ ("the other side speaks version %u of the protocol, this one %u"),
                   (guint)header->version, (guint)LINK_VERSION);
      return FALSE;
    }
  if (header->type == LINK_NONE || header->type >= LINK_AFTER_LAST
      || (header->flags & ~PIECE_WHOLE) != 0 || GUINT32_FROM_LE (header->size) > PIECE_MAX)
    return set_protocol_error (error);
  return TRUE;
}

static gboolean
begin_piece (Link *self, const PieceHeader *header, GError **error)
{
  const gsize size = GUINT32_FROM_LE (header->size);
  Incoming *part;

  if (!check_header (header, error))
    return FALSE;
  if ((header->flags & PIECE_FIRST) != 0)
    part = begin_part (self, header, error);
  else if ((part = g_hash_table_lookup (self->parts, GUINT_TO_POINTER (header->id))) == NULL
           || part->type != header->type || size == 0)
    return set_protocol_error (error);
  if (part == NULL)
    return FALSE;
  if (size > part->total - part->size
      || ((header->flags & PIECE_LAST) != 0) != (part->size + size == part->total))
    return set_protocol_error (error);
  self->piece = *header;
  self->part = part;
  self->piece_left = size;
  return TRUE;
}

/* Where the next bytes of the piece go to. (nullable): there is no memory */
static guint8 *
get_room (Link *self, gsize *size)
{
  Incoming *part = self->part;
  gsize offset;

  if (part->size < part->head_size)
    {
      *size = MIN (self->piece_left, part->head_size - part->size);
      return part->head + part->size;
    }
  offset = part->size - part->head_size;
  *size = self->piece_left;
  return make_room (part, offset + self->piece_left) ? part->payload + offset : NULL;
}

static void
give_credit (Link *self)
{
  guint64 bytes;

  if ((self->piece.flags & PIECE_WHOLE) == PIECE_WHOLE)
    return;
  self->credit_to_give += GUINT32_FROM_LE (self->piece.size);
  if (self->credit_to_give < CREDIT_STEP && (self->piece.flags & PIECE_LAST) == 0)
    return;
  bytes = GUINT64_TO_LE (self->credit_to_give);
  self->credit_to_give = 0;
  link_send (self, LINK_CREDIT, 0, &bytes, sizeof bytes, NULL);
}

static gboolean
take_credit (Link *self, const LinkMessage *message, GError **error)
{
  guint64 bytes;

  if (g_bytes_get_size (message->head) != sizeof bytes)
    return set_protocol_error (error);
  memcpy (&bytes, g_bytes_get_data (message->head, NULL), sizeof bytes);
  bytes = GUINT64_FROM_LE (bytes);
  if (bytes > self->in_window)
    return set_protocol_error (error);
  self->in_window -= bytes;
  return TRUE;
}

/* FALSE: the link was freed, or has ended. */
static gboolean
deliver (Link *self, Incoming *part, GError **error)
{
  const gsize payload_size = part->total - part->head_size;
  g_autoptr (GBytes) head = g_bytes_new_take (g_steal_pointer (&part->head), part->head_size);
  g_autoptr (GBytes) payload = g_bytes_new_take (g_steal_pointer (&part->payload), payload_size);
  const LinkMessage message = { part->type, GUINT32_FROM_LE (self->piece.id), head, payload };
  gboolean is_freed = FALSE;
  gboolean *outer = self->is_freed;

  g_hash_table_remove (self->parts, GUINT_TO_POINTER (self->piece.id));
  if (message.type == LINK_CREDIT)
    return take_credit (self, &message, error);
  self->is_freed = &is_freed;
  self->func (self, &message, self->user_data);
  if (is_freed)
    {
      if (outer != NULL)
        *outer = TRUE;
      return FALSE;
    }
  self->is_freed = outer;
  return !self->has_ended;
}

static gboolean
end_piece (Link *self, GError **error)
{
  Incoming *part = g_steal_pointer (&self->part);

  give_credit (self);
  return (self->piece.flags & PIECE_LAST) == 0 || deliver (self, part, error);
}

/* TRUE: go on. The banner ends with the first byte that no text has. */
static gboolean
skip_banner (Link *self, const guint8 *data, gsize *n, GError **error)
{
  const guint8 *begin = memchr (data, MAGIC, *n);
  const gsize size = begin != NULL ? (gsize)(begin - data) : *n;

  if (size > 0 && self->banner == NULL)
    self->banner = g_string_new (NULL);
  if (size > 0)
    g_string_append_len (self->banner, (const char *)data, (gssize)size);
  self->is_synced = begin != NULL;
  *n = size;
  if (self->banner == NULL || self->banner->len <= BANNER_MAX)
    return TRUE;
  return set_protocol_error (error);
}

/* Takes what is in the buffer. FALSE: stop, with an error or without. */
static gboolean
parse (Link *self, GError **error)
{
  gsize position = 0;
  gboolean goes_on = TRUE;

  while (goes_on)
    {
      const guint8 *data = self->buffer + position;
      gsize left = self->n_read - position;
      PieceHeader header;

      if (!self->is_synced && left > 0)
        goes_on = skip_banner (self, data, &left, error);
      else if (self->part == NULL && left >= sizeof header)
        {
          memcpy (&header, data, sizeof header);
          left = sizeof header;
          goes_on = begin_piece (self, &header, error);
        }
      else if (self->part != NULL && (left > 0 || self->piece_left == 0))
        {
          gsize room = 0;
          guint8 *to = get_room (self, &room);

          left = MIN (left, room);
          if (to == NULL && self->piece_left > 0)
            return set_protocol_error (error);
          if (left > 0)
            memcpy (to, data, left);
          self->part->size += left;
          self->piece_left -= left;
          if (self->piece_left == 0 && !end_piece (self, error))
            return FALSE;
        }
      else
        break;
      position += left;
    }
  memmove (self->buffer, self->buffer + position, self->n_read - position);
  self->n_read -= position;
  return goes_on;
}

/* The contents of a piece go straight to where they belong. */
static gssize
read_once (Link *self)
{
  gsize size = 0;
  guint8 *to;
  gssize n;

  if (self->part == NULL || self->piece_left < 1024)
    {
      n = read (self->in_fd, self->buffer + self->n_read, BUFFER_SIZE - self->n_read);
      self->n_read += (gsize)MAX (n, 0);
      return n;
    }
  to = get_room (self, &size);
  if (to == NULL)
    {
      errno = ENOMEM;
      return -1;
    }
  n = read (self->in_fd, to, size);
  self->part->size += (gsize)MAX (n, 0);
  self->piece_left -= (gsize)MAX (n, 0);
  return n;
}

static GError *
make_end_error (void)
{
  return g_error_new_literal (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST,
                              _ ("the connection was closed"));
}

/* FALSE: the link is gone, or has ended. */
static gboolean
read_some (Link *self)
{
  for (gsize n_done = 0; n_done < TURN_MAX;)
    {
      const gssize n = read_once (self);
      GError *error = NULL;
      gboolean is_freed = FALSE;

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0 && errno == EAGAIN)
        return TRUE;
      if (n <= 0)
        {
          end (self, n == 0 ? make_end_error () : make_system_error ());
          return FALSE;
        }
      self->heard_at = g_get_monotonic_time ();
      n_done += (gsize)n;
      self->is_freed = &is_freed;
      if (!parse (self, &error))
        {
          if (is_freed)
            return FALSE;
          self->is_freed = NULL;
          if (error != NULL)
            end (self, error);
          return FALSE;
        }
      self->is_freed = NULL;
    }
  return TRUE;
}

/* The source */

typedef struct
{
  GSource source;
  Link *link;
} LinkSource;

static gboolean
is_asked_for (Link *self, gpointer tag, GIOCondition condition)
{
  return tag != NULL
         && (g_source_query_unix_fd (self->source, tag) & (condition | G_IO_HUP | G_IO_ERR)) != 0;
}

static gboolean
link_source_prepare (GSource *source, int *timeout)
{
  const Link *self = ((LinkSource *)source)->link;

  *timeout = -1;
  return !self->is_blocked && has_output (self);
}

static gboolean
link_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  Link *self = ((LinkSource *)source)->link;

  if (is_asked_for (self, self->in_tag, G_IO_IN) && !read_some (self))
    return G_SOURCE_REMOVE;
  if (has_output (self) && !write_some (self, TURN_MAX))
    {
      end (self, make_system_error ());
      return G_SOURCE_REMOVE;
    }
  watch (self);
  return G_SOURCE_CONTINUE;
}

static void
make_source (Link *self, GMainContext *context)
{
  static GSourceFuncs funcs = { .prepare = link_source_prepare, .dispatch = link_source_dispatch };

  self->source = g_source_new (&funcs, sizeof (LinkSource));
  ((LinkSource *)self->source)->link = self;
  g_source_set_static_name (self->source, "procfun link");
  self->in_tag = g_source_add_unix_fd (self->source, self->in_fd, G_IO_IN);
  if (self->in_fd != self->out_fd)
    self->out_tag = g_source_add_unix_fd (self->source, self->out_fd, 0);
  g_source_attach (self->source, context);
}

Link *
link_new (int in_fd, int out_fd, guint64 max_payload, GMainContext *context, LinkFunc func,
          LinkEndFunc end_func, gpointer user_data)
{
  Link *self = g_new0 (Link, 1);

  self->in_fd = in_fd;
  self->out_fd = out_fd;
  self->max_payload = max_payload;
  self->func = func;
  self->end_func = end_func;
  self->user_data = user_data;
  self->heard_at = g_get_monotonic_time ();
  self->parts = g_hash_table_new_full (NULL, NULL, NULL, incoming_free);
  self->out = g_byte_array_new ();
  g_queue_init (&self->small);
  g_queue_init (&self->bulk);
  g_unix_set_fd_nonblocking (in_fd, TRUE, NULL);
  g_unix_set_fd_nonblocking (out_fd, TRUE, NULL);
  make_source (self, context);
  return self;
}

void
link_free (Link *self)
{
  if (self->is_freed != NULL)
    *self->is_freed = TRUE;
  g_source_destroy (self->source);
  g_source_unref (self->source);
  if (self->out_fd != self->in_fd)
    fd_clear (&self->out_fd);
  fd_clear (&self->in_fd);
  g_hash_table_unref (self->parts);
  g_byte_array_unref (self->out);
  g_queue_clear_full (&self->small, outgoing_free);
  g_queue_clear_full (&self->bulk, outgoing_free);
  if (self->banner != NULL)
    g_string_free (self->banner, TRUE);
  g_free (self);
}

gint64
link_get_heard_at (const Link *self)
{
  return self->heard_at;
}

const char *
link_get_banner (const Link *self)
{
  return self->banner != NULL ? self->banner->str : NULL;
}
