/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/symbolise.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/lines.h"
#include "procfun/platform/symbols.h"
#include <fcntl.h>
#include <string.h>
#include <time.h>

/* So many places get their names whatever that costs: where it crashed must not depend on how busy
 * or how cold a machine is. */
#define ALWAYS_NAMED 32

/* Symbols that are read and kept for one report, in bytes. */
#define READ_MAX ((guint64)128 * 1024 * 1024)

typedef struct
{
  guint64 bias;
  guint64 start;
  guint64 end;
  GBytes *build_id; /* (nullable) */
  char *name;       /* without its folder */
  int fd;
  int debug_fd; /* of the stripped symbols, in a file of their own; -1: there is none */

  gboolean opened;
  Symbols *symbols; /* (nullable) */
  Symbols *debug;   /* (nullable) */
  gboolean looked_for_lines;
  Lines *lines; /* (nullable) */
} LoadedModule;

struct _Symboliser
{
  GPtrArray *modules;    /* (element-type LoadedModule) */
  guint n_found;         /* addresses */
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
  fd_clear (&self->fd);
  fd_clear (&self->debug_fd);
  g_free (self->name);
  g_free (self);
}

Symboliser *
symboliser_new (gint64 budget)
{
  Symboliser *self = g_new0 (Symboliser, 1);

  self->modules = g_ptr_array_new_with_free_func ((GDestroyNotify)module_free);
  self->left_to_read = READ_MAX;
  self->left_for_names = budget / 2;
  self->left_for_lines = budget / 2;
  return self;
}

void
symboliser_free (Symboliser *self)
{
  g_ptr_array_unref (self->modules);
  g_free (self);
}

/* O_NONBLOCK: a FIFO would wait for a writer. */
static int
open_file (const char *path)
{
  return open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
}

/* See “Separate Debug Files” in the manual of gdb. */
static int
open_debug_file (GBytes *build_id)
{
  g_autoptr (GString) path = g_string_new ("/usr/lib/debug/.build-id/");
  gsize size;
  const guint8 *id = g_bytes_get_data (build_id, &size);

  for (gsize i = 0; i < size; i++)
    g_string_append_printf (path, i == 0 ? "%02x/" : "%02x", id[i]);
  g_string_append (path, ".debug");
  return open_file (path->str);
}

void
symboliser_add_module (Symboliser *self, const CrashModule *record)
{
  LoadedModule *module = g_new0 (LoadedModule, 1);
  g_autofree char *path = g_strndup (record->path, sizeof record->path);

  module->bias = record->bias;
  module->start = record->start;
  module->end = record->end;
  if (record->build_id_size > 0)
    module->build_id
        = g_bytes_new (record->build_id, MIN (record->build_id_size, CRASH_BUILD_ID_SIZE));
  module->name = g_path_get_basename (path);
  module->fd = open_file (path);
  module->debug_fd = module->build_id != NULL ? open_debug_file (module->build_id) : -1;
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

static void
open_module (Symboliser *self, LoadedModule *module)
{
  if (module->opened)
    return;
  module->opened = TRUE;
  module->symbols = symbols_new (g_steal_fd (&module->fd), module->build_id, &self->left_to_read);
  module->debug
      = symbols_new (g_steal_fd (&module->debug_fd), module->build_id, &self->left_to_read);
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

typedef struct
{
  SymboliserFunc func;
  gpointer user_data;
  char *symbol; /* (nullable): by what the module calls it */
  gboolean is_runtime;
} Search;

static void
add_place (Search *search, const char *function, const char *text)
{
  search->func (function, text, search->is_runtime, search->user_data);
}

static void
on_line (const char *function, const char *file, int line, gpointer user_data)
{
  Search *search = user_data;
  g_autofree char *name
      = function != NULL ? symbols_demangle (function) : g_strdup (search->symbol);
  g_autofree char *base = file != NULL ? g_path_get_basename (file) : NULL;
  g_autofree char *text = NULL;

  if (name == NULL)
    name = g_strdup ("?");
  if (base == NULL)
    text = g_strdup (name);
  else if (line == 0)
    text = g_strdup_printf ("%s (%s)", name, base);
  else
    text = g_strdup_printf ("%s (%s:%d)", name, base, line);
  add_place (search, name, text);
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

  if (self->left_for_names <= 0 && self->n_found > ALWAYS_NAMED)
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

void
symboliser_find (Symboliser *self, guint64 address, SymboliserFunc func, gpointer user_data)
{
  LoadedModule *module = find_module (self, address);
  Search search = { .func = func, .user_data = user_data };

  if (module == NULL)
    return;
  self->n_found++;
  search.is_runtime = is_runtime (module->name);
  look_up_name (self, module, address - module->bias, &search);
  if (!look_up_lines (self, module, address - module->bias, &search) && search.symbol != NULL)
    add_place (&search, search.symbol, search.symbol);
  g_free (search.symbol);
}
