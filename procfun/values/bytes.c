/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/values/bytes.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include <string.h>

/**
 * SECTION:procfun-bytes
 * @title: Shared memory
 * @short_description: large arguments and results that are not copied
 *
 * An argument or a result of some megabytes costs more than its function, because it is copied to
 * another process. Memory from procfun_bytes_new() is not: other processes map it. It is a #GBytes
 * like any other, and functions take and return it as `GBytes *`, or as the owner of
 * a #ProcfunDoubles and its like.
 *
 * |[<!-- language="C" -->
 * gpointer pixels;
 * g_autoptr (GBytes) image = procfun_bytes_new (height * stride, &pixels);
 *
 * paint (pixels, width, height, stride);
 * guint64 sum = checksum_process (image, &error);
 * ]|
 *
 * A worker of a pool keeps the memory mapped, so that the second call with the same bytes costs no
 * more than a call without them. Bytes of less than 64 KiB are copied, which is as cheap, and so
 * are those of less than a megabyte that the function of a worker has made itself.
 *
 * Other processes can read the memory and not write it. A function may keep what it is given, and
 * may return it or a part of it: its caller then gets its own memory back. It may also return bytes
 * that it has made by procfun_bytes_new(): from then on nobody can change what its caller has, not
 * even the function.
 *
 * Since: 0.1
 */

/* In bytes, of an area for many blocks. */
#define SMALL_AREA ((gsize)16 * 1024 * 1024)

/* With so many areas, a new one has room for as much as an eighth of all that there is. */
#define AREAS_FEW 64

/* Descriptors of areas have high numbers, which nobody looks at to see what a function has left
 * open. */
#define FD_MIN 200

#define PAGE ((gsize)4096)

/* A caller that asks for more may not write to all of it. */
#define PREPARE_MAX ((gsize)1024 * 1024 * 1024)

typedef struct
{
  gsize offset;
  gsize size;
} Block;

/* Bytes from `written` on were never in use, and are 0. */
typedef struct
{
  guint64 number;
  pid_t pid; /* that made it: another one, which this forked, has it and does not use it further */
  int fd;
  guint8 *memory;
  gsize size;
  gsize written;
  GArray *blocks;     /* (element-type Block) in use, sorted */
  gboolean is_closed; /* it was to become constant, and is not written any more */
  gboolean is_constant;
} Area;

static GMutex lock;
static GPtrArray *areas; /* (nullable) (element-type Area) */
static guint n_areas;    /* atomic: so many are there */
static guint64 last_number;
static gboolean keeps_spare;
static Area *spare; /* (nullable) (borrowed): one of them, without blocks */

static void
area_free (Area *self)
{
  if (self->memory != NULL)
    memfd_unmap (self->memory, self->size);
  fd_clear (&self->fd);
  g_array_unref (self->blocks);
  g_free (self);
}

/* (nullable) */
static Area *
area_new (gsize size)
{
  Area *self = g_new0 (Area, 1);

  self->blocks = g_array_new (FALSE, FALSE, sizeof (Block));
  self->size = size;
  self->pid = getpid ();
  self->fd = memfd_new_for_readers ("procfun-bytes", size, (gpointer *)&self->memory);
  if (self->fd < 0)
    {
      area_free (self);
      return NULL;
    }
  fds_move_far_up (&self->fd, FD_MIN);
  self->number = ++last_number;
  if (areas == NULL)
    areas = g_ptr_array_new_with_free_func ((GDestroyNotify)area_free);
  g_ptr_array_add (areas, self);
  g_atomic_int_set (&n_areas, areas->len);
  return self;
}

static gsize
round_up (gsize size)
{
  return (size + PAGE - 1) & ~(PAGE - 1);
}

/* Room of a block that has an area to itself. A large page is had as soon as a hundred small ones,
 * and mapped and freed in no time: it pays where half of it is used. */
static gsize
get_own_room (gsize size)
{
  const gsize rest = size % MEMFD_LARGE_PAGE;

  return rest >= MEMFD_LARGE_PAGE / 2 ? size - rest + MEMFD_LARGE_PAGE : round_up (size);
}

/* The first place with room; FALSE if there is none. */
static gboolean
area_find_room (const Area *self, gsize size, gsize *offset, guint *index)
{
  *offset = 0;
  for (*index = 0; *index < self->blocks->len; (*index)++)
    {
      const Block *block = &g_array_index (self->blocks, Block, *index);

      if (block->offset - *offset >= size)
        return TRUE;
      *offset = block->offset + round_up (block->size);
    }
  return self->size - *offset >= size;
}

/* (nullable) */
static gpointer
area_take (Area *self, gsize size)
{
  Block block = { .size = size };
  guint index;
  guint8 *data;

  if (self->is_closed || self->pid != getpid ()
      || !area_find_room (self, round_up (size), &block.offset, &index))
    return NULL;
  if (self == spare)
    spare = NULL;
  g_array_insert_val (self->blocks, index, block);
  data = self->memory + block.offset;
  if (block.offset < self->written)
    memset (data, 0, MIN (size, self->written - block.offset));
  else if (size >= BYTES_OWN_AREA_MIN && size <= PREPARE_MAX)
    memfd_prepare (data, MIN (get_own_room (size), self->size - block.offset));
  self->written = MAX (self->written, block.offset + round_up (size));
  return data;
}

static gsize
get_total (void)
{
  gsize total = 0;

  for (guint i = 0; areas != NULL && i < areas->len; i++)
    total += ((Area *)areas->pdata[i])->size;
  return total;
}

/* (nullable) */
static gpointer
take (gsize size)
{
  const gboolean is_large = size >= BYTES_OWN_AREA_MIN;
  const gboolean are_many = areas != NULL && areas->len >= AREAS_FEW;
  gpointer data = NULL;
  gsize room = is_large ? get_own_room (size) : SMALL_AREA;
  Area *area;

  for (guint i = areas != NULL ? areas->len : 0; i > 0 && data == NULL; i--)
    {
      area = areas->pdata[i - 1];
      if (are_many || (!is_large && area->size == SMALL_AREA))
        data = area_take (area, size);
    }
  if (data != NULL)
    return data;
  if (are_many)
    room = MAX (room, round_up (get_total () / 8));
  area = area_new (room);
  if (area == NULL && room > round_up (size))
    area = area_new (round_up (size));
  return area != NULL ? area_take (area, size) : NULL;
}

/* (nullable): the area with all of @data. */
static Area *
find_area (gconstpointer data, gsize size)
{
  for (guint i = 0; areas != NULL && i < areas->len; i++)
    {
      Area *area = areas->pdata[i];
      const gsize offset = (gsize)((const guint8 *)data - area->memory);

      if ((const guint8 *)data >= area->memory && offset < area->size
          && size <= area->size - offset)
        return area;
    }
  return NULL;
}

static void
remove_area (Area *area)
{
  g_ptr_array_remove_fast (areas, area);
  g_atomic_int_set (&n_areas, areas->len);
  if (areas->len == 0)
    g_clear_pointer (&areas, g_ptr_array_unref);
}

static gboolean
becomes_spare (const Area *area)
{
  return keeps_spare && spare == NULL && area->size == SMALL_AREA && !area->is_closed
         && area->pid == getpid ();
}

static void
give_back (gpointer data)
{
  Area *area;
  gsize offset;

  g_mutex_lock (&lock);
  area = find_area (data, 0);
  offset = (gsize)((guint8 *)data - area->memory);
  for (guint i = 0; i < area->blocks->len; i++)
    if (g_array_index (area->blocks, Block, i).offset == offset)
      {
        g_array_remove_index (area->blocks, i);
        break;
      }
  if (area->blocks->len == 0)
    {
      if (becomes_spare (area))
        spare = area;
      else
        remove_area (area);
    }
  g_mutex_unlock (&lock);
}

void
bytes_keep_spare (void)
{
  g_mutex_lock (&lock);
  keeps_spare = TRUE;
  g_mutex_unlock (&lock);
}

gboolean
bytes_have_spare (void)
{
  gboolean found;

  g_mutex_lock (&lock);
  found = spare != NULL;
  g_mutex_unlock (&lock);
  return found;
}

void
bytes_drop_spare (void)
{
  g_mutex_lock (&lock);
  if (spare != NULL)
    remove_area (g_steal_pointer (&spare));
  g_mutex_unlock (&lock);
}

/**
 * procfun_bytes_new:
 * @size: the size in bytes
 * @data: (out) (transfer none): return location for the memory
 *
 * Makes bytes in memory that other processes can map. As an argument or a result they are not
 * copied, also within a struct, an array, a dictionary or a #GVariant that was built of them.
 *
 * The memory is zeroed. From 1 MiB to 1 GiB it is taken at once, in large pages where the kernel
 * has them (Linux 6.1), which makes it much faster to write and to map; other memory is taken as
 * you write to it. Bytes of 1 MiB and more may take up to 1 MiB beyond their size. Write to it
 * before you pass the bytes. What is written while a function has them is seen by the function,
 * too, as with a thread; once they are a result that is not copied, @data can only be read.
 *
 * A process that is given the bytes can read them, and all other shared bytes of less than a
 * megabyte that this process has made. It can write none of them.
 *
 * Where memory cannot be shared – there is no memfd with `F_SEAL_FUTURE_WRITE`, which Linux has
 * since 5.1, no descriptor is left, or `RLIMIT_FSIZE` forbids it – the bytes are private, and are
 * copied as any others.
 *
 * Returns: (transfer full) (nullable): the bytes, or %NULL where there is no memory for them
 *
 * Since: 0.1
 */
GBytes *
procfun_bytes_new (gsize size, gpointer *data)
{
  gpointer memory = NULL;

  g_return_val_if_fail (data != NULL, NULL);

  if (size >= BYTES_SHARE_MIN && size <= G_MAXSSIZE / 2)
    {
      g_mutex_lock (&lock);
      memory = take (size);
      g_mutex_unlock (&lock);
    }
  if (memory != NULL)
    {
      *data = memory;
      return g_bytes_new_with_free_func (memory, size, give_back, memory);
    }
  memory = g_try_malloc0 (MAX (size, 1));
  *data = memory;
  return memory != NULL ? g_bytes_new_take (memory, size) : NULL;
}

gboolean
bytes_are_shared (void)
{
  return g_atomic_int_get (&n_areas) > 0;
}

gboolean
bytes_find (gconstpointer data, gsize size, BytesPlace *place)
{
  Area *area;

  if (!bytes_are_shared ())
    return FALSE;
  g_mutex_lock (&lock);
  area = find_area (data, size);
  if (area != NULL)
    *place = (BytesPlace){ .area = area->number,
                           .fd = area->fd,
                           .offset = (gsize)((const guint8 *)data - area->memory) };
  g_mutex_unlock (&lock);
  return area != NULL;
}

gboolean
bytes_has_area (guint64 number)
{
  gboolean found = FALSE;

  g_mutex_lock (&lock);
  for (guint i = 0; areas != NULL && i < areas->len && !found; i++)
    found = ((Area *)areas->pdata[i])->number == number;
  g_mutex_unlock (&lock);
  return found;
}

gboolean
bytes_make_constant (gconstpointer data, gsize size)
{
  gboolean is_constant = FALSE;
  Area *area;

  g_mutex_lock (&lock);
  area = find_area (data, size);
  if (area != NULL && area->pid == getpid () && area->blocks->len == 1
      && g_array_index (area->blocks, Block, 0).offset == 0)
    {
      if (!area->is_closed)
        area->is_constant = memfd_make_constant (area->fd, area->memory, area->size);
      area->is_closed = TRUE;
      is_constant = area->is_constant;
    }
  g_mutex_unlock (&lock);
  return is_constant;
}
