/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/remote/link.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/procfun-error.h"
#include "procfun/remote/outbox.h"
#include "procfun/remote/piece.h"
#include <errno.h>
#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

#define CREDIT_STEP ((guint64)256 * 1024)

/* Text before the first message, as login shells print it. */
#define BANNER_MAX ((gsize)64 * 1024)

/* Bytes that are read or written before other sources have their turn. */
#define TURN_MAX ((gsize)1024 * 1024)

/* Turns of a busy main loop in which output waits for more, unless they take longer in all. */
#define SKIPPED_MAX 2
#define SKIPPED_MAX_US 100

/* Messages that have begun and not ended. */
#define PARTS_MAX 4096

#define BUFFER_SIZE ((gsize)64 * 1024)
#define FIRST_ROOM ((gsize)1024 * 1024)

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
  GSource *flush; /* before the main loop sleeps */
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

  Outbox outbox;
  gboolean is_blocked; /* the other side has no room now */
  guint n_skipped;     /* turns of the main loop that have left it for the next */
  gint64 skipped_at;   /* monotonic time in µs: in the first of them */
  int write_error;     /* that it has failed with; 0: it has not */
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
end (Link *self, GError *error)
{
  g_autoptr (GError) own_error = error;

  if (self->has_ended)
    return;
  self->has_ended = TRUE;
  g_source_destroy (self->source);
  g_source_destroy (self->flush);
  self->end_func (self, own_error, self->user_data);
}

static GError *
make_system_error (void)
{
  return g_error_new (PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST, _ ("the connection was lost: %s"),
                      g_strerror (errno));
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

void
link_send_bytes (Link *self, LinkType type, guint32 id, GBytes *head, GBytes *payload)
{
  if (!self->has_ended)
    outbox_push (&self->outbox, type, id, head != NULL ? g_bytes_ref (head) : g_bytes_new (NULL, 0),
                 payload != NULL ? g_bytes_ref (payload) : NULL);
}

void
link_send (Link *self, LinkType type, guint32 id, gconstpointer head, gsize head_size,
           GBytes *payload)
{
  g_autoptr (GBytes) bytes = g_bytes_new (head, head_size);

  link_send_bytes (self, type, id, bytes, payload);
  g_clear_pointer (&payload, g_bytes_unref);
}

void
link_flush (Link *self, int ms)
{
  const gint64 until = g_get_monotonic_time () + ms * G_TIME_SPAN_MILLISECOND;

  while (!self->has_ended && outbox_has_output (&self->outbox))
    {
      struct pollfd fd = { .fd = self->out_fd, .events = POLLOUT };
      const gint64 left = until - g_get_monotonic_time ();

      if (left <= 0 || poll (&fd, 1, (int)(left / 1000) + 1) <= 0
          || !outbox_write (&self->outbox, self->out_fd, TURN_MAX, &self->is_blocked))
        break;
    }
}

gsize
link_get_unsent (const Link *self)
{
  return outbox_get_unsent (&self->outbox);
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
  if (header->magic != PIECE_MAGIC)
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

/* Where the next bytes of the piece go to. (nullable): there are none, or there is no memory */
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
  if (self->piece_left == 0 || !make_room (part, offset + self->piece_left))
    return NULL;
  return part->payload + offset;
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
  if (!outbox_take_credit (&self->outbox, bytes))
    return set_protocol_error (error);
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
  const guint8 *begin = memchr (data, PIECE_MAGIC, *n);
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

/* The contents of a piece go straight to where they belong. @is_all: in return, TRUE if there was
 * less than could be read. */
static gssize
read_once (Link *self, gboolean *is_all)
{
  gsize size = BUFFER_SIZE - self->n_read;
  guint8 *to;
  gssize n;

  if (self->part == NULL || self->piece_left < 1024)
    {
      n = read (self->in_fd, self->buffer + self->n_read, size);
      self->n_read += (gsize)MAX (n, 0);
      *is_all = n < (gssize)size;
      return n;
    }
  to = get_room (self, &size);
  if (to == NULL)
    {
      errno = ENOMEM;
      return -1;
    }
  n = read (self->in_fd, to, size);
  *is_all = n < (gssize)size;
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
  gboolean is_all = FALSE;

  for (gsize n_done = 0; n_done < TURN_MAX && !is_all;)
    {
      const gssize n = read_once (self, &is_all);
      GError *error = NULL;
      gboolean is_freed = FALSE;

      if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return TRUE; /* poll() tells when there is something */
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
has_output (const Link *self)
{
  return !self->is_blocked && outbox_has_output (&self->outbox);
}

/* It waits no more for what goes together with it. */
static gboolean
is_due (const Link *self)
{
  const gint64 time = self->n_skipped > 0 ? g_source_get_time (self->source) - self->skipped_at : 0;

  return self->n_skipped > SKIPPED_MAX || time > SKIPPED_MAX_US
         || outbox_get_unsent (&self->outbox) > BUFFER_SIZE;
}

static void
write_some (Link *self)
{
  self->n_skipped = 0;
  if (outbox_has_output (&self->outbox)
      && !outbox_write (&self->outbox, self->out_fd, TURN_MAX, &self->is_blocked))
    self->write_error = errno;
  else
    watch (self);
}

/* FALSE: the link has ended. */
static gboolean
write_or_end (Link *self)
{
  if (self->write_error == 0)
    write_some (self);
  if (self->write_error == 0)
    return TRUE;
  errno = self->write_error;
  end (self, make_system_error ());
  return FALSE;
}

static gboolean
link_source_prepare (GSource *source, int *timeout)
{
  Link *self = ((LinkSource *)source)->link;

  *timeout = -1;
  if (!has_output (self))
    return FALSE;
  if (self->n_skipped++ == 0)
    self->skipped_at = g_source_get_time (source);
  return is_due (self);
}

static gboolean
link_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  Link *self = ((LinkSource *)source)->link;

  if (is_asked_for (self, self->in_tag, G_IO_IN) && !read_some (self))
    return G_SOURCE_REMOVE;
  if (!self->is_blocked && !is_due (self))
    return G_SOURCE_CONTINUE;
  return write_or_end (self) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* Called when nothing else is ready. What is written here takes no turn of its own, and goes
 * together with what came after it. */
static gboolean
flush_source_prepare (GSource *source, int *timeout)
{
  Link *self = ((LinkSource *)source)->link;

  *timeout = -1;
  if (!has_output (self))
    return FALSE;
  write_some (self);
  return self->write_error != 0 || has_output (self);
}

static gboolean
flush_source_dispatch (GSource *source, GSourceFunc func, gpointer user_data)
{
  return write_or_end (((LinkSource *)source)->link) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/* (transfer full) */
static GSource *
make_source (Link *self, GSourceFuncs *funcs, int priority, const char *name)
{
  GSource *source = g_source_new (funcs, sizeof (LinkSource));

  ((LinkSource *)source)->link = self;
  g_source_set_static_name (source, name);
  g_source_set_priority (source, priority);
  g_source_set_can_recurse (source, TRUE); /* else each turn takes the descriptors out */
  return source;
}

static void
make_sources (Link *self, GMainContext *context)
{
  static GSourceFuncs funcs = { .prepare = link_source_prepare, .dispatch = link_source_dispatch };
  static GSourceFuncs flush_funcs
      = { .prepare = flush_source_prepare, .dispatch = flush_source_dispatch };

  self->source = make_source (self, &funcs, G_PRIORITY_DEFAULT, "procfun link");
  self->flush = make_source (self, &flush_funcs, G_PRIORITY_DEFAULT + 1, "procfun link, flush");
  self->in_tag = g_source_add_unix_fd (self->source, self->in_fd, G_IO_IN);
  if (self->in_fd != self->out_fd)
    self->out_tag = g_source_add_unix_fd (self->source, self->out_fd, 0);
  g_source_attach (self->source, context);
  g_source_attach (self->flush, context);
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
  outbox_init (&self->outbox);
  g_unix_set_fd_nonblocking (in_fd, TRUE, NULL);
  g_unix_set_fd_nonblocking (out_fd, TRUE, NULL);
  make_sources (self, context);
  return self;
}

void
link_free (Link *self)
{
  if (self->is_freed != NULL)
    *self->is_freed = TRUE;
  g_source_destroy (self->source);
  g_source_unref (self->source);
  g_source_destroy (self->flush);
  g_source_unref (self->flush);
  if (self->out_fd != self->in_fd)
    fd_clear (&self->out_fd);
  fd_clear (&self->in_fd);
  g_hash_table_unref (self->parts);
  outbox_clear (&self->outbox);
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
