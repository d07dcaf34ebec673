/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>
#include <procfun.h>

typedef enum
{
  GALLERY_WAITING,
  GALLERY_DECODED,
  GALLERY_BROKEN,
  GALLERY_CANCELLED
} GalleryState;

#define GALLERY_TYPE_STATE (gallery_state_get_type ())
GType gallery_state_get_type (void);

#define GALLERY_TYPE_PICTURE (gallery_picture_get_type ())
G_DECLARE_FINAL_TYPE (GalleryPicture, gallery_picture, GALLERY, PICTURE, GObject)

GalleryPicture *gallery_picture_new (GFile *file, const char *name);
void gallery_picture_decode (GalleryPicture *self, ProcfunExecutor *executor,
                             GCancellable *cancellable);
int gallery_picture_compare (gconstpointer a, gconstpointer b);
const char *gallery_picture_get_name (GalleryPicture *self);
const char *gallery_picture_get_caption (GalleryPicture *self);
GalleryState gallery_picture_get_state (GalleryPicture *self);
