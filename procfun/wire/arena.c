/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/arena.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/platform/pages.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

/* So that the next payload, which may be a little larger, has room, too. What was never written
 * takes no memory. */
#define SPARE(size) ((size) / 4)

/* Sending */

static void
region_clear (ArenaRegion *self)
{
  if (self->memory != NULL)
    memfd_unmap (self->memory, ARENA_DATA + self->room);
  *self = (ArenaRegion){ 0 };
}

void
arena_out_clear (ArenaOut *self)
{
  for (guint i = 0; i < ARENA_REGIONS; i++)
    region_clear (&self->regions[i]);
}

void
arena_out_drop (ArenaOut *self, guint32 index)
{
  if (index < ARENA_REGIONS)
    region_clear (&self->regions[index]);
}

static gboolean
region_is_free (const ArenaRegion *self)
{
  ArenaHead *head = self->memory;

  return g_atomic_int_get (&head->use) == ARENA_FREE;
}

/* FALSE: it is in use. */
static gboolean
claim (ArenaHead *head, guint32 use)
{
  guint32 before = ARENA_FREE;

  return __atomic_compare_exchange_n (&head->use, &before, use, FALSE, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST);
}

/* The free one with room that was written most; else one that is not there, or too small. */
static ArenaRegion *
find (ArenaOut *self, gsize size)
{
  ArenaRegion *best = NULL;

  for (guint i = 0; i < ARENA_REGIONS; i++)
    {
      ArenaRegion *region = &self->regions[i];

      if (region->memory != NULL && region->room >= size && region_is_free (region)
          && (best == NULL || region->populated > best->populated))
        best = region;
    }
  for (guint i = 0; i < ARENA_REGIONS && best == NULL; i++)
    if (self->regions[i].memory == NULL || region_is_free (&self->regions[i]))
      best = &self->regions[i];
  return best;
}

static void
store (const ArenaContent *content, guint8 *data)
{
  for (guint i = 0; i < G_N_ELEMENTS (content->parts); i++)
    {
      const struct iovec *part = &content->parts[i];

      if (part->iov_len > 0)
        memcpy (data, part->iov_base, part->iov_len);
      data += part->iov_len;
    }
  if (content->value != NULL)
    g_variant_store (content->value, data);
}

static gboolean
region_fill (ArenaRegion *self, const ArenaContent *content)
{
  const guint32 n_cleared = g_atomic_int_get (&((ArenaHead *)self->memory)->n_cleared);
  guint8 *data = (guint8 *)self->memory + ARENA_DATA;

  if (self->n_cleared != n_cleared)
    self->populated = 0;
  self->n_cleared = n_cleared;
  if (content->size > self->populated)
    {
      memfd_enlarge_pages (self->memory, ARENA_DATA + content->size);
      if (!memfd_populate (data, content->size))
        return FALSE;
      self->populated = content->size;
    }
  store (content, data);
  return TRUE;
}

/* To write to new small pages by a system call is faster than by a mapping. */
static gboolean
region_begin (ArenaRegion *self, int fd, const ArenaContent *content)
{
  if (content->value != NULL || memfd_enlarge_pages (self->memory, ARENA_DATA + content->size))
    return region_fill (self, content);
  return memfd_write (fd, ARENA_DATA, content->parts, G_N_ELEMENTS (content->parts));
}

static int
region_create (ArenaRegion *self, const ArenaContent *content)
{
  const gsize room = content->size + SPARE (content->size);
  auto_fd int fd = memfd_new ("procfun-arena", ARENA_DATA + room, NULL);

  region_clear (self);
  if (fd < 0)
    return -1;
  self->memory = memfd_map_to_write (fd, ARENA_DATA + room);
  self->room = room;
  if (self->memory == NULL)
    return -1;
  memfd_hide_from_children (self->memory, ARENA_DATA + room);
  claim (self->memory, ARENA_USED);
  if (!region_begin (self, fd, content))
    {
      region_clear (self);
      return -1;
    }
  return g_steal_fd (&fd);
}

gboolean
arena_out_put (ArenaOut *self, const ArenaContent *content, guint32 *index, int *fd)
{
  ArenaRegion *region = find (self, content->size);
  ArenaHead *head;

  *fd = -1;
  if (region == NULL)
    return FALSE;
  head = region->memory;
  if (head != NULL && region->room >= content->size)
    {
      if (!claim (head, ARENA_USED))
        return FALSE;
      if (!region_fill (region, content))
        {
          g_atomic_int_set (&head->use, ARENA_FREE);
          return FALSE;
        }
    }
  else if ((*fd = region_create (region, content)) < 0)
    return FALSE;
  *index = (guint32)(region - self->regions);
  return TRUE;
}

/* The first one is used first. */
gboolean
arena_out_is_there (const ArenaOut *self)
{
  return self->regions[0].memory != NULL;
}

void
arena_out_give_back (ArenaOut *self)
{
  for (guint i = 0; i < ARENA_REGIONS; i++)
    {
      ArenaRegion *region = &self->regions[i];
      ArenaHead *head = region->memory;

      if (head == NULL || !claim (head, ARENA_CLEARING))
        continue;
      memfd_give_back ((guint8 *)region->memory + ARENA_DATA, region->room, FALSE);
      region->populated = 0;
      g_atomic_int_set (&head->use, ARENA_FREE);
    }
}

int
arena_seal (const ArenaContent *content, gboolean is_large)
{
  gpointer memory;
  auto_fd int fd = memfd_new_large ("procfun-payload", content->size, &memory);

  if (fd < 0)
    return is_large ? -1
                    : memfd_new_sealed ("procfun-payload", content->parts,
                                        G_N_ELEMENTS (content->parts));
  store (content, memory);
  return memfd_seal (fd, memory, content->size) ? g_steal_fd (&fd) : -1;
}

/* Receiving */

struct _ArenaMapping
{
  gatomicrefcount n_refs;
  ArenaHead *head;
  gpointer data;
  gsize room;
  pid_t pid; /* a process that this one forks has what it has, but says nothing to the sender */
};

static void
mapping_unref (ArenaMapping *self)
{
  if (!g_atomic_ref_count_dec (&self->n_refs))
    return;
  memfd_unmap (self->head, ARENA_DATA);
  memfd_unmap (self->data, self->room);
  g_free (self);
}

void
arena_in_init (ArenaIn *self)
{
  *self = (ArenaIn){ 0 };
  g_mutex_init (&self->lock);
}

void
arena_in_clear (ArenaIn *self)
{
  for (guint i = 0; i < ARENA_REGIONS; i++)
    g_clear_pointer (&self->mappings[i], mapping_unref);
  g_mutex_clear (&self->lock);
}

gboolean
arena_in_is_there (const ArenaIn *self)
{
  return __atomic_load_n (&self->mappings[0], __ATOMIC_ACQUIRE) != NULL;
}

void
arena_in_give_back (ArenaIn *self)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < ARENA_REGIONS; i++)
    {
      ArenaMapping *mapping = self->mappings[i];

      if (mapping == NULL || !claim (mapping->head, ARENA_CLEARING))
        continue;
      memfd_give_back (mapping->data, mapping->room, TRUE);
      g_atomic_int_inc (&mapping->head->n_cleared);
      g_atomic_int_set (&mapping->head->use, ARENA_FREE);
    }
  g_mutex_unlock (&self->lock);
}

static void
release (gpointer user_data)
{
  ArenaMapping *self = user_data;

  if (getpid () == self->pid)
    g_atomic_int_set (&self->head->use, ARENA_FREE);
  mapping_unref (self);
}

static GBytes *
fail_for_memory (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent memory that cannot be shared"));
  return NULL;
}

static GBytes *
fail_for_lack (gsize size, GError **error)
{
  g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
               _ ("there is no memory for the %" PRIu64 " bytes that the other side sends"),
               (guint64)size);
  return NULL;
}

/* FALSE: @error is set. */
static gboolean
map (ArenaIn *self, guint32 index, int fd, GError **error)
{
  gboolean is_constant;
  const gsize size = memfd_check (fd, &is_constant);
  ArenaMapping *mapping;
  gpointer head, data;

  if (size <= ARENA_DATA || is_constant)
    return fail_for_memory (error) != NULL;
  head = memfd_map_to_write (fd, ARENA_DATA);
  data = memfd_map_to_read (fd, ARENA_DATA, size - ARENA_DATA, FALSE);
  if (head == NULL || data == NULL)
    {
      if (head != NULL)
        memfd_unmap (head, ARENA_DATA);
      if (data != NULL)
        memfd_unmap (data, size - ARENA_DATA);
      return fail_for_lack (size, error) != NULL;
    }
  g_clear_pointer (&self->mappings[index], mapping_unref);
  mapping = g_new (ArenaMapping, 1);
  *mapping
      = (ArenaMapping){ .head = head, .data = data, .room = size - ARENA_DATA, .pid = getpid () };
  g_atomic_ref_count_init (&mapping->n_refs);
  g_atomic_pointer_set (&self->mappings[index], mapping);
  return TRUE;
}

/* The sender may be the one who is not to be trusted: what it writes later must not be seen. */
static GBytes *
copy_out (ArenaMapping *self, gsize size, GError **error)
{
  GBytes *copy = pages_copy (self->data, size);

  g_atomic_int_set (&self->head->use, ARENA_FREE);
  return copy != NULL ? copy : fail_for_lack (size, error);
}

typedef struct
{
  gpointer data;
  gsize size;
} Sealed;

static void
sealed_free (gpointer user_data)
{
  g_autofree Sealed *self = user_data;

  memfd_unmap (self->data, self->size);
}

static GBytes *
take_sealed (int fd, gsize size, GError **error)
{
  gboolean is_constant;
  const gsize actual = fd >= 0 ? memfd_check (fd, &is_constant) : 0;
  Sealed *self;
  gpointer data;

  if (actual < size || size == 0 || !is_constant)
    return fail_for_memory (error);
  data = memfd_map_to_read (fd, 0, size, TRUE);
  if (data == NULL)
    return fail_for_lack (size, error);
  self = g_new (Sealed, 1);
  *self = (Sealed){ data, size };
  return g_bytes_new_with_free_func (data, size, sealed_free, self);
}

/* With the lock held. (nullable): the one with @size bytes */
static ArenaMapping *
find_mapping (ArenaIn *self, guint32 index, int fd, gsize size, GError **error)
{
  ArenaMapping *mapping;

  if (index < ARENA_REGIONS && fd >= 0 && !map (self, index, fd, error))
    return NULL;
  mapping = index < ARENA_REGIONS ? self->mappings[index] : NULL;
  if (mapping != NULL && size <= mapping->room)
    return mapping;
  fail_for_memory (error);
  return NULL;
}

/* As long as they are there, the sender does not use the memory again. */
static GBytes *
use_in_place (ArenaMapping *self, gsize size)
{
  g_atomic_ref_count_inc (&self->n_refs);
  return g_bytes_new_with_free_func (self->data, size, release, self);
}

GBytes *
arena_in_take (ArenaIn *self, guint32 index, int fd, gsize size, GError **error)
{
  ArenaMapping *mapping;
  GBytes *bytes = NULL;

  if (index == ARENA_SEALED)
    return take_sealed (fd, size, error);
  g_mutex_lock (&self->lock);
  mapping = find_mapping (self, index, fd, size, error);
  if (mapping != NULL)
    bytes = self->trusts ? use_in_place (mapping, size) : copy_out (mapping, size, error);
  g_mutex_unlock (&self->lock);
  return bytes;
}

GBytes *
arena_in_peek (ArenaIn *self, guint32 index, int fd, gsize size, GError **error)
{
  ArenaMapping *mapping;
  GBytes *bytes = NULL;

  g_mutex_lock (&self->lock);
  mapping = find_mapping (self, index, fd, size, error);
  if (mapping != NULL)
    bytes = use_in_place (mapping, size);
  g_mutex_unlock (&self->lock);
  return bytes;
}
