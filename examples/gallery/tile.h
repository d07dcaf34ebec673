/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gtk/gtk.h>

#define GALLERY_TYPE_TILE (gallery_tile_get_type ())
G_DECLARE_FINAL_TYPE (GalleryTile, gallery_tile, GALLERY, TILE, GtkBox)

GtkListItemFactory *gallery_tile_factory_new (void);
