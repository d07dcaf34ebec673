/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "folder.h"
#include "panel.h"

#define GALLERY_TYPE_WINDOW (gallery_window_get_type ())
G_DECLARE_FINAL_TYPE (GalleryWindow, gallery_window, GALLERY, WINDOW, GtkApplicationWindow)

GalleryWindow *gallery_window_new (GtkApplication *application);
void gallery_window_open (GalleryWindow *self, GFile *folder);
GalleryFolder *gallery_window_get_folder (GalleryWindow *self);
GalleryFrames *gallery_window_get_frames (GalleryWindow *self);
GalleryPanel *gallery_window_get_panel (GalleryWindow *self);
const char *gallery_window_get_status (GalleryWindow *self);
const char *gallery_window_get_fault (GalleryWindow *self);
