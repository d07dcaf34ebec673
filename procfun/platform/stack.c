/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/stack.h"

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <string.h>
#include <unwind.h>

/* Frames of the handler, of its functions, and of the kernel that calls it. */
#define MAX_OWN_FRAMES 16

/* The address of a call is kept as that of the instruction behind it. */
static _Unwind_Reason_Code
on_frame (struct _Unwind_Context *context, void *user_data)
{
  Stack *self = user_data;
  int is_before = 0; /* a signal came before this instruction: it is no return address */
  guintptr ip = _Unwind_GetIPInfo (context, &is_before);

  if (ip == 0)
    return _URC_END_OF_STACK;
  if (!self->begun)
    {
      self->begun = is_before && (ip == self->begin || self->begin == 0);
      return self->begun || ++self->n_skipped < MAX_OWN_FRAMES ? _URC_NO_REASON : _URC_END_OF_STACK;
    }
  if (self->is_own ((gconstpointer)_Unwind_GetRegionStart (context)))
    {
      self->met_own = TRUE;
      self->n_until_own = self->n;
    }
  if (self->n == self->max)
    return _URC_END_OF_STACK;
  self->frames[self->n++] = is_before ? ip + 1 : ip;
  return _URC_NO_REASON;
}

void
stack_read (Stack *self)
{
  _Unwind_Backtrace (on_frame, self);
}

#ifdef DLFO_STRUCT_HAS_EH_DBASE /* glibc 2.35, and what its libgcc uses, too */

gboolean
stack_find_module (guintptr pc, StackModule *module)
{
  struct dl_find_object found;

  if (_dl_find_object ((void *)pc, &found) != 0 || found.dlfo_link_map == NULL)
    return FALSE;
  module->bias = found.dlfo_link_map->l_addr;
  module->start = (guintptr)found.dlfo_map_start;
  module->end = (guintptr)found.dlfo_map_end;
  module->path = found.dlfo_link_map->l_name;
  return TRUE;
}

#else

/* dladdr() and dl_iterate_phdr() take locks. */
gboolean
stack_find_module (guintptr pc, StackModule *module)
{
  return FALSE;
}

#endif

/* The format of notes: elf(5). */
static const guint8 *
find_in_notes (const guint8 *at, const guint8 *end, gsize *size)
{
  ElfW (Nhdr) note;

  while (at + sizeof note <= end)
    {
      const guint8 *data;

      memcpy (&note, at, sizeof note);
      data = at + sizeof note + ((note.n_namesz + 3) & ~3U);
      if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == sizeof "GNU"
          && memcmp (at + sizeof note, "GNU", sizeof "GNU") == 0)
        {
          *size = note.n_descsz;
          return data;
        }
      at = data + ((note.n_descsz + 3) & ~3U);
    }
  return NULL;
}

/* The first page of a module begins with the ELF header, behind which the others follow. */
const guint8 *
stack_find_build_id (const StackModule *module, gsize *size)
{
  const ElfW (Ehdr) *head = (const ElfW (Ehdr) *)module->start;
  const ElfW (Phdr) * headers;

  if (memcmp (head->e_ident, ELFMAG, SELFMAG) != 0)
    return NULL;
  headers = (const ElfW (Phdr) *)(module->start + head->e_phoff);
  for (int i = 0; i < head->e_phnum; i++)
    {
      const guint8 *at = (const guint8 *)(module->bias + headers[i].p_vaddr);
      const guint8 *found
          = headers[i].p_type == PT_NOTE ? find_in_notes (at, at + headers[i].p_memsz, size) : NULL;

      if (found != NULL)
        return found;
    }
  return NULL;
}
