/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>

#define GALLERY_TYPE_FRAMES (gallery_frames_get_type ())
G_DECLARE_FINAL_TYPE (GalleryFrames, gallery_frames, GALLERY, FRAMES, GObject)

GalleryFrames *gallery_frames_new (GtkWidget *widget);
void gallery_frames_start (GalleryFrames *self);
void gallery_frames_stop (GalleryFrames *self);
guint gallery_frames_get_n (GalleryFrames *self);
gint64 gallery_frames_get_percentile (GalleryFrames *self, double percentile);
