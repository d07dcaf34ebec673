/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times between the frames of a window, in microseconds: a main loop that does too much at once
 * makes a frame late. */

#include "frames.h"

/* In the first frames the window lays out and paints all that is in it. */
#define N_FIRST 4

struct _GalleryFrames
{
  GObject parent_instance;

  GtkWidget *widget; /* unowned, outlives this */
  guint tick;        /* 0 while it is stopped */
  guint n;           /* of all frames */
  gint64 last;
  GArray *times; /* (element-type gint64) */
};

G_DEFINE_FINAL_TYPE (GalleryFrames, gallery_frames, G_TYPE_OBJECT)

static void
gallery_frames_dispose (GObject *object)
{
  GalleryFrames *self = GALLERY_FRAMES (object);

  gallery_frames_stop (self);
  g_clear_pointer (&self->times, g_array_unref);
  G_OBJECT_CLASS (gallery_frames_parent_class)->dispose (object);
}

static void
gallery_frames_class_init (GalleryFramesClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gallery_frames_dispose;
}

static void
gallery_frames_init (GalleryFrames *self)
{
  self->times = g_array_new (FALSE, FALSE, sizeof (gint64));
}

GalleryFrames *
gallery_frames_new (GtkWidget *widget)
{
  GalleryFrames *self = g_object_new (GALLERY_TYPE_FRAMES, NULL);

  self->widget = widget;
  return self;
}

static gboolean
on_tick (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  GalleryFrames *self = user_data;
  gint64 now = g_get_monotonic_time ();
  gint64 time = now - self->last;

  if (self->n++ > N_FIRST)
    g_array_append_val (self->times, time);
  self->last = now;
  return G_SOURCE_CONTINUE;
}

/* Forgets what it has measured before. */
void
gallery_frames_start (GalleryFrames *self)
{
  g_array_set_size (self->times, 0);
  self->n = 0;
  if (self->tick == 0)
    self->tick = gtk_widget_add_tick_callback (self->widget, on_tick, self, NULL);
}

void
gallery_frames_stop (GalleryFrames *self)
{
  if (self->tick != 0)
    gtk_widget_remove_tick_callback (self->widget, self->tick);
  self->tick = 0;
}

guint
gallery_frames_get_n (GalleryFrames *self)
{
  return self->times->len;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  gint64 x = *(const gint64 *)a, y = *(const gint64 *)b;

  return (x > y) - (x < y);
}

/* 100 is the longest. */
gint64
gallery_frames_get_percentile (GalleryFrames *self, double percentile)
{
  g_autoptr (GArray) sorted = g_array_copy (self->times);

  if (sorted->len == 0)
    return 0;
  g_array_sort (sorted, compare);
  return g_array_index (sorted, gint64, (guint)((sorted->len - 1) * percentile / 100));
}
