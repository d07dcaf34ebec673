/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* A picture in the grid: its pixels, or how far it is, or why there are none. */

#include "tile.h"

#include "picture.h"

#define WIDTH 160
#define HEIGHT 120
#define ICON_SIZE 32

struct _GalleryTile
{
  GtkBox parent_instance;

  GBindingGroup *bindings;
  GtkPicture *picture;
  GtkImage *missing; /* in its place */
  GtkProgressBar *bar;
  GtkLabel *caption;
};

G_DEFINE_FINAL_TYPE (GalleryTile, gallery_tile, GTK_TYPE_BOX)

static void
gallery_tile_dispose (GObject *object)
{
  GalleryTile *self = GALLERY_TILE (object);

  g_clear_object (&self->bindings);
  G_OBJECT_CLASS (gallery_tile_parent_class)->dispose (object);
}

static void
gallery_tile_class_init (GalleryTileClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gallery_tile_dispose;
}

static gboolean
is_waiting (GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
  g_value_set_boolean (to, g_value_get_enum (from) == GALLERY_WAITING);
  return TRUE;
}

static gboolean
is_broken (GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
  g_value_set_boolean (to, g_value_get_enum (from) == GALLERY_BROKEN);
  return TRUE;
}

static gboolean
get_css_classes (GBinding *binding, const GValue *from, GValue *to, gpointer data)
{
  static const char *const none[] = { NULL };
  static const char *const error[] = { "error", NULL };

  g_value_set_boxed (to, g_value_get_enum (from) == GALLERY_BROKEN ? error : none);
  return TRUE;
}

/* The focus is on the cell that the grid has made around the tile: a screen reader reads its name.
 */
static void
on_caption (GtkLabel *caption, GParamSpec *spec, GtkWidget *self)
{
  GtkWidget *cell = gtk_widget_get_parent (self);

  if (cell != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (cell), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                    gtk_label_get_text (caption), -1);
}

static void
bind (GalleryTile *self)
{
  self->bindings = g_binding_group_new ();
  g_binding_group_bind (self->bindings, "texture", self->picture, "paintable", G_BINDING_DEFAULT);
  g_binding_group_bind (self->bindings, "fraction", self->bar, "fraction", G_BINDING_DEFAULT);
  g_binding_group_bind (self->bindings, "caption", self->caption, "label", G_BINDING_DEFAULT);
  g_binding_group_bind (self->bindings, "caption", self->picture, "alternative-text",
                        G_BINDING_DEFAULT);
  g_binding_group_bind_full (self->bindings, "state", self->bar, "visible", G_BINDING_DEFAULT,
                             is_waiting, NULL, NULL, NULL);
  g_binding_group_bind_full (self->bindings, "state", self->missing, "visible", G_BINDING_DEFAULT,
                             is_broken, NULL, NULL, NULL);
  g_binding_group_bind_full (self->bindings, "state", self->caption, "css-classes",
                             G_BINDING_DEFAULT, get_css_classes, NULL, NULL, NULL);
}

static GtkWidget *
frame_new (GalleryTile *self)
{
  GtkWidget *frame = gtk_overlay_new ();

  self->picture = GTK_PICTURE (gtk_picture_new ());
  gtk_widget_set_size_request (GTK_WIDGET (self->picture), WIDTH, HEIGHT);
  gtk_overlay_set_child (GTK_OVERLAY (frame), GTK_WIDGET (self->picture));
  self->missing = GTK_IMAGE (gtk_image_new ());
  gtk_image_set_pixel_size (self->missing, ICON_SIZE);
  gtk_widget_set_halign (GTK_WIDGET (self->missing), GTK_ALIGN_CENTER);
  gtk_widget_set_valign (GTK_WIDGET (self->missing), GTK_ALIGN_CENTER);
  gtk_overlay_add_overlay (GTK_OVERLAY (frame), GTK_WIDGET (self->missing));
  return frame;
}

static void
gallery_tile_init (GalleryTile *self)
{
  GtkBox *box = GTK_BOX (self);

  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (box, 4);
  gtk_box_append (box, frame_new (self));
  self->bar = GTK_PROGRESS_BAR (gtk_progress_bar_new ());
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  "Decoded", -1);
  gtk_box_append (box, GTK_WIDGET (self->bar));
  self->caption = GTK_LABEL (gtk_label_new (NULL));
  gtk_label_set_wrap (self->caption, TRUE);
  gtk_label_set_max_width_chars (self->caption, 20);
  gtk_label_set_justify (self->caption, GTK_JUSTIFY_CENTER);
  g_signal_connect (self->caption, "notify::label", G_CALLBACK (on_caption), self);
  gtk_box_append (box, GTK_WIDGET (self->caption));
  bind (self);
}

/* The grid makes as many tiles as are seen, and gives each another picture when it is scrolled. */
static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item, GdkPaintable *icon)
{
  GalleryTile *self = g_object_new (GALLERY_TYPE_TILE, NULL);

  gtk_image_set_from_paintable (self->missing, icon);
  gtk_list_item_set_child (item, GTK_WIDGET (self));
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GalleryTile *self = GALLERY_TILE (gtk_list_item_get_child (item));

  g_binding_group_set_source (self->bindings, gtk_list_item_get_item (item));
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  GalleryTile *self = GALLERY_TILE (gtk_list_item_get_child (item));

  g_binding_group_set_source (self->bindings, NULL);
}

/* A theme is loaded for its first icon: before there is a window, and not while images arrive. */
static GdkPaintable *
find_icon (void)
{
  GdkDisplay *display = gdk_display_get_default ();

  return GDK_PAINTABLE (gtk_icon_theme_lookup_icon (gtk_icon_theme_get_for_display (display),
                                                    "image-missing", NULL, ICON_SIZE, 1,
                                                    GTK_TEXT_DIR_NONE, 0));
}

GtkListItemFactory *
gallery_tile_factory_new (void)
{
  GtkListItemFactory *factory = gtk_signal_list_item_factory_new ();
  GdkPaintable *icon = find_icon ();

  g_object_set_data_full (G_OBJECT (factory), "icon", icon, g_object_unref);
  g_signal_connect (factory, "setup", G_CALLBACK (on_setup), icon);
  g_signal_connect (factory, "bind", G_CALLBACK (on_bind), NULL);
  g_signal_connect (factory, "unbind", G_CALLBACK (on_unbind), NULL);
  return factory;
}
