/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/process/places.h"

#include "procfun/base/readable.h"
#include "procfun/wire/names.h"
#include <string.h>

typedef struct
{
  CrashModule record;
  char *path;
} LoadedModule;

struct _Places
{
  GPtrArray *modules; /* (element-type LoadedModule) */
  GArray *addresses;  /* (element-type guint64): to be asked for, each once */
  GHashTable *found;  /* (element-type guint64 GPtrArray) */
};

static void
module_free (LoadedModule *self)
{
  g_free (self->path);
  g_free (self);
}

static void
place_free (CodePlace *self)
{
  g_free (self->function);
  g_free (self->text);
  g_free (self);
}

Places *
places_new (void)
{
  Places *self = g_new (Places, 1);

  self->modules = g_ptr_array_new_with_free_func ((GDestroyNotify)module_free);
  self->addresses = g_array_new (FALSE, FALSE, sizeof (guint64));
  self->found = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free,
                                       (GDestroyNotify)g_ptr_array_unref);
  return self;
}

void
places_free (Places *self)
{
  g_ptr_array_unref (self->modules);
  g_array_unref (self->addresses);
  g_hash_table_unref (self->found);
  g_free (self);
}

void
places_add_module (Places *self, const CrashModule *module, const char *path)
{
  LoadedModule *loaded;

  if (self->modules->len >= NAMES_MAX_MODULES)
    return;
  loaded = g_new (LoadedModule, 1);
  loaded->record = *module;
  loaded->record.build_id_size = MIN (module->build_id_size, CRASH_BUILD_ID_SIZE);
  loaded->path = g_strdup (path);
  g_ptr_array_add (self->modules, loaded);
}

static LoadedModule *
find_module (Places *self, guint64 address)
{
  for (guint i = 0; i < self->modules->len; i++)
    {
      LoadedModule *module = self->modules->pdata[i];

      if (address >= module->record.start && address < module->record.end)
        return module;
    }
  return NULL;
}

static GPtrArray *
add_address (Places *self, guint64 address)
{
  GPtrArray *places = g_ptr_array_new_with_free_func ((GDestroyNotify)place_free);

  g_hash_table_insert (self->found, g_memdup2 (&address, sizeof address), places);
  return places;
}

/* Recursion comes to a place again and again. */
void
places_add_address (Places *self, guint64 address)
{
  if (self->addresses->len >= NAMES_MAX_ADDRESSES || g_hash_table_contains (self->found, &address))
    return;
  add_address (self, address);
  g_array_append_val (self->addresses, address);
}

/* The request */

/* Keeps the modules that can be looked at, with the paths of their files here. */
static GByteArray *
make_modules (Places *self, KnownFiles *known, guint *n)
{
  GByteArray *bytes = g_byte_array_new ();

  *n = 0;
  for (guint i = 0; i < self->modules->len; i++)
    {
      LoadedModule *module = self->modules->pdata[i];
      g_autofree char *path = known_files_find (known, module->record.build_id,
                                                module->record.build_id_size, module->path);

      if (path == NULL || strlen (path) >= CRASH_PATH_SIZE)
        continue;
      memset (module->record.path, 0, CRASH_PATH_SIZE);
      g_strlcpy (module->record.path, path, CRASH_PATH_SIZE);
      g_byte_array_append (bytes, (const guint8 *)&module->record, sizeof module->record);
      ++*n;
    }
  return bytes;
}

static gboolean
lies_in (const GByteArray *modules, guint n, guint64 address)
{
  const CrashModule *records = (const CrashModule *)(gconstpointer)modules->data;

  for (guint i = 0; i < n; i++)
    if (address >= records[i].start && address < records[i].end)
      return TRUE;
  return FALSE;
}

GBytes *
places_make_request (Places *self, KnownFiles *known)
{
  NamesRequest head = { .magic = NAMES_MAGIC, .with_cxx = known_files_has_cxx (known) };
  g_autoptr (GByteArray) modules = make_modules (self, known, &head.n_modules);
  GByteArray *request = g_byte_array_new ();

  g_byte_array_append (request, (const guint8 *)&head, sizeof head);
  g_byte_array_append (request, modules->data, modules->len);
  for (guint i = 0; i < self->addresses->len; i++)
    {
      const guint64 address = g_array_index (self->addresses, guint64, i);

      if (!lies_in (modules, head.n_modules, address))
        continue;
      g_byte_array_append (request, (const guint8 *)&address, sizeof address);
      head.n_addresses++;
    }
  memcpy (request->data, &head, sizeof head);
  if (head.n_addresses > 0)
    return g_byte_array_free_to_bytes (request);
  g_byte_array_unref (request);
  return NULL;
}

/* The answer */

/* (nullable): NULL: the text does not end, or is too long. */
static char *
read_text (const char **at, const char *end)
{
  const char *nul = memchr (*at, '\0', MIN ((gsize)(end - *at), NAMES_MAX_TEXT));
  char *text;

  if (nul == NULL)
    return NULL;
  text = readable_line (*at, nul - *at);
  *at = nul + 1;
  return text;
}

static gboolean
read_place (GPtrArray *places, const char **at, const char *end)
{
  const gboolean is_runtime = *(*at)++ == NAMES_RUNTIME;
  g_autofree char *function = read_text (at, end);
  char *text = function != NULL ? read_text (at, end) : NULL;
  CodePlace *place;

  if (text == NULL)
    return FALSE;
  place = g_new (CodePlace, 1);
  place->function = function[0] != '\0' ? g_steal_pointer (&function) : NULL;
  place->text = text;
  place->is_runtime = is_runtime;
  g_ptr_array_add (places, place);
  return TRUE;
}

void
places_read_answer (Places *self, GBytes *answer)
{
  gsize size;
  const char *at = g_bytes_get_data (answer, &size);
  NamesEntry entry;

  for (; size >= sizeof entry; size -= sizeof entry + entry.size, at += entry.size)
    {
      const char *next;
      GPtrArray *places;

      memcpy (&entry, at, sizeof entry);
      at += sizeof entry;
      if (entry.magic != NAMES_MAGIC || entry.size > size - sizeof entry
          || g_hash_table_contains (self->found, &entry.address)
          || g_hash_table_size (self->found) >= NAMES_MAX_ADDRESSES)
        return;
      places = add_address (self, entry.address);
      next = at;
      while (next < at + entry.size && places->len < NAMES_MAX_PLACES
             && read_place (places, &next, at + entry.size))
        ;
    }
}

/* Places */

static char *
describe (Places *self, guint64 address)
{
  const LoadedModule *module = find_module (self, address);
  g_autofree char *base = NULL;

  if (module == NULL)
    return g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", address);
  base = g_path_get_basename (module->path);
  return g_strdup_printf ("%s+0x%" G_GINT64_MODIFIER "x", base, address - module->record.bias);
}

GPtrArray *
places_find (Places *self, guint64 address)
{
  GPtrArray *places = g_hash_table_lookup (self->found, &address);
  CodePlace *place;

  if (places == NULL)
    places = add_address (self, address);
  if (places->len > 0)
    return places;
  place = g_new0 (CodePlace, 1);
  place->text = describe (self, address);
  g_ptr_array_add (places, place);
  return places;
}
