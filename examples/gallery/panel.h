/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include "frames.h"
#include <procfun.h>

#define GALLERY_TYPE_PANEL (gallery_panel_get_type ())
G_DECLARE_FINAL_TYPE (GalleryPanel, gallery_panel, GALLERY, PANEL, GtkBox)

GtkWidget *gallery_panel_new (ProcfunExecutor *executor, GalleryFrames *frames);
void gallery_panel_update (GalleryPanel *self);
const char *gallery_panel_get_value (GalleryPanel *self, const char *name);
