/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/wire/loans.h"

#include "procfun/base/intl.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include <string.h>
#include <unistd.h>

G_STATIC_ASSERT (sizeof (FrameLent) % 8 == 0 && sizeof (FrameLoan) % 8 == 0);

void
loans_clear (Loans *self)
{
  g_clear_pointer (&self->lender, lender_free);
  g_clear_pointer (&self->borrower, borrower_free);
}

/* A callee lends what it was lent, and what nobody can change. A worker copies small bytes all the
 * same: memory that is constant is not used again, and to make it anew takes longer. */
static gboolean
is_constant (const Loans *self, gconstpointer data, gsize size)
{
  BytesPlace place;

  if (self->places != NULL && size < BYTES_OWN_AREA_MIN)
    return FALSE;
  return bytes_find (data, size, &place) && bytes_make_constant (data, size);
}

gboolean
loans_can_lend (Loans *self, gconstpointer data, gsize size)
{
  BytesPlace place;

  if (!self->is_open)
    return FALSE;
  if (!self->trusts)
    return bytes_find (data, size, &place);
  return (self->borrower != NULL && borrower_has (self->borrower, data, size))
         || is_constant (self, data, size);
}

/* Writing */

static gboolean
is_placed (const FrameLoan *loan)
{
  return loan->kind == LOAN_PLACED || loan->kind == LOAN_PLACE;
}

/* FALSE: there is no memory, or descriptor, for it. */
static gboolean
append_memory (GUnixFDList *fds, int fd)
{
  return g_unix_fd_list_get_length (fds) < FRAME_MAX_FDS
         && g_unix_fd_list_append (fds, fd, NULL) >= 0;
}

/* Of a process that has one call, in memory that is then constant. */
static gboolean
place (Loans *self, gconstpointer data, gsize size, FrameLoan *loan, GUnixFDList *fds)
{
  const ArenaContent content = { .parts = { { (gpointer)data, size } }, .size = size };
  auto_fd int fd = -1;

  loan->size = size;
  loan->kind = LOAN_CONSTANT;
  if (self->places == NULL)
    return (fd = arena_seal (&content, FALSE)) >= 0 && append_memory (fds, fd);
  if (!arena_out_put (self->places, &content, &loan->region, &fd))
    return FALSE;
  loan->kind = fd >= 0 ? LOAN_PLACE : LOAN_PLACED;
  if (fd < 0 || append_memory (fds, fd))
    return TRUE;
  arena_out_drop (self->places, loan->region);
  return FALSE;
}

/* The receiver does not hear of them. */
static void
undo (Loans *self, const GArray *loans)
{
  for (guint i = 0; i < loans->len; i++)
    {
      const FrameLoan *loan = &g_array_index (loans, FrameLoan, i);

      if (is_placed (loan))
        arena_out_drop (self->places, loan->region);
      else if (loan->kind == LOAN_BACK)
        borrower_keep (self->borrower, loan);
    }
}

/* To a caller. FALSE: there is no descriptor left, or a loan is over. */
static gboolean
lend_to_caller (Loans *self, const GArray *parts, GArray *loans, GUnixFDList *fds)
{
  for (guint i = 0; i < parts->len; i++)
    {
      const Part *part = &g_array_index (parts, Part, i);
      FrameLoan loan = { .depth = part->depth };
      BytesPlace found;
      gsize size;
      gconstpointer data = g_bytes_get_data (part->bytes, &size);

      memcpy (loan.indices, part->indices, sizeof loan.indices);
      if (self->borrower == NULL || !borrower_return (self->borrower, data, size, &loan))
        {
          if (!is_constant (self, data, size))
            {
              if (!place (self, data, size, &loan, fds))
                return FALSE;
            }
          else if (bytes_find (data, size, &found) && append_memory (fds, found.fd))
            {
              loan.kind = LOAN_CONSTANT;
              loan.offset = found.offset;
              loan.size = size;
            }
          else
            return FALSE;
        }
      g_array_append_val (loans, loan);
    }
  return TRUE;
}

static gboolean
append_fds (GUnixFDList *all, GUnixFDList *fds)
{
  int n = 0;
  const int *numbers = fds != NULL ? g_unix_fd_list_peek_fds (fds, &n) : NULL;

  if (g_unix_fd_list_get_length (all) + n > FRAME_MAX_FDS)
    return FALSE;
  for (int i = 0; i < n; i++)
    if (g_unix_fd_list_append (all, numbers[i], NULL) < 0)
      return FALSE;
  return TRUE;
}

gboolean
loans_write (Loans *self, const FrameHeader *header, const GArray *parts, GUnixFDList *fds,
             GByteArray *out, GUnixFDList **all)
{
  g_autoptr (GArray) loans = g_array_new (FALSE, FALSE, sizeof (FrameLoan));
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new ();
  FrameLent lent = { .header = *header, .n_loans = parts->len };
  gboolean has_table = FALSE;

  if (!self->trusts && self->lender == NULL)
    self->lender = lender_new ();
  if (self->trusts ? !lend_to_caller (self, parts, loans, list)
                   : !lender_lend (self->lender, parts, loans, list, &has_table))
    {
      undo (self, loans);
      return FALSE;
    }
  lent.n_fds = (guint16)g_unix_fd_list_get_length (list);
  lent.has_table = has_table;
  if (!append_fds (list, fds))
    {
      undo (self, loans);
      if (self->lender != NULL)
        lender_undo (self->lender, loans, has_table);
      return FALSE;
    }
  g_byte_array_append (out, (const guint8 *)&lent, sizeof lent);
  g_byte_array_append (out, (const guint8 *)loans->data, loans->len * sizeof (FrameLoan));
  *all = g_unix_fd_list_get_length (list) > 0 ? g_steal_pointer (&list) : NULL;
  return TRUE;
}

/* Reading */

static gboolean
fail (GError **error)
{
  g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                       _ ("the other side sent something that is no frame"));
  return FALSE;
}

typedef struct
{
  gpointer data;
  gsize size;
} Mapping;

static void
unmap (gpointer user_data)
{
  g_autofree Mapping *self = user_data;

  memfd_unmap (self->data, self->size);
}

/* Constant memory of a callee. The descriptor may be of anything. */
static GBytes *
take_constant (const FrameLoan *loan, int fd)
{
  gboolean is_constant = FALSE;
  const gsize size = memfd_check (fd, &is_constant);
  Mapping *mapping;
  GBytes *whole, *bytes;
  gpointer data;

  if (!is_constant || loan->offset > size || loan->size > size - loan->offset || loan->size == 0)
    return NULL;
  data = memfd_map_to_read (fd, 0, size, TRUE);
  if (data == NULL)
    return NULL;
  mapping = g_new (Mapping, 1);
  *mapping = (Mapping){ data, size };
  whole = g_bytes_new_with_free_func (data, size, unmap, mapping);
  bytes = g_bytes_new_from_bytes (whole, loan->offset, loan->size);
  g_bytes_unref (whole);
  return bytes;
}

/* The descriptors of a frame, which are closed unless somebody takes them. */
typedef struct
{
  int *fds; /* (nullable) (owned) */
  int n;
  int next;
} Arrived;

static void
arrived_clear (Arrived *self)
{
  for (int i = 0; i < self->n; i++)
    close (self->fds[i]);
  g_free (self->fds);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arrived, arrived_clear)

/* -1: there is none left. */
static int
arrived_next (Arrived *self)
{
  return self->next < self->n ? self->fds[self->next++] : -1;
}

/* (nullable): NULL with @error set, or not. */
static GBytes *
take (Loans *self, const FrameLoan *loan, Arrived *arrived, GError **error)
{
  int fd = -1;

  if (loan->kind == LOAN_BACK)
    return !self->trusts && self->lender != NULL ? lender_take_back (self->lender, loan) : NULL;
  if (loan->kind != LOAN_MAPPED && loan->kind != LOAN_PLACED && (fd = arrived_next (arrived)) < 0)
    return NULL;
  if (is_placed (loan))
    return !self->trusts && loan->offset == 0
               ? arena_in_peek (self->placed, loan->region, fd, loan->size, error)
               : NULL;
  if (loan->kind == LOAN_CONSTANT)
    return !self->trusts ? take_constant (loan, fd) : NULL;
  return self->trusts && self->borrower != NULL && loan->kind <= LOAN_REGION
             ? borrower_take (self->borrower, loan, fd, error)
             : NULL;
}

static gboolean
take_all (Loans *self, const FrameLoan *loans, guint n, Arrived *arrived, GArray *parts,
          GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      Part part = { .depth = loans[i].depth, .is_changeable = is_placed (&loans[i]) };

      if (part.depth > PARTS_MAX_DEPTH)
        return fail (error);
      memcpy (part.indices, loans[i].indices, sizeof part.indices);
      part.bytes = take (self, &loans[i], arrived, error);
      if (part.bytes == NULL && error != NULL && *error == NULL)
        g_set_error_literal (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL,
                             _ ("the other side sent memory that cannot be shared"));
      if (part.bytes == NULL)
        return FALSE;
      g_array_append_val (parts, part);
    }
  return TRUE;
}

/* The table is the first descriptor. */
static gboolean
take_table (Loans *self, const FrameLent *lent, Arrived *arrived)
{
  if (!lent->has_table)
    return TRUE;
  if (!self->trusts)
    return FALSE;
  if (self->borrower == NULL)
    g_atomic_pointer_set (&self->borrower, borrower_new ());
  return borrower_set_table (self->borrower, arrived_next (arrived));
}

/* Looks at the beginning of the payload. FALSE: it is none. */
static gboolean
read_head (const Frame *frame, FrameLent *lent, const FrameLoan **loans, gsize *head_size,
           guint64 *size)
{
  gsize all;
  const guint8 *data = g_bytes_get_data (frame->payload, &all);

  memcpy (lent, data, sizeof *lent);
  if (lent->n_loans == 0 || lent->n_loans > (all - sizeof *lent) / sizeof (FrameLoan))
    return FALSE;
  *head_size = sizeof *lent + lent->n_loans * sizeof (FrameLoan);
  *loans = (const FrameLoan *)(gconstpointer)(data + sizeof *lent);
  *size = all - *head_size;
  if (lent->header.size != *size)
    return FALSE;
  for (guint i = 0; i < lent->n_loans; i++)
    if (!g_uint64_checked_add (size, *size, (*loans)[i].size))
      return FALSE;
  return TRUE;
}

gboolean
loans_read (Loans *self, Frame *frame, LoansCheck check, gpointer user_data, GError **error)
{
  g_autoptr (GArray) parts = parts_new ();
  g_auto (Arrived) arrived = { 0 };
  const FrameLoan *loans;
  FrameHeader header;
  FrameLent lent;
  gsize head_size;
  GBytes *payload;
  guint64 size;

  if (frame->fds != NULL)
    arrived.fds = g_unix_fd_list_steal_fds (frame->fds, &arrived.n);
  g_clear_object (&frame->fds);
  if (!self->is_open || !read_head (frame, &lent, &loans, &head_size, &size)
      || lent.n_fds + lent.header.n_fds != arrived.n)
    return fail (error);
  header = lent.header;
  header.size = size;
  if (!check (&header, user_data, error))
    return FALSE;
  if (!take_table (self, &lent, &arrived)
      || !take_all (self, loans, lent.n_loans, &arrived, parts, error))
    return (error == NULL || *error != NULL) ? FALSE : fail (error);
  if (arrived.next != lent.n_fds)
    return fail (error);
  if (lent.header.n_fds > 0)
    {
      frame->fds = g_unix_fd_list_new_from_array (arrived.fds + arrived.next, lent.header.n_fds);
      arrived.n = arrived.next;
    }
  payload = g_bytes_new_from_bytes (frame->payload, head_size, lent.header.size);
  g_bytes_unref (frame->payload);
  frame->payload = payload;
  frame->type = lent.header.type;
  frame->call_id = lent.header.call_id;
  frame->parts = g_steal_pointer (&parts);
  return TRUE;
}
