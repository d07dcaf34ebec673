/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/known-files.h"

#include "procfun/platform/stack.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CXX_LIBRARY "libstdc++.so"

struct _KnownFiles
{
  char *executable;  /* (nullable): path of this program, maybe with “ (deleted)” behind it */
  GHashTable *paths; /* (element-type filename) */
  GHashTable *paths_of; /* (element-type GBytes filename): by build-id */
  gboolean has_cxx;
};

static const char *
get_name (const char *path)
{
  const char *slash = strrchr (path, '/');

  return slash != NULL ? slash + 1 : path;
}

/* A program that was replaced on the disk is still to be had by its process; where it was not, the
 * process may be that of a tool which runs it. */
static char *
get_path (KnownFiles *self, const char *path)
{
  return g_str_has_suffix (path, " (deleted)") && g_strcmp0 (path, self->executable) == 0
             ? g_strdup_printf ("/proc/%d/exe", (int)getpid ())
             : g_strdup (path);
}

static void
add_build_id (KnownFiles *self, guintptr address, const char *path)
{
  StackModule module;
  gsize size = 0;
  const guint8 *id
      = stack_find_module (address, &module) ? stack_find_build_id (&module, &size) : NULL;

  if (id != NULL)
    g_hash_table_replace (self->paths_of, g_bytes_new (id, size), get_path (self, path));
}

/* proc(5): START-END RIGHTS OFFSET DEVICE INODE PATH. */
static void
add_mapping (KnownFiles *self, const char *line, gboolean is_own)
{
  const char *rights = strchr (line, ' ');
  const char *path = strchr (line, '/');

  if (rights == NULL || strlen (rights) < 4 || rights[3] != 'x' || path == NULL
      || g_hash_table_contains (self->paths, path))
    return;
  known_files_add (self, path);
  if (is_own)
    add_build_id (self, (guintptr)g_ascii_strtoull (line, NULL, 16), path);
}

static void
add_mappings (KnownFiles *self, const char *name, gboolean is_own)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  g_file_get_contents (name, &text, NULL, NULL);
  lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  for (char **line = lines; *line != NULL; line++)
    add_mapping (self, *line, is_own);
}

KnownFiles *
known_files_new (void)
{
  KnownFiles *self = g_new0 (KnownFiles, 1);

  self->executable = g_file_read_link ("/proc/self/exe", NULL);
  self->paths = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->paths_of
      = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify)g_bytes_unref, g_free);
  add_mappings (self, "/proc/self/maps", TRUE);
  return self;
}

void
known_files_free (KnownFiles *self)
{
  g_free (self->executable);
  g_hash_table_unref (self->paths);
  g_hash_table_unref (self->paths_of);
  g_free (self);
}

void
known_files_add (KnownFiles *self, const char *path)
{
  self->has_cxx = self->has_cxx || g_str_has_prefix (get_name (path), CXX_LIBRARY);
  g_hash_table_add (self->paths, g_strdup (path));
}

void
known_files_add_process (KnownFiles *self, pid_t pid)
{
  g_autofree char *name = g_strdup_printf ("/proc/%d/maps", (int)pid);

  add_mappings (self, name, FALSE);
}

/* The name that another process has loaded a library by may lead through links, or be relative.
 * Nothing is looked up at @path: only the known files are. */
char *
known_files_find (KnownFiles *self, const guint8 *build_id, gsize size, const char *path)
{
  g_autoptr (GBytes) id = g_bytes_new_static (build_id, size);
  const char *own = size > 0 ? g_hash_table_lookup (self->paths_of, id) : NULL;
  GHashTableIter iter;
  gpointer known;

  if (own != NULL)
    return g_strdup (own);
  if (g_hash_table_contains (self->paths, path))
    return get_path (self, path);
  g_hash_table_iter_init (&iter, self->paths);
  while (size > 0 && g_hash_table_iter_next (&iter, &known, NULL))
    if (g_str_equal (get_name (known), get_name (path)))
      return get_path (self, known);
  return NULL;
}

gboolean
known_files_has_cxx (KnownFiles *self)
{
  return self->has_cxx;
}
