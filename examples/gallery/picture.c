/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* One file of a folder, before, while and after it is decoded. */

#include "picture.h"

#include "decode.h"
#include "workers.h"
#include <string.h>

/* Pixels of the longer side: twice those of a tile, for displays with a scale of 2 */
#define SIZE 320

struct _GalleryPicture
{
  GObject parent_instance;

  GFile *file;
  char *name;
  char *key;     /* of the name, where it stands in an order */
  char *caption; /* the name, and the reason if there is no picture */
  GdkTexture *texture;
  double fraction;
  GalleryState state;
};

G_DEFINE_ENUM_TYPE (GalleryState, gallery_state, G_DEFINE_ENUM_VALUE (GALLERY_WAITING, "waiting"),
                    G_DEFINE_ENUM_VALUE (GALLERY_DECODED, "decoded"),
                    G_DEFINE_ENUM_VALUE (GALLERY_BROKEN, "broken"),
                    G_DEFINE_ENUM_VALUE (GALLERY_CANCELLED, "cancelled"))

G_DEFINE_FINAL_TYPE (GalleryPicture, gallery_picture, G_TYPE_OBJECT)

enum
{
  PROP_CAPTION = 1,
  PROP_FRACTION,
  PROP_STATE,
  PROP_TEXTURE,
  N_PROPS
};

static GParamSpec *props[N_PROPS];

static void
gallery_picture_get_property (GObject *object, guint id, GValue *value, GParamSpec *spec)
{
  GalleryPicture *self = GALLERY_PICTURE (object);

  switch (id)
    {
    case PROP_CAPTION:
      g_value_set_string (value, self->caption);
      break;
    case PROP_FRACTION:
      g_value_set_double (value, self->fraction);
      break;
    case PROP_STATE:
      g_value_set_enum (value, (int)self->state);
      break;
    case PROP_TEXTURE:
      g_value_set_object (value, self->texture);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
gallery_picture_set_property (GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
  GalleryPicture *self = GALLERY_PICTURE (object);

  switch (id)
    {
    case PROP_FRACTION:
      self->fraction = g_value_get_double (value);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, spec);
    }
}

static void
gallery_picture_finalize (GObject *object)
{
  GalleryPicture *self = GALLERY_PICTURE (object);

  g_clear_object (&self->file);
  g_clear_object (&self->texture);
  g_free (self->name);
  g_free (self->key);
  g_free (self->caption);
  G_OBJECT_CLASS (gallery_picture_parent_class)->finalize (object);
}

static void
gallery_picture_class_init (GalleryPictureClass *klass)
{
  const GParamFlags flags = G_PARAM_READABLE | G_PARAM_STATIC_STRINGS;
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = gallery_picture_get_property;
  object_class->set_property = gallery_picture_set_property;
  object_class->finalize = gallery_picture_finalize;
  props[PROP_CAPTION] = g_param_spec_string ("caption", NULL, NULL, NULL, flags);
  props[PROP_FRACTION]
      = g_param_spec_double ("fraction", NULL, NULL, 0, 1, 0, flags | G_PARAM_WRITABLE);
  props[PROP_STATE]
      = g_param_spec_enum ("state", NULL, NULL, GALLERY_TYPE_STATE, GALLERY_WAITING, flags);
  props[PROP_TEXTURE] = g_param_spec_object ("texture", NULL, NULL, GDK_TYPE_TEXTURE, flags);
  g_object_class_install_properties (object_class, N_PROPS, props);
}

static void
gallery_picture_init (GalleryPicture *self)
{
}

GalleryPicture *
gallery_picture_new (GFile *file, const char *name)
{
  GalleryPicture *self = g_object_new (GALLERY_TYPE_PICTURE, NULL);

  self->file = g_object_ref (file);
  self->name = g_strdup (name);
  self->key = g_utf8_collate_key_for_filename (name, -1);
  self->caption = g_strdup (name);
  return self;
}

static void
set_state (GalleryPicture *self, GalleryState state, const char *reason)
{
  if (reason != NULL)
    {
      g_free (self->caption);
      self->caption = g_strdup_printf ("%s: %s", self->name, reason);
      g_object_notify_by_pspec (G_OBJECT (self), props[PROP_CAPTION]);
    }
  self->state = state;
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_STATE]);
}

static void
set_image (GalleryPicture *self, const Image *image)
{
  self->texture = gdk_memory_texture_new (
      image->width, image->height, image->has_alpha ? GDK_MEMORY_R8G8B8A8 : GDK_MEMORY_R8G8B8,
      image->pixels, (gsize)image->stride);
  g_object_notify_by_pspec (G_OBJECT (self), props[PROP_TEXTURE]);
  set_state (self, GALLERY_DECODED, NULL);
}

/* The summary is for the user; the log has the message, with the signal and the line. */
static void
on_decoded (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GalleryPicture) self = user_data;
  ProcfunCall *call = PROCFUN_CALL (source);
  g_autoptr (GError) error = NULL;
  g_auto (Image) image = decode_image_run_finish (call, result, &error);

  if (error == NULL)
    set_image (self, &image);
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    set_state (self, GALLERY_CANCELLED, "Cancelled");
  else
    {
      g_message ("%s: %s", self->name, error->message);
      set_state (self, GALLERY_BROKEN,
                 procfun_failure_get_summary (procfun_call_get_failure (call)));
    }
}

/* The call keeps itself alive, and the callback keeps the picture. */
void
gallery_picture_decode (GalleryPicture *self, ProcfunExecutor *executor, GCancellable *cancellable)
{
  g_autofree char *uri = g_file_get_uri (self->file);
  g_autoptr (ProcfunCall) call = decode_image_call (uri, SIZE);

  procfun_call_set_executor (call, executor);
  procfun_call_set_timeout (call, DECODE_TIMEOUT);
  g_object_bind_property (call, "progress", self, "fraction", G_BINDING_DEFAULT);
  decode_image_run_async (call, cancellable, on_decoded, g_object_ref (self));
}

/* For g_ptr_array_sort() */
int
gallery_picture_compare (gconstpointer a, gconstpointer b)
{
  GalleryPicture *const *one = a, *const *other = b;

  return strcmp ((*one)->key, (*other)->key);
}

const char *
gallery_picture_get_name (GalleryPicture *self)
{
  return self->name;
}

const char *
gallery_picture_get_caption (GalleryPicture *self)
{
  return self->caption;
}

GalleryState
gallery_picture_get_state (GalleryPicture *self)
{
  return self->state;
}
