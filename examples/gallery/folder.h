/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>
#include <procfun.h>

#define GALLERY_TYPE_FOLDER (gallery_folder_get_type ())
G_DECLARE_FINAL_TYPE (GalleryFolder, gallery_folder, GALLERY, FOLDER, GObject)

GalleryFolder *gallery_folder_new (GFile *file, ProcfunExecutor *executor);
void gallery_folder_cancel (GalleryFolder *self);
GListModel *gallery_folder_get_pictures (GalleryFolder *self);
gboolean gallery_folder_is_busy (GalleryFolder *self);
guint gallery_folder_get_n_done (GalleryFolder *self);
char *gallery_folder_describe (GalleryFolder *self);
