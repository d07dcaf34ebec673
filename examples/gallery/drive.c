/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Drives the window as a user does, under any display: tests/test-gallery.sh. Nothing here depends
 * on how fast the machine is; frames are reported, not judged. */

#include "picture.h"
#include "window.h"
#include <glib/gstdio.h>
#include <string.h>

#define N_PICTURES 12

static GtkApplication *application;

/* Waiting for events */

static gboolean
on_too_late (gpointer what)
{
  g_error ("%s: did not happen", (const char *)what);
  return G_SOURCE_REMOVE;
}

#define WAIT_UNTIL(condition)                                                                      \
  G_STMT_START                                                                                     \
  {                                                                                                \
    guint too_late = g_timeout_add_seconds (100, on_too_late, (gpointer) #condition);              \
    while (!(condition))                                                                           \
      g_main_context_iteration (NULL, TRUE);                                                       \
    g_source_remove (too_late);                                                                    \
  }                                                                                                \
  G_STMT_END

/* A folder of drawn pictures */

static void
draw (const char *path, guint number, int width, int height)
{
  cairo_surface_t *surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, width, height);
  cairo_t *cairo = cairo_create (surface);
  g_autoptr (GdkPixbuf) pixbuf = NULL;
  double hue = number * 0.61803, x = width, y = height;
  float sky[3], hills[3];

  hue -= (int)hue;
  gtk_hsv_to_rgb ((float)hue, 0.35f, 0.95f, &sky[0], &sky[1], &sky[2]);
  gtk_hsv_to_rgb ((float)hue, 0.55f, 0.45f, &hills[0], &hills[1], &hills[2]);
  cairo_set_source_rgb (cairo, sky[0], sky[1], sky[2]);
  cairo_paint (cairo);
  cairo_set_source_rgb (cairo, 1, 0.93, 0.7);
  cairo_arc (cairo, x * (0.2 + 0.6 * hue), y * 0.32, y * 0.13, 0, 2 * G_PI);
  cairo_fill (cairo);
  cairo_set_source_rgb (cairo, hills[0], hills[1], hills[2]);
  cairo_move_to (cairo, 0, y);
  cairo_line_to (cairo, 0, y * (0.75 - 0.2 * hue));
  cairo_curve_to (cairo, x * 0.35, y * (0.2 + 0.4 * hue), x * 0.6, y * 0.95, x, y * 0.6);
  cairo_line_to (cairo, x, y);
  cairo_fill (cairo);
  pixbuf = gdk_pixbuf_get_from_surface (surface, 0, 0, width, height);
  g_assert_true (gdk_pixbuf_save (pixbuf, path, "jpeg", NULL, NULL));
  cairo_destroy (cairo);
  cairo_surface_destroy (surface);
}

static void
add_file (const char *folder, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* n good ones and two that are broken */
static char *
folder_new (guint n, int width, int height)
{
  char *folder = g_dir_make_tmp ("gallery-XXXXXX", NULL);

  for (guint i = 0; i < n; i++)
    {
      g_autofree char *name = g_strdup_printf ("valley %u.jpg", i + 1);
      g_autofree char *path = g_build_filename (folder, name, NULL);

      draw (path, i, width, height);
    }
  add_file (folder, "no image.jpg", "This is text.");
  add_file (folder, "truncated.png", "\x89PNG\r\n\x1a\n");
  add_file (folder, "notes.txt", "not listed");
  return folder;
}

static void
folder_remove (char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      g_remove (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

/* A window */

static GalleryWindow *
window_open (const char *folder)
{
  GalleryWindow *window = gallery_window_new (application);
  g_autoptr (GFile) file = g_file_new_for_path (folder);

  gtk_window_present (GTK_WINDOW (window));
  gallery_window_open (window, file);
  return window;
}

static void
window_close (GalleryWindow *window)
{
  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *)&window);
  gtk_window_destroy (GTK_WINDOW (window));
  WAIT_UNTIL (window == NULL);
}

static gboolean
is_done (GalleryWindow *window)
{
  return !gallery_folder_is_busy (gallery_window_get_folder (window));
}

static guint
count (GalleryWindow *window, GalleryState state)
{
  GListModel *pictures = gallery_folder_get_pictures (gallery_window_get_folder (window));
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (pictures); i++)
    {
      g_autoptr (GalleryPicture) picture = g_list_model_get_item (pictures, i);

      n += gallery_picture_get_state (picture) == state;
    }
  return n;
}

static void
assert_statistic (GalleryWindow *window, const char *name, const char *expected)
{
  GalleryPanel *panel = gallery_window_get_panel (window);

  gallery_panel_update (panel);
  g_assert_cmpstr (gallery_panel_get_value (panel, name), ==, expected);
}

static GtkWidget *
find_button (GtkWidget *widget, const char *action)
{
  if (GTK_IS_BUTTON (widget)
      && g_strcmp0 (gtk_actionable_get_action_name (GTK_ACTIONABLE (widget)), action) == 0)
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *button = find_button (child, action);

      if (button != NULL)
        return button;
    }
  return NULL;
}

static void
click (GalleryWindow *window, const char *action)
{
  GtkWidget *button = find_button (GTK_WIDGET (window), action);

  g_assert_nonnull (button);
  g_assert_true (gtk_widget_is_sensitive (button));
  g_signal_emit_by_name (button, "clicked");
}

/* Tests */

static void
test_decodes (void)
{
  char *folder = folder_new (N_PICTURES, 400, 300);
  GalleryWindow *window = window_open (folder);

  WAIT_UNTIL (is_done (window));
  g_assert_cmpstr (gallery_window_get_status (window), ==, "14 of 14 images, 2 broken");
  g_assert_cmpuint (count (window, GALLERY_DECODED), ==, N_PICTURES);
  assert_statistic (window, "Succeeded", "12");
  assert_statistic (window, "Failed", "2");
  assert_statistic (window, "Crashed", "0");
  window_close (window);
  folder_remove (folder);
}

static void
test_marks_broken (void)
{
  char *folder = folder_new (0, 0, 0);
  GalleryWindow *window = window_open (folder);
  GListModel *pictures;

  WAIT_UNTIL (is_done (window));
  pictures = gallery_folder_get_pictures (gallery_window_get_folder (window));
  g_assert_cmpuint (g_list_model_get_n_items (pictures), ==, 2);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GalleryPicture) picture = g_list_model_get_item (pictures, i);
      const char *name = gallery_picture_get_name (picture);
      const char *caption = gallery_picture_get_caption (picture);

      g_assert_cmpint (gallery_picture_get_state (picture), ==, GALLERY_BROKEN);
      g_assert_true (g_str_has_prefix (caption, name));
      g_assert_cmpuint (strlen (caption), >, strlen (name) + 2);
    }
  window_close (window);
  folder_remove (folder);
}

static void
test_crash (void)
{
  char *folder = folder_new (N_PICTURES, 400, 300);
  GalleryWindow *window = window_open (folder);

  click (window, "win.crash");
  WAIT_UNTIL (strcmp (gallery_window_get_fault (window), "The operation crashed.") == 0);
  WAIT_UNTIL (is_done (window));
  g_assert_cmpuint (count (window, GALLERY_DECODED), ==, N_PICTURES);
  assert_statistic (window, "Crashed", "1");
  window_close (window);
  folder_remove (folder);
}

static void
test_hang (void)
{
  char *folder = folder_new (N_PICTURES, 400, 300);
  GalleryWindow *window = window_open (folder);

  click (window, "win.hang");
  WAIT_UNTIL (is_done (window));
  WAIT_UNTIL (strcmp (gallery_window_get_fault (window), "The operation took too long.") == 0);
  g_assert_cmpuint (count (window, GALLERY_DECODED), ==, N_PICTURES);
  assert_statistic (window, "Timed out", "1");
  window_close (window);
  folder_remove (folder);
}

static guint
count_all (GalleryWindow *window)
{
  return g_list_model_get_n_items (
      gallery_folder_get_pictures (gallery_window_get_folder (window)));
}

/* Right after the calls were made, when most of them wait. */
static void
test_cancel (void)
{
  char *folder = folder_new (40, 400, 300);
  GalleryWindow *window = window_open (folder);

  WAIT_UNTIL (count_all (window) == 42);
  click (window, "win.cancel");
  WAIT_UNTIL (is_done (window));
  g_assert_cmpstr (gallery_window_get_status (window), ==, "Cancelled");
  g_assert_cmpuint (count (window, GALLERY_WAITING), ==, 0);
  g_assert_cmpuint (count (window, GALLERY_CANCELLED), >, 0);
  g_assert_false (gtk_widget_is_sensitive (find_button (GTK_WIDGET (window), "win.cancel")));
  window_close (window);
  folder_remove (folder);
}

static void
test_closes (void)
{
  char *folder = folder_new (40, 400, 300);
  GalleryWindow *window = window_open (folder);

  click (window, "win.hang");
  WAIT_UNTIL (count (window, GALLERY_DECODED) > 0);
  window_close (window);
  folder_remove (folder);
}

/* Tab goes to each button, and each action has a key of its own. */
static void
test_keyboard (void)
{
  static const char *const actions[] = { "win.open", "win.crash", "win.hang" };
  char *folder = folder_new (1, 40, 30);
  GalleryWindow *window = window_open (folder);
  g_autoptr (GHashTable) reached = g_hash_table_new (NULL, NULL);

  WAIT_UNTIL (is_done (window));
  gtk_window_set_focus (GTK_WINDOW (window), NULL);
  for (int i = 0; i < 20; i++)
    {
      gtk_widget_child_focus (GTK_WIDGET (window), GTK_DIR_TAB_FORWARD);
      g_hash_table_add (reached, gtk_window_get_focus (GTK_WINDOW (window)));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      GtkWidget *button = find_button (GTK_WIDGET (window), actions[i]);
      g_auto (GStrv) keys = gtk_application_get_accels_for_action (application, actions[i]);

      g_assert_true (g_hash_table_contains (reached, button));
      g_assert_nonnull (keys[0]);
    }
  window_close (window);
  folder_remove (folder);
}

static void
assert_label (GtkWidget *widget, const char *label)
{
  char *wrong = gtk_test_accessible_check_property (GTK_ACCESSIBLE (widget),
                                                    GTK_ACCESSIBLE_PROPERTY_LABEL, label);

  g_assert_cmpstr (wrong, ==, NULL);
}

static GtkWidget *
find_type (GtkWidget *widget, GType type)
{
  if (G_TYPE_CHECK_INSTANCE_TYPE (widget, type))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      GtkWidget *found = find_type (child, type);

      if (found != NULL)
        return found;
    }
  return NULL;
}

static void
test_screen_reader (void)
{
  char *folder = folder_new (1, 40, 30);
  GalleryWindow *window = window_open (folder);
  GtkWidget *grid = find_type (GTK_WIDGET (window), GTK_TYPE_GRID_VIEW);
  GListModel *pictures;
  GtkWidget *cell;

  WAIT_UNTIL (is_done (window));
  pictures = gallery_folder_get_pictures (gallery_window_get_folder (window));
  assert_label (grid, "Images");
  WAIT_UNTIL ((cell = gtk_widget_get_first_child (grid)) != NULL);
  for (guint i = 0; i < g_list_model_get_n_items (pictures); i++)
    {
      g_autoptr (GalleryPicture) picture = g_list_model_get_item (pictures, i);

      assert_label (cell, gallery_picture_get_caption (picture));
      cell = gtk_widget_get_next_sibling (cell);
    }
  window_close (window);
  folder_remove (folder);
}

/* NULL while the window has changes that it has not painted yet */
static GskRenderNode *
take_picture (GtkWidget *window)
{
  g_autoptr (GdkPaintable) paintable = gtk_widget_paintable_new (window);
  GtkSnapshot *snapshot = gtk_snapshot_new ();

  gdk_paintable_snapshot (paintable, snapshot, gtk_widget_get_width (window),
                          gtk_widget_get_height (window));
  return gtk_snapshot_free_to_node (snapshot);
}

static void
save_picture (GalleryWindow *window, const char *path)
{
  g_autoptr (GdkTexture) texture = NULL;
  GskRenderNode *node;

  WAIT_UNTIL ((node = take_picture (GTK_WIDGET (window))) != NULL);
  texture = gsk_renderer_render_texture (gtk_native_get_renderer (GTK_NATIVE (window)), node, NULL);
  g_assert_true (gdk_texture_save_to_png (texture, path));
  gsk_render_node_unref (node);
}

/* Images as large as a camera's. GALLERY_N=N takes N of them, and GALLERY_PICTURE=FILE keeps a
 * picture of the window at the end. */
static void
test_frames (void)
{
  const char *path = g_getenv ("GALLERY_PICTURE");
  const char *n_text = g_getenv ("GALLERY_N");
  guint n = n_text != NULL ? (guint)g_ascii_strtoull (n_text, NULL, 10) : 60;
  char *folder = folder_new (n, 2048, 1536);
  GalleryWindow *window = window_open (folder);
  GalleryFrames *frames = gallery_window_get_frames (window);

  click (window, "win.crash");
  WAIT_UNTIL (is_done (window));
  g_assert_cmpuint (count (window, GALLERY_DECODED), ==, n);
  g_assert_cmpuint (gallery_frames_get_n (frames), >, 0);
  g_test_message ("%u frames: median %.1f ms, 99 %% %.1f ms, worst %.1f ms",
                  gallery_frames_get_n (frames), gallery_frames_get_percentile (frames, 50) / 1e3,
                  gallery_frames_get_percentile (frames, 99) / 1e3,
                  gallery_frames_get_percentile (frames, 100) / 1e3);
  if (path != NULL)
    save_picture (window, path);
  window_close (window);
  folder_remove (folder);
}

int
main (int argc, char **argv)
{
  int result;

  g_test_init (&argc, &argv, NULL);
  gtk_init ();
  application = gtk_application_new (NULL, G_APPLICATION_NON_UNIQUE);
  g_assert_true (g_application_register (G_APPLICATION (application), NULL, NULL));
  g_test_add_func ("/gallery/decodes-all-images-of-a-folder", test_decodes);
  g_test_add_func ("/gallery/says-why-an-image-is-broken", test_marks_broken);
  g_test_add_func ("/gallery/loses-no-image-to-a-crash", test_crash);
  g_test_add_func ("/gallery/ends-a-worker-that-hangs", test_hang);
  g_test_add_func ("/gallery/ends-all-calls-when-cancelled", test_cancel);
  g_test_add_func ("/gallery/ends-all-calls-when-closed", test_closes);
  g_test_add_func ("/gallery/needs-no-mouse", test_keyboard);
  g_test_add_func ("/gallery/has-a-name-for-each-image", test_screen_reader);
  g_test_add_func ("/gallery/reports-its-frames-while-large-images-are-decoded", test_frames);
  result = g_test_run ();
  g_object_unref (application);
  return result;
}
