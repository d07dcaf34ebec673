/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/lines.h"

#include "procfun/platform/module.h"

#ifdef HAVE_LIBDW

#include <dlfcn.h>
#include <dwarf.h>
#include <elfutils/libdw.h>
#include <stdlib.h>

/* Not linked, so that only programs that look at a crash load it. */
#define FUNCTIONS(f)                                                                               \
  f (elf_version) f (elf_begin) f (elf_end) f (dwarf_begin_elf) f (dwarf_end) f (dwarf_addrdie)    \
      f (dwarf_get_units) f (dwarf_haspc) f (dwarf_getsrc_die) f (dwarf_linesrc) f (dwarf_lineno)  \
          f (dwarf_getscopes) f (dwarf_getscopes_die) f (dwarf_tag) f (dwarf_diename)              \
              f (dwarf_attr) f (dwarf_attr_integrate) f (dwarf_formstring) f (dwarf_formudata)     \
                  f (dwarf_getsrcfiles) f (dwarf_filesrc)

#define DECLARE(name) __typeof__ (name) *name;
#define LOOK_UP(name) &&(dw.name = (__typeof__ (name) *)dlsym (library, #name)) != NULL

static struct
{
  FUNCTIONS (DECLARE)
} dw;

struct _Lines
{
  Elf *elf;
  Dwarf *dwarf;
};

static gboolean
load (void)
{
  static gsize state;

  if (g_once_init_enter (&state))
    {
      gpointer library = module_open_library ("libdw.so.1");
      gboolean found = library != NULL FUNCTIONS (LOOK_UP);

      g_once_init_leave (&state, found && dw.elf_version (EV_CURRENT) != EV_NONE ? 1 : 2);
    }
  return state == 1;
}

void
lines_prepare (void)
{
  load ();
}

/* libdw is not made for hostile files: a process that opens such is confined, and a file that is
 * cut meanwhile ends it. */
Lines *
lines_open (int fd)
{
  g_autoptr (Lines) self = g_new0 (Lines, 1);

  if (!load ())
    return NULL;
  self->elf = dw.elf_begin (fd, ELF_C_READ_MMAP, NULL);
  if (self->elf != NULL)
    self->dwarf = dw.dwarf_begin_elf (self->elf, DWARF_C_READ, NULL);
  return self->dwarf != NULL ? g_steal_pointer (&self) : NULL;
}

void
lines_free (Lines *self)
{
  if (self->dwarf != NULL)
    dw.dwarf_end (self->dwarf);
  if (self->elf != NULL)
    dw.elf_end (self->elf);
  g_free (self);
}

/* clang writes no table of addresses by default: without one, each unit is asked in turn. */
static gboolean
find_unit (Lines *self, guint64 address, Dwarf_Die *unit)
{
  Dwarf_CU *cu = NULL;
  Dwarf_Die split;
  guint8 type;

  if (dw.dwarf_addrdie (self->dwarf, address, unit) != NULL)
    return TRUE;
  while (dw.dwarf_get_units (self->dwarf, cu, &cu, NULL, &type, unit, &split) == 0)
    {
      if (dw.dwarf_haspc (unit, address) <= 0)
        continue;
      if (type == DW_UT_skeleton)
        *unit = split;
      return TRUE;
    }
  return FALSE;
}

typedef struct
{
  const char *file;
  int line;
} LinePlace;

static const char *
get_name (Dwarf_Die *die)
{
  Dwarf_Attribute attribute;

  if (dw.dwarf_attr_integrate (die, DW_AT_linkage_name, &attribute) != NULL)
    return dw.dwarf_formstring (&attribute);
  return dw.dwarf_diename (die);
}

static guint64
get_number (Dwarf_Die *die, guint name)
{
  Dwarf_Attribute attribute;
  Dwarf_Word value = 0;

  if (dw.dwarf_attr (die, name, &attribute) != NULL)
    dw.dwarf_formudata (&attribute, &value);
  return value;
}

/* Place at which a function that the compiler inlined would have been called. */
static LinePlace
get_call (Dwarf_Die *unit, Dwarf_Die *die)
{
  guint64 number = get_number (die, DW_AT_call_file);
  LinePlace place = { NULL, (int)get_number (die, DW_AT_call_line) };
  Dwarf_Files *files;
  gsize n_files;

  if (dw.dwarf_getsrcfiles (unit, &files, &n_files) == 0 && number < n_files)
    place.file = dw.dwarf_filesrc (files, number, NULL, NULL);
  return place;
}

static LinePlace
get_place (Dwarf_Die *unit, guint64 address)
{
  Dwarf_Line *line = dw.dwarf_getsrc_die (unit, address);
  LinePlace place = { NULL, 0 };

  if (line == NULL)
    return place;
  place.file = dw.dwarf_linesrc (line, NULL, NULL);
  dw.dwarf_lineno (line, &place.line);
  return place;
}

/* @die and what it lies in. */
static gboolean
report_functions (Dwarf_Die *unit, Dwarf_Die *die, LinePlace place, LinesFunc func,
                  gpointer user_data)
{
  Dwarf_Die *parents = NULL;
  int n = dw.dwarf_getscopes_die (die, &parents);
  gboolean found = FALSE;

  for (int i = 0; i < n && !found; i++)
    {
      int tag = dw.dwarf_tag (&parents[i]);

      found = tag == DW_TAG_subprogram;
      if (!found && tag != DW_TAG_inlined_subroutine)
        continue;
      func (get_name (&parents[i]), place.file, place.line, user_data);
      if (!found)
        place = get_call (unit, &parents[i]);
    }
  free (parents);
  return found;
}

gboolean
lines_find (Lines *self, guint64 address, LinesFunc func, gpointer user_data)
{
  Dwarf_Die unit;
  Dwarf_Die *scopes = NULL;
  LinePlace place;
  gboolean found = FALSE;

  if (!find_unit (self, address, &unit))
    return FALSE;
  place = get_place (&unit, address);
  if (dw.dwarf_getscopes (&unit, address, &scopes) > 0)
    found = report_functions (&unit, &scopes[0], place, func, user_data);
  free (scopes);
  if (found || place.file == NULL)
    return found;
  func (NULL, place.file, place.line, user_data);
  return TRUE;
}

#else

void
lines_prepare (void)
{
}

Lines *
lines_open (int fd)
{
  return NULL;
}

void
lines_free (Lines *self)
{
}

gboolean
lines_find (Lines *self, guint64 address, LinesFunc func, gpointer user_data)
{
  return FALSE;
}

#endif
