/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The statistics of a pool, twice a second. */

#include "panel.h"

#define INTERVAL_MS 500

struct _GalleryPanel
{
  GtkBox parent_instance;

  ProcfunExecutor *executor;
  GalleryFrames *frames;
  GtkGrid *grid;
  GHashTable *values; /* (element-type utf8 GtkLabel): labels belong to the grid */
  guint timer;
};

G_DEFINE_FINAL_TYPE (GalleryPanel, gallery_panel, GTK_TYPE_BOX)

static void
gallery_panel_dispose (GObject *object)
{
  GalleryPanel *self = GALLERY_PANEL (object);

  g_clear_handle_id (&self->timer, g_source_remove);
  g_clear_object (&self->executor);
  g_clear_object (&self->frames);
  g_clear_pointer (&self->values, g_hash_table_unref);
  G_OBJECT_CLASS (gallery_panel_parent_class)->dispose (object);
}

static void
gallery_panel_class_init (GalleryPanelClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = gallery_panel_dispose;
}

static GtkWidget *
heading_new (const char *text)
{
  GtkWidget *heading = gtk_label_new (text);

  gtk_widget_add_css_class (heading, "heading");
  gtk_label_set_xalign (GTK_LABEL (heading), 0);
  return heading;
}

/* A screen reader reads the name of the row with its value. */
static void
add_row (GalleryPanel *self, int row, const char *name)
{
  GtkWidget *label = gtk_label_new (name);
  GtkWidget *value = gtk_label_new ("–");

  gtk_widget_add_css_class (label, "dim-label");
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_xalign (GTK_LABEL (value), 1);
  gtk_widget_add_css_class (value, "numeric");
  gtk_widget_set_hexpand (value, TRUE); /* in the grid, which does not grow */
  gtk_label_set_width_chars (GTK_LABEL (value), 9);
  gtk_accessible_update_relation (GTK_ACCESSIBLE (value), GTK_ACCESSIBLE_RELATION_LABELLED_BY,
                                  label, NULL, -1);
  gtk_grid_attach (self->grid, label, 0, row, 1, 1);
  gtk_grid_attach (self->grid, value, 1, row, 1, 1);
  g_hash_table_insert (self->values, (gpointer)name, value);
}

static void
gallery_panel_init (GalleryPanel *self)
{
  static const char *const names[]
      = { "Workers",     "Busy",         "Queued",      "Succeeded",      "Failed",
          "Crashed",     "Timed out",    "Cancelled",   "Calls a second", "Median call",
          "Median wait", "Median frame", "Worst frame", "Memory" };

  self->values = g_hash_table_new (g_str_hash, g_str_equal);
  self->grid = GTK_GRID (gtk_grid_new ());
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self), GTK_ORIENTATION_VERTICAL);
  gtk_box_set_spacing (GTK_BOX (self), 12);
  gtk_box_append (GTK_BOX (self), heading_new ("Pool"));
  gtk_box_append (GTK_BOX (self), GTK_WIDGET (self->grid));
  gtk_widget_set_hexpand (GTK_WIDGET (self->grid), FALSE);
  gtk_grid_set_row_spacing (self->grid, 6);
  gtk_grid_set_column_spacing (self->grid, 12);
  for (int i = 0; i < (int)G_N_ELEMENTS (names); i++)
    add_row (self, i, names[i]);
}

static void
set_text (GalleryPanel *self, const char *name, char *text)
{
  gtk_label_set_text (g_hash_table_lookup (self->values, name), text);
  g_free (text);
}

static void
set_count (GalleryPanel *self, const char *name, guint64 n)
{
  set_text (self, name, g_strdup_printf ("%" G_GUINT64_FORMAT, n));
}

static void
set_time (GalleryPanel *self, const char *name, gint64 us)
{
  set_text (self, name, g_strdup_printf ("%.1f ms", (double)us / 1000));
}

static void
set_workers (GalleryPanel *self, ProcfunStatistics *statistics)
{
  guint n = procfun_statistics_get_n_workers (statistics);
  guint n_busy = 0;
  guint64 memory = 0;

  for (guint i = 0; i < n; i++)
    {
      n_busy += procfun_statistics_get_worker_state (statistics, i) == PROCFUN_WORKER_BUSY;
      memory += procfun_statistics_get_worker_memory (statistics, i);
    }
  set_count (self, "Workers", n);
  set_count (self, "Busy", n_busy);
  set_text (self, "Memory", g_format_size (memory));
}

static void
set_counts (GalleryPanel *self, ProcfunStatistics *statistics)
{
  static const struct
  {
    const char *name;
    ProcfunCause cause;
  } causes[] = { { "Crashed", PROCFUN_CAUSE_CRASHED },
                 { "Timed out", PROCFUN_CAUSE_TIMED_OUT },
                 { "Cancelled", PROCFUN_CAUSE_CANCELLED } };

  for (gsize i = 0; i < G_N_ELEMENTS (causes); i++)
    set_count (self, causes[i].name, procfun_statistics_get_count (statistics, causes[i].cause));
  set_count (self, "Queued", procfun_statistics_get_queued (statistics));
  set_count (self, "Succeeded", procfun_statistics_get_succeeded (statistics));
  set_count (self, "Failed", procfun_statistics_get_failed (statistics));
}

void
gallery_panel_update (GalleryPanel *self)
{
  g_autoptr (ProcfunStatistics) statistics = procfun_statistics_new (self->executor);

  set_workers (self, statistics);
  set_counts (self, statistics);
  set_text (self, "Calls a second",
            g_strdup_printf ("%.1f", procfun_statistics_get_rate (statistics)));
  set_time (self, "Median call", procfun_statistics_get_percentile (statistics, 50));
  set_time (self, "Median wait", procfun_statistics_get_wait_percentile (statistics, 50));
  set_time (self, "Median frame", gallery_frames_get_percentile (self->frames, 50));
  set_time (self, "Worst frame", gallery_frames_get_percentile (self->frames, 100));
}

static gboolean
on_timer (gpointer self)
{
  gallery_panel_update (self);
  return G_SOURCE_CONTINUE;
}

GtkWidget *
gallery_panel_new (ProcfunExecutor *executor, GalleryFrames *frames)
{
  GalleryPanel *self = g_object_new (GALLERY_TYPE_PANEL, NULL);

  self->executor = g_object_ref (executor);
  self->frames = g_object_ref (frames);
  self->timer = g_timeout_add (INTERVAL_MS, on_timer, self);
  return GTK_WIDGET (self);
}

const char *
gallery_panel_get_value (GalleryPanel *self, const char *name)
{
  return gtk_label_get_text (g_hash_table_lookup (self->values, name));
}
