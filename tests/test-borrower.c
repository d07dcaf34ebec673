/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The two sides of a loan, each alone and with one that means no good: what a channel would refuse
 * for another reason is tried here. */

#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/values/bytes.h"
#include "procfun/wire/borrower.h"
#include "procfun/wire/lender.h"
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE ((gsize)100000)
#define LARGE ((gsize)2 * 1024 * 1024)

static GArray *
make_parts (GBytes *bytes)
{
  GArray *parts = parts_new ();
  Part part = { .bytes = g_bytes_ref (bytes), .depth = 1 };

  g_array_append_val (parts, part);
  return parts;
}

static GBytes *
make_bytes (gsize size)
{
  gpointer data;
  GBytes *bytes = procfun_bytes_new (size, &data);

  memset (data, 5, size);
  return bytes;
}

static int
make_memory (gsize size)
{
  int fd = memfd_new ("test", size, NULL);

  g_assert_cmpint (fd, >=, 0);
  return fd;
}

static Borrower *
make_borrower (void)
{
  auto_fd int fd = make_memory (sizeof (LoanTable));
  Borrower *borrower = borrower_new ();

  g_assert_true (borrower_set_table (borrower, fd));
  return borrower;
}

static void
assert_not_taken (Borrower *borrower, const FrameLoan *loan, int fd)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (borrower_take (borrower, loan, fd, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
}

static void
test_bounds (void)
{
  Borrower *borrower = make_borrower ();
  auto_fd int fd = make_memory (SIZE);
  static const FrameLoan bad[] = {
    { .size = 1, .region = LOAN_REGIONS }, { .size = 1, .slot = LOAN_SLOTS },
    { .size = 1, .offset = SIZE },         { .size = 1, .offset = SIZE + 1 },
    { .size = 0, .offset = SIZE + 1 },     { .size = SIZE + 1 },
    { .size = SIZE, .offset = 1 },
  };
  FrameLoan whole = { .size = SIZE, .region = LOAN_REGIONS - 1, .slot = LOAN_SLOTS - 1 };
  FrameLoan back;
  const guint8 *data;
  GBytes *bytes;

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_not_taken (borrower, &bad[i], bad[i].region < LOAN_REGIONS ? fd : -1);
  bytes = borrower_take (borrower, &whole, fd, NULL);
  g_assert_nonnull (bytes);
  data = g_bytes_get_data (bytes, NULL);
  g_assert_true (borrower_has (borrower, data, SIZE));
  g_assert_true (borrower_has (borrower, data + SIZE - 1, 1));
  g_assert_false (borrower_has (borrower, data, SIZE + 1));
  g_assert_false (borrower_has (borrower, data + SIZE - 1, 2));
  g_assert_true (borrower_return (borrower, data + 10, SIZE - 10, &back));
  g_assert_cmpint (back.kind, ==, LOAN_BACK);
  g_assert_cmpuint (back.slot, ==, whole.slot);
  g_assert_cmpuint (back.offset, ==, 10);
  g_assert_false (borrower_return (borrower, data + 10, SIZE - 9, &back));
  g_bytes_unref (bytes);
  borrower_free (borrower);
}

static LoanTable *
map_table (int fd)
{
  LoanTable *table = memfd_map_to_write (fd, sizeof *table);

  g_assert_nonnull (table);
  return table;
}

/* The first table is the one. Without any, nothing can be taken. */
static void
test_table (void)
{
  auto_fd int fd = make_memory (SIZE);
  auto_fd int table_fd = make_memory (sizeof (LoanTable));
  auto_fd int other_fd = make_memory (sizeof (LoanTable));
  LoanTable *table = map_table (table_fd);
  const FrameLoan loan = { .size = SIZE, .region = 3, .slot = 4 };
  Borrower *borrower = borrower_new ();
  GBytes *bytes;

  assert_not_taken (borrower, &loan, fd);
  g_assert_true (borrower_set_table (borrower, table_fd));
  g_assert_true (borrower_set_table (borrower, other_fd));
  table->regions[3] = table->slots[4] = 9;
  bytes = borrower_take (borrower, &loan, fd, NULL);
  g_assert_nonnull (bytes);
  g_bytes_unref (bytes);
  g_assert_cmpuint (table->regions[3], ==, 8);
  g_assert_cmpuint (table->slots[4], ==, 8);
  memfd_unmap (table, sizeof *table);
  borrower_free (borrower);
}

/* A process that the borrower forks says nothing to the lender. */
static void
test_fork (void)
{
  auto_fd int fd = make_memory (SIZE);
  auto_fd int table_fd = make_memory (sizeof (LoanTable));
  LoanTable *table = map_table (table_fd);
  const FrameLoan loan = { .size = SIZE };
  Borrower *borrower = borrower_new ();
  FrameLoan back;
  GBytes *bytes;
  int status;
  pid_t pid;

  g_assert_true (borrower_set_table (borrower, table_fd));
  bytes = borrower_take (borrower, &loan, fd, NULL);
  table->regions[0] = table->slots[0] = 5;
  pid = fork ();
  if (pid == 0)
    {
      gboolean returned = borrower_return (borrower, g_bytes_get_data (bytes, NULL), SIZE, &back);

      g_bytes_unref (bytes);
      _exit (returned);
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (table->regions[0], ==, 5);
  g_assert_cmpuint (table->slots[0], ==, 5);
  g_assert_true (borrower_return (borrower, g_bytes_get_data (bytes, NULL), SIZE, &back));
  g_assert_cmpuint (table->slots[0], ==, 6);
  g_bytes_unref (bytes);
  g_assert_cmpuint (table->slots[0], ==, 5);
  memfd_unmap (table, sizeof *table);
  borrower_free (borrower);
}

/* Lends @bytes and, where it is not NULL, @other. (transfer full) (nullable): the loans */
static GArray *
lend (Lender *lender, GBytes *bytes, GBytes *other, gboolean *has_table)
{
  g_autoptr (GArray) loans = g_array_new (FALSE, FALSE, sizeof (FrameLoan));
  g_autoptr (GArray) parts = make_parts (bytes);
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();

  if (other != NULL)
    {
      Part part = { .bytes = g_bytes_ref (other), .depth = 1 };

      g_array_append_val (parts, part);
    }
  return lender_lend (lender, parts, loans, fds, has_table) ? g_steal_pointer (&loans) : NULL;
}

static FrameLoan
lend_one (Lender *lender, GBytes *bytes)
{
  gboolean has_table;
  g_autoptr (GArray) loans = lend (lender, bytes, NULL, &has_table);

  g_assert_nonnull (loans);
  return g_array_index (loans, FrameLoan, 0);
}

/* As a borrower who has it mapped, and needs it no more. */
static void
give_back (Lender *lender, const FrameLoan *loan)
{
  lender->table->regions[loan->region] = LOAN_REGION_MAPPED;
  lender->table->slots[loan->slot] = 0;
}

/* Each bound of what a borrower says that it gives back. */
static void
test_back_bounds (void)
{
  Lender *lender = lender_new ();
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  const FrameLoan loan = lend_one (lender, bytes);
  const FrameLoan bad[] = {
    { .size = 1, .slot = LOAN_SLOTS },
    { .size = 1, .slot = loan.slot + 1 },
    { .size = 1, .slot = loan.slot, .offset = SIZE },
    { .size = 0, .slot = loan.slot, .offset = SIZE + 1 },
    { .size = SIZE + 1, .slot = loan.slot },
    { .size = 2, .slot = loan.slot, .offset = G_MAXUINT64 },
  };

  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (lender_take_back (lender, &bad[i]));
  lender_free (lender);
}

/* However often it says so, the bytes are freed. */
static void
test_back_too_often (void)
{
  Lender *lender = lender_new ();
  GBytes *bytes = make_bytes (LARGE);
  const FrameLoan loan = lend_one (lender, bytes);
  const FrameLoan back = { .size = 1, .slot = loan.slot };
  BytesPlace place;

  g_assert_true (bytes_find (g_bytes_get_data (bytes, NULL), LARGE, &place));
  for (guint i = 0; i < 3; i++)
    g_bytes_unref (lender_take_back (lender, &back));
  g_bytes_unref (bytes);
  lender_sweep (lender);
  g_assert_false (bytes_has_area (place.area));
  lender_free (lender);
}

/* A loan that could not be made whole is as if it had not been tried. */
static void
test_undone (void)
{
  g_autoptr (GBytes) not_shared = g_bytes_new_static ("abc", 3);
  g_autoptr (GBytes) third = make_bytes (LARGE);
  Lender *lender = lender_new ();
  GBytes *bytes = make_bytes (LARGE);
  gboolean has_table;
  BytesPlace place;

  g_assert_true (bytes_find (g_bytes_get_data (bytes, NULL), LARGE, &place));
  g_assert_null (lend (lender, bytes, not_shared, &has_table));
  g_assert_null (lender->table); /* nobody has it */
  g_assert_cmpint (lend_one (lender, third).kind, ==, LOAN_REGION);
  g_assert_null (lend (lender, bytes, not_shared, &has_table));
  g_assert_cmpint (lend_one (lender, bytes).kind, ==, LOAN_REGION); /* it is still unknown */
  memset (lender->table->slots, 0, sizeof lender->table->slots);
  g_bytes_unref (bytes);
  lender_sweep (lender);
  g_assert_false (bytes_has_area (place.area));
  lender_free (lender);
}

/* Memory of which there are bytes left keeps its region, which the borrower has mapped. */
static void
test_region_stays (void)
{
  Lender *lender = lender_new ();
  g_autoptr (GBytes) one = make_bytes (LARGE);
  g_autoptr (GBytes) other = make_bytes (LARGE);
  const FrameLoan first = lend_one (lender, one);
  FrameLoan second, again;

  give_back (lender, &first);
  second = lend_one (lender, other);
  g_assert_cmpuint (second.region, !=, first.region);
  again = lend_one (lender, one);
  g_assert_cmpint (again.kind, ==, LOAN_MAPPED);
  g_assert_cmpuint (again.region, ==, first.region);
  lender_free (lender);
}

/* A region stays as long as bytes in it are in use, whatever the lender says. */
static void
test_region_in_use (void)
{
  auto_fd int table_fd = make_memory (sizeof (LoanTable));
  LoanTable *table = map_table (table_fd);
  Borrower *borrower = borrower_new ();
  auto_fd int fd = make_memory (SIZE);
  auto_fd int other = make_memory (2 * SIZE);
  const FrameLoan loan = { .size = SIZE };
  GBytes *bytes;

  g_assert_true (borrower_set_table (borrower, table_fd));
  bytes = borrower_take (borrower, &loan, fd, NULL);
  g_assert_nonnull (bytes);
  assert_not_taken (borrower, &loan, other);
  table->regions[0] = LOAN_REGION_MAPPED; /* “nothing is lent” */
  borrower_give_back (borrower);
  g_assert_cmpuint (((const guint8 *)g_bytes_get_data (bytes, NULL))[SIZE - 1], ==, 0);
  g_bytes_unref (bytes);
  bytes = borrower_take (borrower, &loan, other, NULL);
  g_assert_nonnull (bytes);
  borrower_free (borrower); /* the bytes keep it */
  g_bytes_unref (bytes);
  memfd_unmap (table, sizeof *table);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/borrower/bounds-are-exact", test_bounds);
  fixture_add_func ("/borrower/there-is-one-table", test_table);
  fixture_add_func ("/borrower/a-forked-process-gives-nothing-back", test_fork);
  fixture_add_func ("/borrower/what-comes-back-is-within-what-was-lent", test_back_bounds);
  fixture_add_func ("/borrower/what-comes-back-too-often-is-freed", test_back_too_often);
  fixture_add_func ("/borrower/what-cannot-be-lent-leaves-nothing", test_undone);
  fixture_add_func ("/borrower/a-region-with-bytes-stays", test_region_stays);
  fixture_add_func ("/borrower/a-region-in-use-stays", test_region_in_use);
  return fixture_run ();
}
