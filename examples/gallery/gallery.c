/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Decodes the images of a folder in the workers of a pool, while the window stays smooth:
 * gallery [FOLDER] */

#include "window.h"

static void
on_open (GApplication *application, GFile **files, int n_files, const char *hint)
{
  for (int i = 0; i < n_files; i++)
    {
      GalleryWindow *window = gallery_window_new (GTK_APPLICATION (application));

      gallery_window_open (window, files[i]);
      gtk_window_present (GTK_WINDOW (window));
    }
}

static void
on_activate (GApplication *application)
{
  gtk_window_present (GTK_WINDOW (gallery_window_new (GTK_APPLICATION (application))));
}

int
main (int argc, char **argv)
{
  g_autoptr (GtkApplication) application
      = gtk_application_new ("org.example.ProcfunGallery", G_APPLICATION_HANDLES_OPEN);

  g_signal_connect (application, "activate", G_CALLBACK (on_activate), NULL);
  g_signal_connect (application, "open", G_CALLBACK (on_open), NULL);
  return g_application_run (G_APPLICATION (application), argc, argv);
}
