/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The window has a pool, and shows a folder whose images the pool decodes. */

#include "window.h"

#include "decode.h"
#include "tile.h"
#include "workers.h"

#define HANG_TIMEOUT (2 * G_USEC_PER_SEC)

struct _GalleryWindow
{
  GtkApplicationWindow parent_instance;

  ProcfunExecutor *pool;
  GCancellable *cancellable; /* of the faults */
  GalleryFolder *folder;
  GalleryFrames *frames;
  GtkGridView *grid;
  GtkProgressBar *bar;
  GtkLabel *status;
  GtkLabel *fault; /* the outcome of the last one */
  GalleryPanel *panel;
};

G_DEFINE_FINAL_TYPE (GalleryWindow, gallery_window, GTK_TYPE_APPLICATION_WINDOW)

static void
on_closed (GObject *pool, GAsyncResult *result, gpointer application)
{
  procfun_executor_close_full_finish (PROCFUN_EXECUTOR (pool), result, NULL);
  g_application_release (application);
  g_object_unref (application);
}

/* The application lives until the pool has no process. */
static void
close_pool (GalleryWindow *self)
{
  GApplication *application = g_application_get_default ();

  g_application_hold (application);
  procfun_executor_close_full_async (self->pool,
                                     PROCFUN_CLOSE_DROP_QUEUED | PROCFUN_CLOSE_CANCEL_RUNNING, NULL,
                                     on_closed, g_object_ref (application));
  g_clear_object (&self->pool);
}

static void
close_folder (GalleryWindow *self)
{
  if (self->folder != NULL)
    {
      g_signal_handlers_disconnect_by_data (self->folder, self);
      gallery_folder_cancel (self->folder);
    }
  g_clear_object (&self->folder);
}

static void
gallery_window_dispose (GObject *object)
{
  GalleryWindow *self = GALLERY_WINDOW (object);

  close_folder (self);
  if (self->cancellable != NULL)
    g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->frames != NULL)
    gallery_frames_stop (self->frames);
  g_clear_object (&self->frames);
  if (self->pool != NULL)
    close_pool (self);
  G_OBJECT_CLASS (gallery_window_parent_class)->dispose (object);
}

/* Opening */

static void
on_changed (GalleryFolder *folder, GalleryWindow *self)
{
  guint n = g_list_model_get_n_items (gallery_folder_get_pictures (folder));
  g_autofree char *text = gallery_folder_describe (folder);
  gboolean is_busy = gallery_folder_is_busy (folder);

  gtk_progress_bar_set_fraction (self->bar,
                                 n > 0 ? (double)gallery_folder_get_n_done (folder) / n : 0);
  gtk_label_set_text (self->status, text);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.cancel", is_busy);
  if (!is_busy)
    {
      gallery_frames_stop (self->frames);
      gallery_panel_update (self->panel);
    }
}

void
gallery_window_open (GalleryWindow *self, GFile *file)
{
  g_autoptr (GtkNoSelection) model = NULL;

  close_folder (self);
  gallery_frames_start (self->frames);
  self->folder = gallery_folder_new (file, self->pool);
  g_signal_connect (self->folder, "changed", G_CALLBACK (on_changed), self);
  model = gtk_no_selection_new (g_object_ref (gallery_folder_get_pictures (self->folder)));
  gtk_grid_view_set_model (self->grid, GTK_SELECTION_MODEL (model));
  on_changed (self->folder, self);
}

static void
on_response (GtkNativeDialog *dialog, int response, GalleryWindow *self)
{
  g_autoptr (GFile) file = NULL;

  if (response == GTK_RESPONSE_ACCEPT)
    file = gtk_file_chooser_get_file (GTK_FILE_CHOOSER (dialog));
  if (file != NULL)
    gallery_window_open (self, file);
  g_object_unref (dialog);
}

static void
on_open (GtkWidget *widget, const char *action, GVariant *parameter)
{
  GtkFileChooserNative *dialog
      = gtk_file_chooser_native_new ("Open Folder", GTK_WINDOW (widget),
                                     GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER, "_Open", "_Cancel");

  gtk_native_dialog_set_modal (GTK_NATIVE_DIALOG (dialog), TRUE);
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_response), widget, 0);
  gtk_native_dialog_show (GTK_NATIVE_DIALOG (dialog));
}

static void
on_cancel (GtkWidget *widget, const char *action, GVariant *parameter)
{
  gallery_folder_cancel (GALLERY_WINDOW (widget)->folder);
}

/* Faults */

static void
on_fault (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GalleryWindow) self = user_data;
  ProcfunCall *call = PROCFUN_CALL (source);
  g_autoptr (GError) error = NULL;
  g_autoptr (GVariant) nothing = procfun_call_run_finish (call, result, &error);

  if (nothing == NULL)
    {
      g_message ("%s", error->message);
      gtk_label_set_text (self->fault,
                          procfun_failure_get_summary (procfun_call_get_failure (call)));
    }
}

/* Before the images that wait. */
static void
run_fault (GalleryWindow *self, ProcfunCall *call)
{
  procfun_call_set_executor (call, self->pool);
  procfun_call_set_priority (call, G_PRIORITY_HIGH);
  procfun_call_set_timeout (call, HANG_TIMEOUT);
  procfun_call_run_async (call, self->cancellable, on_fault, g_object_ref (self));
}

static void
on_crash (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_autoptr (ProcfunCall) call = crash_worker_call ();

  run_fault (GALLERY_WINDOW (widget), call);
}

static void
on_hang (GtkWidget *widget, const char *action, GVariant *parameter)
{
  g_autoptr (ProcfunCall) call = hang_worker_call ();

  run_fault (GALLERY_WINDOW (widget), call);
}

static void
gallery_window_class_init (GalleryWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = gallery_window_dispose;
  gtk_widget_class_install_action (widget_class, "win.open", NULL, on_open);
  gtk_widget_class_install_action (widget_class, "win.cancel", NULL, on_cancel);
  gtk_widget_class_install_action (widget_class, "win.crash", NULL, on_crash);
  gtk_widget_class_install_action (widget_class, "win.hang", NULL, on_hang);
}

/* Widgets */

static GtkWidget *
button_new (const char *label, const char *action, const char *key, const char *help)
{
  g_autofree char *tooltip = g_strdup_printf ("%s (%s)", help, key);
  GtkWidget *button = gtk_button_new_with_mnemonic (label);

  gtk_actionable_set_action_name (GTK_ACTIONABLE (button), action);
  gtk_widget_set_tooltip_text (button, tooltip);
  gtk_accessible_update_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_KEY_SHORTCUTS,
                                  key, -1);
  return button;
}

static GtkWidget *
header_new (void)
{
  GtkWidget *header = gtk_header_bar_new ();

  gtk_header_bar_pack_start (GTK_HEADER_BAR (header), button_new ("_Open…", "win.open", "Ctrl+O",
                                                                  "Decode the images of a folder"));
  gtk_header_bar_pack_start (
      GTK_HEADER_BAR (header),
      button_new ("Ca_ncel", "win.cancel", "Escape", "End the calls that have not finished"));
  gtk_header_bar_pack_end (
      GTK_HEADER_BAR (header),
      button_new ("_Hang a Worker", "win.hang", "Ctrl+H", "Call a function that never returns"));
  gtk_header_bar_pack_end (GTK_HEADER_BAR (header),
                           button_new ("C_rash a Worker", "win.crash", "Ctrl+K",
                                       "Call a function that writes to address 0"));
  return header;
}

static GtkWidget *
grid_new (GalleryWindow *self)
{
  GtkWidget *scroller = gtk_scrolled_window_new ();

  self->grid = GTK_GRID_VIEW (gtk_grid_view_new (NULL, gallery_tile_factory_new ()));
  gtk_grid_view_set_max_columns (self->grid, 12);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->grid), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  "Images", -1);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), GTK_WIDGET (self->grid));
  gtk_widget_set_hexpand (scroller, TRUE);
  gtk_widget_set_vexpand (scroller, TRUE);
  return scroller;
}

static void
add_margins (GtkWidget *widget)
{
  gtk_widget_set_margin_start (widget, 12);
  gtk_widget_set_margin_end (widget, 12);
  gtk_widget_set_margin_top (widget, 6);
  gtk_widget_set_margin_bottom (widget, 6);
}

/* A screen reader reads it whenever it changes. */
static GtkLabel *
status_new (const char *text)
{
  return g_object_new (GTK_TYPE_LABEL, "accessible-role", GTK_ACCESSIBLE_ROLE_STATUS, "label", text,
                       NULL);
}

static GtkWidget *
footer_new (GalleryWindow *self)
{
  GtkWidget *footer = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);

  self->fault = status_new (NULL);
  self->status = status_new ("No folder is open");
  self->bar = GTK_PROGRESS_BAR (gtk_progress_bar_new ());
  gtk_widget_set_valign (GTK_WIDGET (self->bar), GTK_ALIGN_CENTER);
  gtk_widget_set_hexpand (GTK_WIDGET (self->bar), TRUE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->bar), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                  "Decoded images", -1);
  gtk_box_append (GTK_BOX (footer), GTK_WIDGET (self->status));
  gtk_box_append (GTK_BOX (footer), GTK_WIDGET (self->bar));
  gtk_box_append (GTK_BOX (footer), GTK_WIDGET (self->fault));
  add_margins (footer);
  return footer;
}

static void
gallery_window_init (GalleryWindow *self)
{
  GtkWidget *columns = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 0);
  GtkWidget *rows = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);

  self->pool = PROCFUN_EXECUTOR (workers_new ());
  self->cancellable = g_cancellable_new ();
  self->frames = gallery_frames_new (GTK_WIDGET (self));
  self->panel = GALLERY_PANEL (gallery_panel_new (self->pool, self->frames));
  add_margins (GTK_WIDGET (self->panel));
  gtk_box_append (GTK_BOX (columns), grid_new (self));
  gtk_box_append (GTK_BOX (columns), gtk_separator_new (GTK_ORIENTATION_VERTICAL));
  gtk_box_append (GTK_BOX (columns), GTK_WIDGET (self->panel));
  gtk_box_append (GTK_BOX (rows), columns);
  gtk_box_append (GTK_BOX (rows), gtk_separator_new (GTK_ORIENTATION_HORIZONTAL));
  gtk_box_append (GTK_BOX (rows), footer_new (self));
  gtk_window_set_child (GTK_WINDOW (self), rows);
  gtk_window_set_titlebar (GTK_WINDOW (self), header_new ());
  gtk_window_set_title (GTK_WINDOW (self), "Gallery");
  gtk_window_set_default_size (GTK_WINDOW (self), 960, 640);
  gtk_widget_action_set_enabled (GTK_WIDGET (self), "win.cancel", FALSE);
}

GalleryWindow *
gallery_window_new (GtkApplication *application)
{
  static const struct
  {
    const char *action;
    const char *keys[2];
  } accelerators[] = { { "win.open", { "<Control>o" } },
                       { "win.cancel", { "Escape" } },
                       { "win.crash", { "<Control>k" } },
                       { "win.hang", { "<Control>h" } },
                       { "window.close", { "<Control>w" } } };

  for (gsize i = 0; i < G_N_ELEMENTS (accelerators); i++)
    gtk_application_set_accels_for_action (application, accelerators[i].action,
                                           accelerators[i].keys);
  return g_object_new (GALLERY_TYPE_WINDOW, "application", application, NULL);
}

GalleryFolder *
gallery_window_get_folder (GalleryWindow *self)
{
  return self->folder;
}

GalleryFrames *
gallery_window_get_frames (GalleryWindow *self)
{
  return self->frames;
}

GalleryPanel *
gallery_window_get_panel (GalleryWindow *self)
{
  return self->panel;
}

const char *
gallery_window_get_status (GalleryWindow *self)
{
  return gtk_label_get_text (self->status);
}

const char *
gallery_window_get_fault (GalleryWindow *self)
{
  return gtk_label_get_text (self->fault);
}
