/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Memory that is lent with a frame, by friends and by those who mean no good. */

#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/values/bytes.h"
#include "procfun/wire/arena.h"
#include "procfun/wire/channel.h"
#include "procfun/wire/loan.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#define LIMIT ((gsize)16 * 1024 * 1024)
#define SIZE ((gsize)100000)
#define LARGE ((gsize)2 * 1024 * 1024)

/* A caller, who lends and trusts nobody, and a callee. */
typedef struct
{
  Channel *caller;
  Channel *callee;
} Pair;

static Pair
pair_open (void)
{
  Pair self;
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  self.caller = channel_new (fds[0], LIMIT);
  self.callee = channel_new (fds[1], LIMIT);
  channel_share (self.caller, SHARE_NOTHING, FALSE);
  channel_share (self.callee, SHARE_NOTHING, TRUE);
  return self;
}

static void
pair_close (Pair *self)
{
  channel_free (self->caller);
  channel_free (self->callee);
}

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

static void
carry (Channel *from, Channel *to, FrameType type, GBytes *bytes, Frame *frame)
{
  g_autoptr (GBytes) rest = g_bytes_new_static ("rest", 4);
  g_autoptr (GArray) parts = make_parts (bytes);
  g_autoptr (GError) error = NULL;
  ChannelStatus status = CHANNEL_AGAIN;

  g_assert_true (channel_send_lent (from, type, 7, "12345678", 8, rest, NULL, parts));
  while (status == CHANNEL_AGAIN)
    {
      channel_out_flush (&from->out);
      status = channel_receive (to, frame, &error);
    }
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, CHANNEL_FRAME);
  g_assert_cmpint (frame->type, ==, type);
  g_assert_cmpuint (frame->call_id, ==, 7);
  g_assert_cmpmem (g_bytes_get_data (frame->payload, NULL), g_bytes_get_size (frame->payload),
                   "12345678rest", 12);
  g_assert_cmpuint (frame->parts->len, ==, 1);
}

static GBytes *
get_part (const Frame *frame)
{
  return g_array_index (frame->parts, Part, 0).bytes;
}

static void
test_again (void)
{
  Pair pair = pair_open ();
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  gconstpointer place = NULL;

  for (guint i = 0; i < 5; i++)
    {
      g_auto (Frame) frame = { 0 };

      carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frame);
      g_assert_true (g_bytes_equal (get_part (&frame), bytes));
      g_assert_true (place == NULL || g_bytes_get_data (get_part (&frame), NULL) == place);
      place = g_bytes_get_data (get_part (&frame), NULL);
      g_assert_true (place != g_bytes_get_data (bytes, NULL));
    }
  pair_close (&pair);
}

/* Bytes are there as long as the borrower has them, and no longer. */
static void
test_release (void)
{
  Pair pair = pair_open ();
  GBytes *bytes = make_bytes (LARGE);
  BytesPlace place;
  Frame frame = { 0 };

  g_assert_true (bytes_find (g_bytes_get_data (bytes, NULL), LARGE, &place));
  carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frame);
  g_bytes_unref (bytes);
  channel_sweep (pair.caller);
  g_assert_true (bytes_has_area (place.area));
  frame_clear (&frame);
  channel_sweep (pair.caller);
  g_assert_false (bytes_has_area (place.area));
  pair_close (&pair);
}

static void
test_back (void)
{
  Pair pair = pair_open ();
  g_autoptr (GBytes) bytes = make_bytes (LARGE);
  g_auto (Frame) there = { 0 };
  g_auto (Frame) back = { 0 };
  g_autoptr (GBytes) part = NULL;

  carry (pair.caller, pair.callee, FRAME_CALL, bytes, &there);
  part = g_bytes_new_from_bytes (get_part (&there), 100, 200);
  carry (pair.callee, pair.caller, FRAME_RESULT, part, &back);
  g_assert_true (g_bytes_get_data (get_part (&back), NULL)
                 == (const guint8 *)g_bytes_get_data (bytes, NULL) + 100);
  g_assert_cmpuint (g_bytes_get_size (get_part (&back)), ==, 200);
  pair_close (&pair);
}

/* Where another part cannot go along, nothing is sent, and nothing is counted. */
static void
test_not_back (void)
{
  Pair pair = pair_open ();
  GBytes *bytes = make_bytes (LARGE);
  g_autoptr (GBytes) other = g_bytes_new_take (g_malloc0 (SIZE), SIZE);
  g_autoptr (GBytes) rest = g_bytes_new_static ("rest", 4);
  g_autoptr (GArray) parts = NULL;
  Part second = { .bytes = g_bytes_ref (other), .depth = 1, .indices = { 1 } };
  struct rlimit before, none;
  const LoanTable *table;
  BytesPlace place;
  Frame frame = { 0 };

  g_assert_true (bytes_find (g_bytes_get_data (bytes, NULL), LARGE, &place));
  carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frame);
  g_bytes_unref (bytes);
  parts = make_parts (get_part (&frame));
  g_array_append_val (parts, second);
  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  none = before;
  none.rlim_cur = 3;
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &none));
  g_assert_false (channel_send_lent (pair.callee, FRAME_RESULT, 7, NULL, 0, rest, NULL, parts));
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
  table = channel_get_loan_table (pair.caller);
  g_assert_cmpuint (table->slots[0], ==, 1);
  frame_clear (&frame);
  g_clear_pointer (&parts, g_array_unref);
  channel_sweep (pair.caller);
  g_assert_false (bytes_has_area (place.area));
  pair_close (&pair);
}

/* Memory of bytes that are gone makes room for others. */
static void
test_many_areas (void)
{
  Pair pair = pair_open ();

  for (guint i = 0; i < 2 * LOAN_REGIONS; i++)
    {
      g_autoptr (GBytes) bytes = make_bytes (LARGE);
      g_auto (Frame) frame = { 0 };

      carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frame);
      g_assert_true (g_bytes_equal (get_part (&frame), bytes));
    }
  pair_close (&pair);
}

/* More than there are slots: those beyond are not lent. */
static void
test_slots (void)
{
  Pair pair = pair_open ();
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  g_autoptr (GBytes) rest = g_bytes_new_static ("rest", 4);
  g_autoptr (GArray) parts = make_parts (bytes);
  g_autofree Frame *frames = g_new0 (Frame, LOAN_SLOTS);

  for (guint i = 0; i < LOAN_SLOTS; i++)
    carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frames[i]);
  g_assert_false (channel_send_lent (pair.caller, FRAME_CALL, 0, NULL, 0, rest, NULL, parts));
  frame_clear (&frames[17]);
  carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frames[17]);
  for (guint i = 0; i < LOAN_SLOTS; i++)
    frame_clear (&frames[i]);
  pair_close (&pair);
}

static void
test_no_descriptors (void)
{
  Pair pair = pair_open ();
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  g_autoptr (GBytes) rest = g_bytes_new_static ("rest", 4);
  g_autoptr (GArray) parts = make_parts (bytes);
  g_auto (Frame) frame = { 0 };
  struct rlimit before, none;

  g_assert_no_errno (getrlimit (RLIMIT_NOFILE, &before));
  none = before;
  none.rlim_cur = 3;
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &none));
  g_assert_false (channel_send_lent (pair.caller, FRAME_CALL, 0, NULL, 0, rest, NULL, parts));
  g_assert_no_errno (setrlimit (RLIMIT_NOFILE, &before));
  carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frame);
  g_assert_true (g_bytes_equal (get_part (&frame), bytes));
  pair_close (&pair);
}

/* Hostile senders */

#define FIXED (F_SEAL_SHRINK | F_SEAL_GROW)
#define CONSTANT (FIXED | F_SEAL_WRITE)
#define PIPE (-1)
#define PLACE_SIZE (ARENA_DATA + SIZE)

typedef struct
{
  const char *name;
  gboolean is_to_callee;
  FrameLoan loan;
  int seals;         /* of the memory, or PIPE */
  gsize memory_size; /* 0: there is none */
  int table_seals;
  gsize table_size; /* 0: there is none */
  int n_fds;        /* that are announced, less than what comes */
  guint n_own_fds;  /* that are announced for the frame itself */
  guint n_extra;    /* that come, and that no loan takes */
  FrameType type;   /* of the frame; 0: a call or a result */
  guint32 n_loans;  /* that are announced; 0: one */
  ProcfunError code;
} Attack;

#define TABLE .table_seals = FIXED, .table_size = sizeof (LoanTable)
#define LOAN(...) .loan = { .size = SIZE, .depth = 1, __VA_ARGS__ }
#define MEMORY(the_seals, the_size) .seals = the_seals, .memory_size = the_size

static const Attack attacks[] = {
  { "no-table", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE) },
  { "table-of-a-pipe", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), .table_seals = PIPE,
    .table_size = 1 },
  { "unsealed-table", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), .table_seals = 0,
    .table_size = sizeof (LoanTable) },
  { "truncated-table", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), .table_seals = FIXED,
    .table_size = sizeof (LoanTable) - 1 },
  { "unsealed-region", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (0, SIZE), TABLE },
  { "growing-region", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (F_SEAL_GROW, SIZE), TABLE },
  { "truncated-region", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE - 1), TABLE },
  { "region-of-a-pipe", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (PIPE, 1), TABLE },
  { "offset-beyond", TRUE, LOAN (.kind = LOAN_REGION, .offset = 1), MEMORY (FIXED, SIZE), TABLE },
  { "offset-that-wraps", TRUE, LOAN (.kind = LOAN_REGION, .offset = G_MAXUINT64 - SIZE + 1),
    MEMORY (FIXED, 2 * SIZE), TABLE },
  { "region-that-never-came", TRUE, LOAN (.kind = LOAN_MAPPED), TABLE },
  { "region-out-of-range", TRUE, LOAN (.kind = LOAN_REGION, .region = LOAN_REGIONS),
    MEMORY (FIXED, SIZE), TABLE },
  { "slot-out-of-range", TRUE, LOAN (.kind = LOAN_REGION, .slot = LOAN_SLOTS), MEMORY (FIXED, SIZE),
    TABLE },
  { "memory-that-never-came", TRUE, LOAN (.kind = LOAN_REGION), TABLE },
  { "back-to-a-callee", TRUE, LOAN (.kind = LOAN_BACK), TABLE },
  { "constant-to-a-callee", TRUE, LOAN (.kind = LOAN_CONSTANT), MEMORY (CONSTANT, SIZE), TABLE },
  { "unknown-kind", TRUE, LOAN (.kind = 17), MEMORY (FIXED, SIZE), TABLE },
  { "too-deep", TRUE, .loan = { .kind = LOAN_REGION, .size = SIZE, .depth = PARTS_MAX_DEPTH + 1 },
    MEMORY (FIXED, SIZE), TABLE },
  { "too-many-descriptors", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), TABLE,
    .n_fds = -1 },
  { "more-loans-than-come", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), TABLE,
    .n_loans = G_MAXUINT32 },
  { "descriptors-of-the-frame-that-never-came", TRUE, LOAN (.kind = LOAN_REGION),
    MEMORY (FIXED, SIZE), TABLE, .n_own_fds = 1 },
  { "descriptors-that-nothing-takes", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), TABLE,
    .n_extra = 1 },
  { "word-in-disguise", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), TABLE,
    .type = FRAME_WAKE },
  { "lent-in-lent", TRUE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE), TABLE,
    .type = FRAME_LENT },
  { "over-the-limit", TRUE, .loan = { .kind = LOAN_REGION, .size = LIMIT + 1, .depth = 1 },
    MEMORY (FIXED, 2 * LIMIT), TABLE, .code = PROCFUN_ERROR_LIMIT },
  { "size-beyond-all", TRUE, .loan = { .kind = LOAN_REGION, .size = G_MAXUINT64, .depth = 1 },
    MEMORY (FIXED, SIZE), TABLE, .code = PROCFUN_ERROR_LIMIT },
  { "region-to-a-caller", FALSE, LOAN (.kind = LOAN_REGION), MEMORY (FIXED, SIZE) },
  { "table-to-a-caller", FALSE, LOAN (.kind = LOAN_CONSTANT), MEMORY (CONSTANT, SIZE), TABLE },
  { "back-what-was-not-lent", FALSE, LOAN (.kind = LOAN_BACK) },
  { "changeable", FALSE, LOAN (.kind = LOAN_CONSTANT), MEMORY (FIXED, SIZE) },
  { "changeable-by-a-mapping", FALSE, LOAN (.kind = LOAN_CONSTANT),
    MEMORY (FIXED | F_SEAL_FUTURE_WRITE, SIZE) },
  { "constant-and-truncated", FALSE, LOAN (.kind = LOAN_CONSTANT), MEMORY (CONSTANT, SIZE - 1) },
  { "constant-and-empty", FALSE, .loan = { .kind = LOAN_CONSTANT, .depth = 1 },
    MEMORY (CONSTANT, SIZE) },
  { "constant-with-an-offset-beyond", FALSE, LOAN (.kind = LOAN_CONSTANT, .offset = SIZE + 1),
    MEMORY (CONSTANT, SIZE) },
  { "constant-pipe", FALSE, LOAN (.kind = LOAN_CONSTANT), MEMORY (PIPE, 1) },
  { "place-to-a-callee", TRUE, LOAN (.kind = LOAN_PLACE), MEMORY (FIXED, PLACE_SIZE), TABLE },
  { "placed-that-never-came", FALSE, LOAN (.kind = LOAN_PLACED) },
  { "place-that-never-came", FALSE, LOAN (.kind = LOAN_PLACE) },
  { "place-out-of-range", FALSE, LOAN (.kind = LOAN_PLACE, .region = ARENA_REGIONS),
    MEMORY (FIXED, PLACE_SIZE) },
  { "place-with-an-offset", FALSE, LOAN (.kind = LOAN_PLACE, .offset = 1),
    MEMORY (FIXED, PLACE_SIZE + 1) },
  { "unsealed-place", FALSE, LOAN (.kind = LOAN_PLACE), MEMORY (0, PLACE_SIZE) },
  { "constant-place", FALSE, LOAN (.kind = LOAN_PLACE), MEMORY (CONSTANT, PLACE_SIZE) },
  { "truncated-place", FALSE, LOAN (.kind = LOAN_PLACE), MEMORY (FIXED, PLACE_SIZE - 1) },
  { "place-of-a-pipe", FALSE, LOAN (.kind = LOAN_PLACE), MEMORY (PIPE, 1) },
  { "constant-that-never-came", FALSE, LOAN (.kind = LOAN_CONSTANT) },
};

static void
append_memory (GUnixFDList *fds, int seals, gsize size)
{
  int ends[2] = { -1, -1 };

  if (seals == PIPE)
    g_assert_true (fds_open_pipe (ends, NULL));
  else
    {
      ends[0] = memfd_create ("attack", MFD_CLOEXEC | MFD_ALLOW_SEALING);
      g_assert_cmpint (ends[0], >=, 0);
      g_assert_no_errno (ftruncate (ends[0], (off_t)size));
      g_assert_no_errno (fcntl (ends[0], F_ADD_SEALS, seals));
    }
  g_assert_cmpint (g_unix_fd_list_append (fds, ends[0], NULL), >=, 0);
  fd_clear (&ends[0]);
  fd_clear (&ends[1]);
}

static void
test_attack (gconstpointer data)
{
  const Attack *attack = data;
  Pair pair = pair_open ();
  Channel *from = attack->is_to_callee ? pair.caller : pair.callee;
  Channel *to = attack->is_to_callee ? pair.callee : pair.caller;
  g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
  g_autoptr (GBytes) loan = g_bytes_new (&attack->loan, sizeof attack->loan);
  g_autoptr (GError) error = NULL;
  g_auto (Frame) frame = { 0 };
  FrameLent lent = { .n_loans = attack->n_loans > 0 ? attack->n_loans : 1,
                     .has_table = attack->table_size > 0 };
  FrameType type = attack->is_to_callee ? FRAME_CALL : FRAME_RESULT;
  const gint expected = attack->code != 0 ? (gint)attack->code : PROCFUN_ERROR_PROTOCOL;

  if (attack->table_size > 0)
    append_memory (fds, attack->table_seals, attack->table_size);
  if (attack->memory_size > 0)
    append_memory (fds, attack->seals, attack->memory_size);
  for (guint i = 0; i < attack->n_extra; i++)
    append_memory (fds, FIXED, SIZE);
  lent.n_fds = (guint16)(g_unix_fd_list_get_length (fds) + attack->n_fds);
  frame_header_init (&lent.header, attack->type != FRAME_NONE ? attack->type : type, 0,
                     attack->n_own_fds, 0);
  channel_send (from, FRAME_LENT, 0, &lent, sizeof lent, loan, fds);
  channel_out_flush (&from->out);
  g_assert_cmpint (channel_receive (to, &frame, &error), ==, CHANNEL_FAILED);
  g_assert_error (error, PROCFUN_ERROR, expected);
  pair_close (&pair);
}

/* A number of loans that is not that of those that come, in a frame that is right in all else; it
 * is in shared memory, of which the rest of the page is 0. */
static void
test_number_of_loans (void)
{
  static const guint32 numbers[][2] = { { 0, 0 }, { 2, 1 }, { 1000000, 1 } }; /* said, and come */

  for (guint i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      const gsize said = numbers[i][0] * sizeof (FrameLoan);
      const gsize come = numbers[i][1] * sizeof (FrameLoan);
      Pair pair = pair_open ();
      g_autofree guint8 *loans = g_malloc0 (come + 3);
      g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
      FrameLent lent = { .n_loans = numbers[i][0] };
      const struct iovec parts[] = { { &lent, sizeof lent }, { loans, come + 3 } };
      FrameShared shared = { .index = ARENA_SEALED, .has_memory = TRUE };
      g_autoptr (GError) error = NULL;
      g_auto (Frame) frame = { 0 };
      auto_fd int fd = -1;

      frame_header_init (&lent.header, FRAME_CALL, 0, 0, come + 3 - said);
      fd = memfd_new_sealed ("test", parts, G_N_ELEMENTS (parts));
      g_assert_cmpint (g_unix_fd_list_append (fds, fd, NULL), ==, 0);
      frame_header_init (&shared.header, FRAME_LENT, 0, 0, sizeof lent + come + 3);
      channel_send (pair.caller, FRAME_SHARED, 0, &shared, sizeof shared, NULL, fds);
      channel_out_flush (&pair.caller->out);
      g_assert_cmpint (channel_receive (pair.callee, &frame, &error), ==, CHANNEL_FAILED);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
      pair_close (&pair);
    }
}

/* The caller keeps its bytes as long as it needs them, with any value in the table. */
static void
test_scribbled_table (void)
{
  for (guint value = 0; value < 3; value++)
    {
      Pair pair = pair_open ();
      g_autoptr (GBytes) bytes = make_bytes (LARGE);
      g_autoptr (GBytes) rest = g_bytes_new_static ("rest", 4);
      g_autoptr (GArray) parts = make_parts (bytes);
      g_auto (Frame) frame = { 0 };
      LoanTable *table;

      carry (pair.caller, pair.callee, FRAME_CALL, bytes, &frame);
      table = channel_get_loan_table (pair.caller);
      memset (table, (int)(value * 0x7f), sizeof *table);
      channel_sweep (pair.caller);
      for (guint i = 0; i < 3; i++)
        channel_send_lent (pair.caller, FRAME_CALL, 0, NULL, 0, rest, NULL, parts);
      channel_sweep (pair.caller);
      g_assert_true (bytes_find (g_bytes_get_data (bytes, NULL), LARGE, &(BytesPlace){ 0 }));
      g_assert_cmpuint (((const guint8 *)g_bytes_get_data (get_part (&frame), NULL))[LARGE - 1], ==,
                        5);
      frame_clear (&frame);
      pair_close (&pair);
    }
}

/* Values */

static gboolean
want_all (gconstpointer data, gsize size, gpointer user_data)
{
  return TRUE;
}

static void
test_misplaced (void)
{
  g_autoptr (GBytes) bytes = make_bytes (SIZE);
  g_autoptr (GVariant) leaf
      = g_variant_ref_sink (g_variant_new_from_bytes (G_VARIANT_TYPE_BYTESTRING, bytes, TRUE));
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new ("(i@ayv)", 5, leaf, leaf));
  g_autoptr (GArray) parts = parts_new ();
  g_autoptr (GVariant) rest = parts_take_out (value, 1, 10, want_all, NULL, parts);
  g_autoptr (GVariant) back = parts_put_back (rest, parts);
  Part *part = &g_array_index (parts, Part, 0);

  g_assert_cmpuint (parts->len, ==, 2);
  g_assert_cmpuint (g_variant_get_size (rest), <, 100);
  g_assert_true (g_variant_equal (back, value));
  g_assert_null (parts_put_back (value, parts)); /* they are there */
  part->indices[0] = 0;                          /* a number */
  g_assert_null (parts_put_back (rest, parts));
  part->indices[0] = 3; /* there is none */
  g_assert_null (parts_put_back (rest, parts));
  part->indices[0] = 2; /* not in order */
  g_assert_null (parts_put_back (rest, parts));
  part->indices[0] = 1;
  part->depth = 2; /* within bytes */
  g_assert_null (parts_put_back (rest, parts));
  part->depth = 0; /* no bytes */
  g_assert_null (parts_put_back (rest, parts));
}

/* A value without a child, too, has all that belongs to it when there are no parts. */
static void
test_no_parts (void)
{
  static const char *const values[] = { "@mi nothing", "@ai []", "()", "{1, 'one'}" };
  g_autoptr (GArray) parts = parts_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
    {
      g_autoptr (GVariant) rest = g_variant_ref_sink (g_variant_new_parsed (values[i]));
      g_autoptr (GVariant) whole = parts_put_back (rest, parts);

      g_assert_true (whole == rest);
    }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/loans/memory-is-mapped-once", test_again);
  fixture_add_func ("/loans/bytes-are-there-as-long-as-they-are-used", test_release);
  fixture_add_func ("/loans/a-part-comes-back", test_back);
  fixture_add_func ("/loans/a-part-that-cannot-come-back-is-not-counted", test_not_back);
  fixture_add_func ("/loans/memory-that-is-gone-makes-room", test_many_areas);
  fixture_add_func ("/loans/there-are-only-so-many", test_slots);
  fixture_add_func ("/loans/without-descriptors-nothing-is-lent", test_no_descriptors);
  fixture_add_func ("/loans/as-many-come-as-are-announced", test_number_of_loans);
  fixture_add_func ("/loans/a-scribbled-table-harms-nobody", test_scribbled_table);
  fixture_add_func ("/loans/parts-without-a-place-are-refused", test_misplaced);
  fixture_add_func ("/loans/a-value-without-parts-is-whole", test_no_parts);
  for (gsize i = 0; i < G_N_ELEMENTS (attacks); i++)
    {
      g_autofree char *path = g_strdup_printf ("/loans/attack/%s", attacks[i].name);

      fixture_add_data_func (path, &attacks[i], test_attack);
    }
  return fixture_run ();
}
