/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/process/symbolise.h"

#include "procfun/platform/lines.h"
#include "procfun/platform/symbols.h"
#include <string.h>
#include <time.h>

/* So many places get their names whatever that costs: where it crashed must not depend on how busy
 * or how cold a machine is. */
#define ALWAYS_NAMED 32

/* Symbols that are read and kept for one report, in bytes. The process that crashed names the
 * files, and sparse ones are of any size. */
#define READ_MAX ((guint64)256 * 1024 * 1024)

typedef struct
{
  guint64 bias;
  guint64 start;
  guint64 end;
  GBytes *build_id; /* (nullable) */
  gboolean is_executable;
  char *path;

  gboolean opened;
  Symbols *symbols; /* (nullable) */
  Symbols *debug;   /* (nullable): the stripped symbols, in a file of their own */
  gboolean looked_for_lines;
  Lines *lines; /* (nullable) */
} LoadedModule;

struct _Symboliser
{
  GPtrArray *modules; /* (element-type LoadedModule) */
  GHashTable
      *found; /* (element-type guint64 GPtrArray): recursion comes to a place again and again */
  guint64 left_to_read;  /* bytes of all files */
  gint64 left_for_names; /* CPU time in µs */
  gint64 left_for_lines;
};

static void
module_free (LoadedModule *self)
{
  g_clear_pointer (&self->lines, lines_free);
  g_clear_pointer (&self->symbols, symbols_free);
  g_clear_pointer (&self->debug, symbols_free);
  g_clear_pointer (&self->build_id, g_bytes_unref);
  g_free (self->path);
  g_free (self);
}

Symboliser *
symboliser_new (gint64 budget)
{
  Symboliser *self = g_new0 (Symboliser, 1);

  self->modules = g_ptr_array_new_with_free_func ((GDestroyNotify)module_free);
  self->found = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                       (GDestroyNotify)g_ptr_array_unref);
  self->left_to_read = READ_MAX;
  self->left_for_names = budget / 2;
  self->left_for_lines = budget / 2;
  return self;
}

void
symboliser_free (Symboliser *self)
{
  g_ptr_array_unref (self->modules);
  g_hash_table_unref (self->found);
  g_free (self);
}

void
symboliser_add_module (Symboliser *self, const CrashModule *record, const char *path)
{
  LoadedModule *module = g_new0 (LoadedModule, 1);

  module->bias = record->bias;
  module->start = record->start;
  module->end = record->end;
  if (record->build_id_size > 0)
    module->build_id
        = g_bytes_new (record->build_id, MIN (record->build_id_size, CRASH_BUILD_ID_SIZE));
  module->is_executable = record->is_executable != 0;
  module->path = g_strdup (path);
  g_ptr_array_add (self->modules, module);
}

static LoadedModule *
find_module (Symboliser *self, guint64 address)
{
  for (guint i = 0; i < self->modules->len; i++)
    {
      LoadedModule *module = self->modules->pdata[i];

      if (address >= module->start && address < module->end)
        return module;
    }
  return NULL;
}

/* See “Separate Debug Files” in the manual of gdb. */
static Symbols *
open_debug (Symboliser *self, const LoadedModule *module)
{
  GString *path;
  g_autofree char *name = NULL;
  gsize size;
  const guint8 *id = g_bytes_get_data (module->build_id, &size);

  path = g_string_new ("/usr/lib/debug/.build-id/");
  for (gsize i = 0; i < size; i++)
    g_string_append_printf (path, i == 0 ? "%02x/" : "%02x", id[i]);
  g_string_append (path, ".debug");
  name = g_string_free (path, FALSE);
  return symbols_open (name, module->build_id, &self->left_to_read);
}

/* A program that was replaced on the disk may still run here. */
static void
open_module (Symboliser *self, LoadedModule *module)
{
  if (module->opened)
    return;
  module->opened = TRUE;
  module->symbols = symbols_open (module->path, module->build_id, &self->left_to_read);
  if (module->symbols == NULL && module->is_executable && module->build_id != NULL)
    module->symbols = symbols_open ("/proc/self/exe", module->build_id, &self->left_to_read);
  if (module->build_id != NULL)
    module->debug = open_debug (self, module);
}

static Lines *
get_lines (LoadedModule *self)
{
  if (self->looked_for_lines)
    return self->lines;
  self->looked_for_lines = TRUE;
  if (self->debug != NULL)
    self->lines = lines_open (symbols_get_fd (self->debug));
  if (self->lines == NULL && self->symbols != NULL)
    self->lines = lines_open (symbols_get_fd (self->symbols));
  return self->lines;
}

/* Where functions end that were given something wrong, and assertions: not what people look for,
 * and not worth the time that it takes to find lines there. */
static gboolean
is_runtime (const char *module)
{
  static const char *const prefixes[]
      = { "libc.so",        "libc-",     "ld-linux",   "libpthread", "libglib-2.0",
          "libgobject-2.0", "libstdc++", "libc++",     "libasan",    "libtsan",
          "libubsan",       "libgcc_s",  "libprocfun", "linux-vdso" };

  for (gsize i = 0; i < G_N_ELEMENTS (prefixes); i++)
    if (g_str_has_prefix (module, prefixes[i]))
      return TRUE;
  return FALSE;
}

static void
place_free (CodePlace *self)
{
  g_free (self->function);
  g_free (self->text);
  g_free (self);
}

typedef struct
{
  GPtrArray *places;
  char *symbol; /* (nullable): by what the module calls it */
  gboolean is_runtime;
} Search;

static void
add_place (Search *search, const char *function, char *text)
{
  CodePlace *place = g_new0 (CodePlace, 1);

  place->function = g_strdup (function);
  place->text = text;
  place->is_runtime = search->is_runtime;
  g_ptr_array_add (search->places, place);
}

static void
on_line (const char *function, const char *file, int line, gpointer user_data)
{
  Search *search = user_data;
  g_autofree char *name
      = function != NULL ? symbols_demangle (function) : g_strdup (search->symbol);
  g_autofree char *base = file != NULL ? g_path_get_basename (file) : NULL;

  if (name == NULL)
    name = g_strdup ("?");
  if (base == NULL)
    add_place (search, name, g_strdup (name));
  else if (line == 0)
    add_place (search, name, g_strdup_printf ("%s (%s)", name, base));
  else
    add_place (search, name, g_strdup_printf ("%s (%s:%d)", name, base, line));
}

static char *
find_symbol (LoadedModule *module, guint64 address)
{
  char *name = NULL;

  if (module->debug != NULL)
    name = symbols_find (module->debug, address);
  if (name == NULL && module->symbols != NULL)
    name = symbols_find (module->symbols, address);
  return name;
}

static gint64
get_cpu_time (void)
{
  struct timespec now = { 0 };

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64)now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static void
look_up_name (Symboliser *self, LoadedModule *module, guint64 address, Search *search)
{
  gint64 begin = get_cpu_time ();

  if (self->left_for_names <= 0 && g_hash_table_size (self->found) > ALWAYS_NAMED)
    return;
  open_module (self, module);
  search->symbol = find_symbol (module, address);
  self->left_for_names -= get_cpu_time () - begin;
}

static gboolean
look_up_lines (Symboliser *self, LoadedModule *module, guint64 address, Search *search)
{
  gint64 begin = get_cpu_time ();
  gboolean found;
  Lines *lines;

  if (search->is_runtime || self->left_for_lines <= 0)
    return FALSE;
  lines = get_lines (module);
  found = lines != NULL && lines_find (lines, address, on_line, search);
  self->left_for_lines -= get_cpu_time () - begin;
  return found;
}

static void
look_up (Symboliser *self, LoadedModule *module, guint64 address, Search *search)
{
  g_autofree char *base = g_path_get_basename (module->path);

  search->is_runtime = is_runtime (base);
  look_up_name (self, module, address, search);
  if (look_up_lines (self, module, address, search))
    ;
  else if (search->symbol != NULL)
    add_place (search, search->symbol, g_strdup (search->symbol));
  else
    add_place (search, NULL, g_strdup_printf ("%s+0x%" G_GINT64_MODIFIER "x", base, address));
  g_free (search->symbol);
}

GPtrArray *
symboliser_find (Symboliser *self, guint64 address)
{
  LoadedModule *module = find_module (self, address);
  Search search = { .places = g_hash_table_lookup (self->found, &address) };

  if (search.places != NULL)
    return search.places;
  search.places = g_ptr_array_new_with_free_func ((GDestroyNotify)place_free);
  g_hash_table_insert (self->found, g_memdup2 (&address, sizeof address), search.places);
  if (module != NULL)
    look_up (self, module, address - module->bias, &search);
  else
    add_place (&search, NULL, g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", address));
  return search.places;
}
