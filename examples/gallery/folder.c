/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The images of a folder. Their files are listed, and then given to the pool, a few at a time: a
 * folder with many must not make a frame late. */

#include "folder.h"

#include "picture.h"

#define ATTRIBUTES                                                                                 \
  G_FILE_ATTRIBUTE_STANDARD_NAME "," G_FILE_ATTRIBUTE_STANDARD_DISPLAY_NAME                        \
                                 "," G_FILE_ATTRIBUTE_STANDARD_FAST_CONTENT_TYPE
#define N_AT_ONCE 50

struct _GalleryFolder
{
  GObject parent_instance;

  ProcfunExecutor *executor;
  GCancellable *cancellable;
  GPtrArray *found;     /* (element-type GalleryPicture) */
  GListStore *pictures; /* (element-type GalleryPicture): the same in order, once all are found */
  guint n_submitted;
  guint n_done; /* in any way */
  guint n_broken;
  gboolean is_listed;
  char *error;
};

G_DEFINE_FINAL_TYPE (GalleryFolder, gallery_folder, G_TYPE_OBJECT)

static guint changed_signal;

static void
gallery_folder_finalize (GObject *object)
{
  GalleryFolder *self = GALLERY_FOLDER (object);

  g_clear_object (&self->executor);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->found, g_ptr_array_unref);
  g_clear_object (&self->pictures);
  g_free (self->error);
  G_OBJECT_CLASS (gallery_folder_parent_class)->finalize (object);
}

static void
gallery_folder_class_init (GalleryFolderClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = gallery_folder_finalize;
  changed_signal = g_signal_new ("changed", GALLERY_TYPE_FOLDER, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                 NULL, G_TYPE_NONE, 0);
}

static void
gallery_folder_init (GalleryFolder *self)
{
  self->found = g_ptr_array_new_with_free_func (g_object_unref);
  self->pictures = g_list_store_new (GALLERY_TYPE_PICTURE);
  self->cancellable = g_cancellable_new ();
}

static void
on_state (GalleryPicture *picture, GParamSpec *spec, GalleryFolder *self)
{
  self->n_done++;
  self->n_broken += gallery_picture_get_state (picture) == GALLERY_BROKEN;
  g_signal_emit (self, changed_signal, 0);
}

static gboolean
submit (gpointer user_data)
{
  GalleryFolder *self = user_data;
  guint end = MIN (self->found->len, self->n_submitted + N_AT_ONCE);

  while (self->n_submitted < end)
    gallery_picture_decode (self->found->pdata[self->n_submitted++], self->executor,
                            self->cancellable);
  return self->n_submitted < self->found->len ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void
add_file (GalleryFolder *self, GFileEnumerator *files, GFileInfo *info)
{
  const char *type
      = g_file_info_get_attribute_string (info, G_FILE_ATTRIBUTE_STANDARD_FAST_CONTENT_TYPE);
  g_autoptr (GFile) file = g_file_enumerator_get_child (files, info);
  GalleryPicture *picture;

  if (type == NULL || !g_str_has_prefix (type, "image/"))
    return;
  picture = gallery_picture_new (file, g_file_info_get_display_name (info));
  g_signal_connect_object (picture, "notify::state", G_CALLBACK (on_state), self, 0);
  g_ptr_array_add (self->found, picture);
}

static void
end_list (GalleryFolder *self, GError *error)
{
  if (error != NULL && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    self->error = g_strdup (error->message);
  self->is_listed = TRUE;
  g_ptr_array_sort (self->found, gallery_picture_compare);
  g_list_store_splice (self->pictures, 0, 0, self->found->pdata, self->found->len);
  g_idle_add_full (G_PRIORITY_DEFAULT_IDLE, submit, g_object_ref (self), g_object_unref);
  g_signal_emit (self, changed_signal, 0);
}

static void
on_files (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GalleryFolder) self = user_data;
  GFileEnumerator *files = G_FILE_ENUMERATOR (source);
  g_autoptr (GError) error = NULL;
  GList *infos = g_file_enumerator_next_files_finish (files, result, &error);

  if (infos == NULL)
    {
      end_list (self, error);
      return;
    }
  for (GList *l = infos; l != NULL; l = l->next)
    add_file (self, files, l->data);
  g_list_free_full (infos, g_object_unref);
  g_file_enumerator_next_files_async (files, N_AT_ONCE, G_PRIORITY_DEFAULT, self->cancellable,
                                      on_files, g_object_ref (self));
}

static void
on_enumerator (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GalleryFolder) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GFileEnumerator) files
      = g_file_enumerate_children_finish (G_FILE (source), result, &error);

  if (files == NULL)
    end_list (self, error);
  else
    g_file_enumerator_next_files_async (files, N_AT_ONCE, G_PRIORITY_DEFAULT, self->cancellable,
                                        on_files, g_object_ref (self));
}

GalleryFolder *
gallery_folder_new (GFile *file, ProcfunExecutor *executor)
{
  GalleryFolder *self = g_object_new (GALLERY_TYPE_FOLDER, NULL);

  self->executor = g_object_ref (executor);
  g_file_enumerate_children_async (file, ATTRIBUTES, G_FILE_QUERY_INFO_NONE, G_PRIORITY_DEFAULT,
                                   self->cancellable, on_enumerator, g_object_ref (self));
  return self;
}

void
gallery_folder_cancel (GalleryFolder *self)
{
  g_cancellable_cancel (self->cancellable);
}

GListModel *
gallery_folder_get_pictures (GalleryFolder *self)
{
  return G_LIST_MODEL (self->pictures);
}

gboolean
gallery_folder_is_busy (GalleryFolder *self)
{
  return !self->is_listed
         || self->n_done < g_list_model_get_n_items (G_LIST_MODEL (self->pictures));
}

guint
gallery_folder_get_n_done (GalleryFolder *self)
{
  return self->n_done;
}

char *
gallery_folder_describe (GalleryFolder *self)
{
  guint n = g_list_model_get_n_items (G_LIST_MODEL (self->pictures));

  if (self->error != NULL)
    return g_strdup (self->error);
  if (g_cancellable_is_cancelled (self->cancellable))
    return g_strdup ("Cancelled");
  return g_strdup_printf ("%u of %u images, %u broken", self->n_done, n, self->n_broken);
}
