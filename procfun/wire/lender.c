/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/lender.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include <string.h>

Lender *
lender_new (void)
{
  Lender *self = g_new0 (Lender, 1);

  g_mutex_init (&self->lock);
  return self;
}

static void
drop_table (Lender *self)
{
  memfd_unmap (self->table, sizeof *self->table);
  self->table = NULL;
}

void
lender_free (Lender *self)
{
  for (guint i = 0; i < self->n_slots; i++)
    g_clear_pointer (&self->held[i], g_bytes_unref);
  if (self->table != NULL)
    drop_table (self);
  g_mutex_clear (&self->lock);
  g_free (self);
}

/* With the lock held. Bytes are freed without it, as that takes its time. */
static void
sweep (Lender *self, GPtrArray *over)
{
  for (guint i = 0; i < self->n_slots; i++)
    if (self->held[i] != NULL && g_atomic_int_get (&self->table->slots[i]) == 0)
      g_ptr_array_add (over, g_steal_pointer (&self->held[i]));
}

void
lender_sweep (Lender *self)
{
  g_autoptr (GPtrArray) over = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);

  g_mutex_lock (&self->lock);
  sweep (self, over);
  g_mutex_unlock (&self->lock);
}

/* FALSE: there is no memory for it. */
static gboolean
make_table (Lender *self, GUnixFDList *fds)
{
  auto_fd int fd = memfd_new ("procfun-loans", sizeof *self->table, NULL);
  gpointer table = fd >= 0 ? memfd_map_to_write (fd, sizeof *self->table) : NULL;

  if (table == NULL)
    return FALSE;
  if (g_unix_fd_list_append (fds, fd, NULL) < 0)
    {
      memfd_unmap (table, sizeof *self->table);
      return FALSE;
    }
  memfd_hide_from_children (table, sizeof *self->table);
  self->table = table;
  return TRUE;
}

/* Takes away a region of which nothing is lent, and nothing is left here: the next one takes its
 * place there, too. */
static gboolean
take_away (Lender *self, guint32 index)
{
  guint32 unused = LOAN_REGION_MAPPED;

  return (guint32)g_atomic_int_get (&self->table->regions[index]) == unused
         && !bytes_has_area (self->areas[index])
         && __atomic_compare_exchange_n (&self->table->regions[index], &unused, 0, FALSE,
                                         __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
}

/* The index of a region for @area; LOAN_REGIONS: all are in use. */
static guint32
find_region (Lender *self, guint64 area)
{
  for (guint32 i = 0; i < LOAN_REGIONS; i++)
    if (self->areas[i] == area)
      return i;
  for (guint32 i = 0; i < LOAN_REGIONS; i++)
    if (take_away (self, i))
      return i;
  for (guint32 i = 0; i < LOAN_REGIONS; i++)
    if (g_atomic_int_get (&self->table->regions[i]) == 0)
      return i;
  return LOAN_REGIONS;
}

static gboolean
use_mapped (guint32 *word)
{
  guint32 value = (guint32)g_atomic_int_get (word);

  while ((value & LOAN_REGION_MAPPED) != 0)
    if (__atomic_compare_exchange_n (word, &value, value + 1, FALSE, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
      return TRUE;
  return FALSE;
}

/* FALSE: there is no descriptor left, or the other side writes nonsense. */
static gboolean
use_region (Lender *self, const BytesPlace *place, FrameLoan *loan, GUnixFDList *fds)
{
  guint32 *word = &self->table->regions[loan->region];

  loan->kind = LOAN_MAPPED;
  if (self->areas[loan->region] == place->area && use_mapped (word))
    return TRUE;
  loan->kind = LOAN_REGION;
  if (g_atomic_int_get (word) != 0 || g_unix_fd_list_get_length (fds) >= FRAME_MAX_FDS
      || g_unix_fd_list_append (fds, place->fd, NULL) < 0)
    return FALSE;
  self->areas[loan->region] = place->area;
  g_atomic_int_set (word, LOAN_REGION_MAPPED | 1);
  return TRUE;
}

static gboolean
lend (Lender *self, const Part *part, FrameLoan *loan, GUnixFDList *fds)
{
  BytesPlace place;
  gsize size;
  gconstpointer data = g_bytes_get_data (part->bytes, &size);

  while (loan->slot < LOAN_SLOTS && self->held[loan->slot] != NULL)
    loan->slot++;
  if (loan->slot == LOAN_SLOTS || !bytes_find (data, size, &place))
    return FALSE;
  loan->region = find_region (self, place.area);
  if (loan->region == LOAN_REGIONS || !use_region (self, &place, loan, fds))
    return FALSE;
  loan->offset = place.offset;
  loan->size = size;
  loan->depth = part->depth;
  memcpy (loan->indices, part->indices, sizeof loan->indices);
  self->held[loan->slot] = g_bytes_ref (part->bytes);
  self->n_slots = MAX (self->n_slots, loan->slot + 1);
  g_atomic_int_set (&self->table->slots[loan->slot], 1);
  return TRUE;
}

/* With the lock held. */
static void
undo (Lender *self, const GArray *loans, gboolean has_table)
{
  for (guint i = loans->len; i > 0; i--)
    {
      const FrameLoan *loan = &g_array_index (loans, FrameLoan, i - 1);

      g_atomic_int_set (&self->table->slots[loan->slot], 0);
      g_clear_pointer (&self->held[loan->slot], g_bytes_unref);
      if (loan->kind == LOAN_REGION)
        g_atomic_int_set (&self->table->regions[loan->region], 0);
      else
        __atomic_fetch_sub (&self->table->regions[loan->region], 1, __ATOMIC_SEQ_CST);
    }
  if (has_table)
    drop_table (self);
}

void
lender_undo (Lender *self, const GArray *loans, gboolean has_table)
{
  g_mutex_lock (&self->lock);
  undo (self, loans, has_table);
  g_mutex_unlock (&self->lock);
}

gboolean
lender_lend (Lender *self, const GArray *parts, GArray *loans, GUnixFDList *fds,
             gboolean *has_table)
{
  g_autoptr (GPtrArray) over = g_ptr_array_new_with_free_func ((GDestroyNotify)g_bytes_unref);
  gboolean ok = TRUE;
  guint32 slot = 0;

  g_mutex_lock (&self->lock);
  sweep (self, over);
  *has_table = self->table == NULL;
  ok = self->table != NULL || make_table (self, fds);
  for (guint i = 0; i < parts->len && ok; i++)
    {
      FrameLoan loan = { .slot = slot };

      ok = lend (self, &g_array_index (parts, Part, i), &loan, fds);
      if (ok)
        g_array_append_val (loans, loan);
      slot = loan.slot;
    }
  if (!ok && self->table != NULL)
    undo (self, loans, *has_table);
  g_mutex_unlock (&self->lock);
  return ok;
}

/* The borrower counts one more use for it. */
GBytes *
lender_take_back (Lender *self, const FrameLoan *loan)
{
  GBytes *bytes = NULL;

  g_mutex_lock (&self->lock);
  if (loan->slot < LOAN_SLOTS && self->held[loan->slot] != NULL)
    {
      GBytes *held = self->held[loan->slot];
      const gsize size = g_bytes_get_size (held);

      if (loan->offset <= size && loan->size <= size - loan->offset)
        bytes = g_bytes_new_from_bytes (held, loan->offset, loan->size);
      if (g_atomic_int_get (&self->table->slots[loan->slot]) != 0)
        __atomic_fetch_sub (&self->table->slots[loan->slot], 1, __ATOMIC_SEQ_CST);
    }
  g_mutex_unlock (&self->lock);
  return bytes;
}
