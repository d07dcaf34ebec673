/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/borrower.h"

#include "procfun/base/intl.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  guint8 *memory; /* (nullable) */
  gsize size;
  guint n_loans; /* the lender could say what it likes in the table */
} Region;

struct _Borrower
{
  gatomicrefcount n_refs; /* its user, and each loan */
  GMutex lock;
  LoanTable *table; /* (nullable) */
  Region regions[LOAN_REGIONS];
  GPtrArray *loans; /* (element-type Loan) in use */
  pid_t pid; /* a process that this one forks has what it has, but says nothing to the lender */
};

typedef struct
{
  Borrower *borrower; /* (owned) */
  const guint8 *data;
  gsize size;
  guint32 region;
  guint32 slot;
} Loan;

Borrower *
borrower_new (void)
{
  Borrower *self = g_new0 (Borrower, 1);

  g_atomic_ref_count_init (&self->n_refs);
  g_mutex_init (&self->lock);
  self->loans = g_ptr_array_new ();
  self->pid = getpid ();
  return self;
}

static void
clear_region (Region *self)
{
  if (self->memory != NULL)
    memfd_unmap (self->memory, self->size);
  *self = (Region){ 0 };
}

void
borrower_free (Borrower *self)
{
  if (!g_atomic_ref_count_dec (&self->n_refs))
    return;
  for (guint i = 0; i < LOAN_REGIONS; i++)
    clear_region (&self->regions[i]);
  if (self->table != NULL)
    memfd_unmap (self->table, sizeof *self->table);
  g_ptr_array_unref (self->loans);
  g_mutex_clear (&self->lock);
  g_free (self);
}

static gpointer
fail_for_memory (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent memory that cannot be shared"));
  return NULL;
}

gboolean
borrower_set_table (Borrower *self, int fd)
{
  gboolean is_constant;

  if (self->table == NULL && memfd_check (fd, &is_constant) >= sizeof *self->table && !is_constant)
    self->table = memfd_map_to_write (fd, sizeof *self->table);
  return self->table != NULL;
}

/* With the lock held. FALSE: @error is set. */
static gboolean
map (Region *self, int fd, GError **error)
{
  gboolean is_constant;
  const gsize size = memfd_check (fd, &is_constant);
  gpointer memory;

  if (size == 0 || self->n_loans > 0)
    return fail_for_memory (error) != NULL;
  memory = memfd_map_to_read (fd, 0, size, is_constant);
  if (memory == NULL)
    {
      g_set_error (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT,
                   _ ("there is no memory for the %" PRIu64 " bytes that the other side sends"),
                   (guint64)size);
      return FALSE;
    }
  clear_region (self);
  *self = (Region){ memory, size, 0 };
  return TRUE;
}

static void
release (gpointer user_data)
{
  g_autofree Loan *loan = user_data;
  Borrower *self = loan->borrower;

  if (getpid () != self->pid)
    return;
  g_mutex_lock (&self->lock);
  g_ptr_array_remove_fast (self->loans, loan);
  self->regions[loan->region].n_loans--;
  __atomic_fetch_sub (&self->table->slots[loan->slot], 1, __ATOMIC_SEQ_CST);
  __atomic_fetch_sub (&self->table->regions[loan->region], 1, __ATOMIC_SEQ_CST);
  g_mutex_unlock (&self->lock);
  borrower_free (self);
}

GBytes *
borrower_take (Borrower *self, const FrameLoan *loan, int fd, GError **error)
{
  Region *region;
  Loan *taken = NULL;

  if (self->table == NULL || loan->region >= LOAN_REGIONS || loan->slot >= LOAN_SLOTS)
    return fail_for_memory (error);
  g_mutex_lock (&self->lock);
  region = &self->regions[loan->region];
  if (fd < 0 || map (region, fd, error))
    {
      if (loan->offset <= region->size && loan->size <= region->size - loan->offset)
        {
          taken = g_new (Loan, 1);
          *taken
              = (Loan){ self, region->memory + loan->offset, loan->size, loan->region, loan->slot };
          g_ptr_array_add (self->loans, taken);
          region->n_loans++;
          g_atomic_ref_count_inc (&self->n_refs);
        }
      else
        fail_for_memory (error);
    }
  g_mutex_unlock (&self->lock);
  return taken != NULL ? g_bytes_new_with_free_func (taken->data, taken->size, release, taken)
                       : NULL;
}

/* With the lock held. (nullable) */
static Loan *
find (Borrower *self, const guint8 *data, gsize size)
{
  for (guint i = 0; i < self->loans->len; i++)
    {
      Loan *loan = self->loans->pdata[i];

      if (data >= loan->data && (gsize)(data - loan->data) <= loan->size
          && size <= loan->size - (gsize)(data - loan->data))
        return loan;
    }
  return NULL;
}

gboolean
borrower_has (Borrower *self, gconstpointer data, gsize size)
{
  gboolean found;

  g_mutex_lock (&self->lock);
  found = find (self, data, size) != NULL;
  g_mutex_unlock (&self->lock);
  return found;
}

gboolean
borrower_return (Borrower *self, gconstpointer data, gsize size, FrameLoan *loan)
{
  Loan *found;

  g_mutex_lock (&self->lock);
  found = getpid () == self->pid ? find (self, data, size) : NULL;
  if (found != NULL)
    {
      loan->kind = LOAN_BACK;
      loan->slot = found->slot;
      loan->offset = (gsize)((const guint8 *)data - found->data);
      loan->size = size;
      __atomic_fetch_add (&self->table->slots[found->slot], 1, __ATOMIC_SEQ_CST);
    }
  g_mutex_unlock (&self->lock);
  return found != NULL;
}

void
borrower_keep (Borrower *self, const FrameLoan *loan)
{
  __atomic_fetch_sub (&self->table->slots[loan->slot], 1, __ATOMIC_SEQ_CST);
}

void
borrower_give_back (Borrower *self)
{
  g_mutex_lock (&self->lock);
  for (guint i = 0; i < LOAN_REGIONS; i++)
    {
      guint32 unused = LOAN_REGION_MAPPED;

      if (self->regions[i].memory != NULL && self->regions[i].n_loans == 0
          && __atomic_compare_exchange_n (&self->table->regions[i], &unused, 0, FALSE,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        clear_region (&self->regions[i]);
    }
  g_mutex_unlock (&self->lock);
}
