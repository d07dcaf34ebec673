/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/map-output.h"

#include "procfun/codecs/gvariant.h"
#include "procfun/codecs/json.h"
#include "procfun/values/schema.h"
#include <errno.h>
#include <json-glib/json-glib.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define MUCH_BYTES 65536

struct _MapOutput
{
  int fd;
  ProcfunSchema *array; /* of results */
  gboolean is_raw;      /* and text */
  gsize n_after;        /* bytes after a raw result that are not of its text */
  char end;
  Buffer out;
  GVariant *results; /* (nullable): those that @iter is over */
  SerialisedIter iter;
  int errnum;
};

/* Sets how many bytes follow the text in the serialised form. */
static gboolean
is_text (const ProcfunSchema *schema, gsize *n_after)
{
  *n_after = strchr ("sog", schema->type_class) != NULL ? 1 : 0;
  return *n_after > 0 || g_variant_type_equal (schema->type, G_VARIANT_TYPE_BYTESTRING);
}

MapOutput *
map_output_new (int fd, ProcfunSchema *result, gboolean is_raw, char end)
{
  MapOutput *self = g_new0 (MapOutput, 1);

  self->fd = fd;
  self->array = procfun_schema_new_array (result);
  self->is_raw = is_text (result, &self->n_after) && is_raw;
  self->end = end;
  return self;
}

void
map_output_free (MapOutput *self)
{
  close (self->fd);
  g_clear_pointer (&self->results, g_variant_unref);
  procfun_schema_unref (self->array);
  wire_buffer_clear (&self->out);
  g_free (self);
}

Buffer *
map_output_get_buffer (MapOutput *self)
{
  return &self->out;
}

void
map_output_begin (MapOutput *self, GVariant *results)
{
  g_clear_pointer (&self->results, g_variant_unref);
  self->results = wire_variant_normalise (self->array, results);
  wire_serialised_iter_init (&self->iter, self->array, g_variant_get_data (self->results),
                             g_variant_get_size (self->results));
}

static void
append_tag (Buffer *to, const char *tag)
{
  if (tag == NULL)
    return;
  buffer_append (to, tag, strlen (tag));
  buffer_append_byte (to, '\t');
}

gboolean
map_output_next (MapOutput *self, const char *tag, Buffer *to, GError **error)
{
  const gsize before = to->length;
  const guint8 *data;
  gsize size;

  append_tag (to, tag);
  if (self->is_raw && wire_serialised_iter_next (&self->iter, &data, &size))
    buffer_append (to, data, size - MIN (size, self->n_after));
  else if (self->is_raw || !wire_json_write_next (&self->iter, to, error))
    {
      to->length = before;
      return FALSE;
    }
  buffer_append_byte (to, (guint8)self->end);
  return TRUE;
}

void
map_output_fail (MapOutput *self, guint64 number, const char *tag, const char *message, Buffer *to)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;
  JsonObject *object;

  if (self->is_raw)
    return;
  node = json_node_new (JSON_NODE_OBJECT);
  object = json_object_new ();
  json_object_set_string_member (object, "error", message);
  json_object_set_int_member (object, "line", (gint64)number);
  json_node_take_object (node, object);
  text = json_to_string (node, FALSE);
  append_tag (to, tag);
  buffer_append_byte (to, '!');
  buffer_append (to, text, strlen (text));
  buffer_append_byte (to, (guint8)self->end);
}

/* Also to a descriptor that does not block. */
static int
write_all (int fd, const guint8 *data, gsize size)
{
  for (gsize done = 0; done < size;)
    {
      gssize n = write (fd, data + done, size - done);

      if (n < 0 && errno == EAGAIN)
        poll (&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, -1);
      else if (n < 0 && errno != EINTR)
        return errno;
      done += (gsize)MAX (n, 0);
    }
  return 0;
}

int
map_output_flush (MapOutput *self)
{
  if (self->errnum == 0 && self->out.length > 0)
    self->errnum = write_all (self->fd, self->out.data, self->out.length);
  self->out.length = 0;
  return self->errnum;
}

int
map_output_push (MapOutput *self)
{
  return self->out.length < MUCH_BYTES ? 0 : map_output_flush (self);
}
