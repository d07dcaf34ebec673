/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Messages between a caller and a host: whole, in pieces, beside each other, and from a side that
 * sends what it must not. */

#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/remote/link.h"
#include "procfun/remote/message.h"
#include "procfun/remote/piece.h"
#include "procfun/wire/error-frame.h"
#include <glib-unix.h>
#include <poll.h>
#include <procfun.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HEADER_SIZE 24

/* One end of a link, and what came. */
typedef struct
{
  Link *link;
  GString *log;  /* what came, as words */
  GBytes *last;  /* (nullable): payload of the last message */
  GError *error; /* (nullable): the end */
  gboolean is_over;
} End;

static void
on_message (Link *link, const LinkMessage *message, gpointer user_data)
{
  End *self = user_data;

  g_string_append_printf (self->log, "%s %u %zu %zu;", link_type_get_name (message->type),
                          message->id, g_bytes_get_size (message->head),
                          g_bytes_get_size (message->payload));
  g_clear_pointer (&self->last, g_bytes_unref);
  self->last = g_bytes_ref (message->payload);
}

static void
on_end (Link *link, const GError *error, gpointer user_data)
{
  End *self = user_data;

  g_assert_false (self->is_over);
  self->is_over = TRUE;
  self->error = g_error_copy (error);
}

static void
end_init (End *self, int fd, guint64 max_payload)
{
  *self = (End){ .log = g_string_new (NULL) };
  self->link = link_new (fd, fd, max_payload, NULL, on_message, on_end, self);
}

static void
end_clear (End *self)
{
  g_clear_pointer (&self->link, link_free);
  g_string_free (self->log, TRUE);
  g_clear_pointer (&self->last, g_bytes_unref);
  g_clear_error (&self->error);
}

static void
open_pair (End *one, End *other)
{
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  end_init (one, fds[0], G_MAXINT64);
  end_init (other, fds[1], G_MAXINT64);
}

static void
wait_for (End *self, const char *word)
{
  while (strstr (self->log->str, word) == NULL)
    {
      g_assert_false (self->is_over);
      g_main_context_iteration (NULL, TRUE);
    }
}

static GBytes *
make_bytes (gsize size)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)(i % 251);
  return g_bytes_new_take (data, size);
}

static void
test_sizes (void)
{
  static const gsize sizes[] = { 0, 1, 1000, 65535, 65536, 65537, 1000000, 5000001 };
  End one, other;

  open_pair (&one, &other);
  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (gsize j = 0; j < 3; j++)
      {
        g_autoptr (GBytes) payload = make_bytes (sizes[i]);
        g_autoptr (GBytes) head = make_bytes (j * 70000);
        g_autofree char *expected
            = g_strdup_printf ("call 7 %zu %zu;", g_bytes_get_size (head), sizes[i]);

        link_send (one.link, LINK_CALL, 7, g_bytes_get_data (head, NULL), g_bytes_get_size (head),
                   g_bytes_ref (payload));
        wait_for (&other, ";");
        g_assert_cmpstr (other.log->str, ==, expected);
        g_assert_true (g_bytes_equal (payload, other.last));
        g_string_truncate (other.log, 0);
      }
  end_clear (&one);
  end_clear (&other);
}

static gboolean
count_turn (gpointer n)
{
  ++*(guint *)n;
  return G_SOURCE_CONTINUE;
}

static void
read_all (int fd)
{
  guint8 bytes[4096];

  while (recv (fd, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
    continue;
}

static gboolean
is_readable (int fd)
{
  struct pollfd poll_fd = { .fd = fd, .events = POLLIN };

  return poll (&poll_fd, 1, 0) > 0;
}

/* Messages go together before the main loop sleeps, and not much later where it does not sleep. A
 * large one waits for no other. */
static void
test_turns (void)
{
  guint n_turns = 0;
  const guint busy = g_idle_add_full (G_PRIORITY_DEFAULT, count_turn, &n_turns, NULL);
  int fds[2];
  End end;

  g_assert_true (fds_open_socketpair (fds, NULL));
  end_init (&end, fds[0], G_MAXINT64);
  link_send (end.link, LINK_PING, 0, NULL, 0, NULL);
  g_main_context_iteration (NULL, FALSE);
  g_assert_false (is_readable (fds[1]));
  while (!is_readable (fds[1]))
    g_main_context_iteration (NULL, FALSE);
  g_assert_cmpuint (n_turns, <=, 3); /* fewer if they took long */
  read_all (fds[1]);
  link_send (end.link, LINK_CALL, 1, NULL, 0, make_bytes (100000));
  g_main_context_iteration (NULL, FALSE);
  g_assert_true (is_readable (fds[1]));
  g_source_remove (busy);
  while (link_get_unsent (end.link) > 0)
    {
      read_all (fds[1]);
      g_main_context_iteration (NULL, FALSE);
    }
  read_all (fds[1]);
  link_send (end.link, LINK_PING, 0, NULL, 0, NULL);
  g_main_context_iteration (NULL, FALSE);
  g_assert_true (is_readable (fds[1]));
  close (fds[1]);
  end_clear (&end);
}

/* A small message does not wait for the end of a large one, but comes after one of its own call. */
static void
test_order (void)
{
  End one, other;

  open_pair (&one, &other);
  link_send (one.link, LINK_CALL, 1, NULL, 0, make_bytes (4 * 1024 * 1024));
  link_send (one.link, LINK_CALL, 2, NULL, 0, make_bytes (3 * 1024 * 1024));
  link_send (one.link, LINK_CANCEL, 1, NULL, 0, NULL);
  link_send (one.link, LINK_CALL, 3, NULL, 0, make_bytes (10));
  wait_for (&other, "cancel");
  wait_for (&other, "call 1");
  wait_for (&other, "call 2");
  g_assert_true (g_str_has_prefix (other.log->str, "call 3 0 10;"));
  g_assert_true (strstr (other.log->str, "cancel 1") > strstr (other.log->str, "call 1"));
  g_assert_cmpuint (link_get_unsent (one.link), ==, 0);
  end_clear (&one);
  end_clear (&other);
}

static void
test_both_ways (void)
{
  End one, other;

  open_pair (&one, &other);
  for (guint32 i = 1; i <= 3; i++)
    {
      link_send (one.link, LINK_CALL, i, NULL, 0, make_bytes (8 * 1024 * 1024));
      link_send (other.link, LINK_END, i, NULL, 0, make_bytes (8 * 1024 * 1024));
    }
  for (guint32 i = 1; i <= 3; i++)
    {
      g_autofree char *call = g_strdup_printf ("call %u ", i);
      g_autofree char *end = g_strdup_printf ("end %u ", i);

      wait_for (&other, call);
      wait_for (&one, end);
    }
  end_clear (&one);
  end_clear (&other);
}

static void
test_closed (void)
{
  End one, other;

  open_pair (&one, &other);
  link_send (one.link, LINK_CALL, 1, NULL, 0, make_bytes (4 * 1024 * 1024));
  g_main_context_iteration (NULL, TRUE);
  end_clear (&one);
  while (!other.is_over)
    g_main_context_iteration (NULL, TRUE);
  g_assert_error (other.error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  link_send (other.link, LINK_PING, 0, NULL, 0, make_bytes (1)); /* nobody gets it */
  end_clear (&other);
}

/* Bytes of somebody who knows no messages */

/* Gives @bytes to a link, and nothing after them. */
static void
feed (gconstpointer bytes, gsize size, guint64 max_payload, End *end)
{
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  end_init (end, fds[1], max_payload);
  g_assert_cmpint (write (fds[0], bytes, size), ==, (gssize)size);
  shutdown (fds[0], SHUT_WR);
  while (!end->is_over)
    g_main_context_iteration (NULL, TRUE);
  close (fds[0]);
}

static const guint8 whole[HEADER_SIZE + 5]
    = { 0xf5, 1, LINK_END, 3, 9, 0, 0, 0, 5, 0,   0,   0,   2,   0,  0,
        0,    5, 0,        0, 0, 0, 0, 0, 0, 'h', 'i', 'a', 'b', 'c' };

static void
test_whole (void)
{
  End end;

  feed (whole, sizeof whole, 100, &end);
  g_assert_cmpstr (end.log->str, ==, "end 9 2 3;");
  g_assert_error (end.error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
  end_clear (&end);
}

static void
test_banner (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  g_autofree char *much = g_strnfill (70000, 'x');
  End end;

  g_byte_array_append (bytes, (const guint8 *)"Grüße\n", 8);
  g_byte_array_append (bytes, whole, sizeof whole);
  feed (bytes->data, bytes->len, 100, &end);
  g_assert_cmpstr (end.log->str, ==, "end 9 2 3;");
  g_assert_cmpstr (link_get_banner (end.link), ==, "Grüße\n");
  end_clear (&end);
  feed (much, 70000, 100, &end);
  g_assert_error (end.error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  end_clear (&end);
}

/* Cut off at each byte, it is no message. */
static void
test_truncated (void)
{
  for (gsize size = 0; size < sizeof whole; size++)
    {
      End end;

      feed (whole, size, 100, &end);
      g_assert_cmpstr (end.log->str, ==, "");
      g_assert_error (end.error, PROCFUN_ERROR, PROCFUN_ERROR_WORKER_LOST);
      end_clear (&end);
    }
}

static void
test_hostile (void)
{
  static const struct
  {
    gsize at;
    guint8 byte;
    gint code;
  } cases[] = {
    { 1, 2, PROCFUN_ERROR_MISMATCH },    { 2, 0, PROCFUN_ERROR_PROTOCOL },
    { 2, 200, PROCFUN_ERROR_PROTOCOL },  { 3, 2, PROCFUN_ERROR_PROTOCOL },
    { 3, 1, PROCFUN_ERROR_PROTOCOL },    { 3, 7, PROCFUN_ERROR_PROTOCOL },
    { 8, 6, PROCFUN_ERROR_PROTOCOL },    { 8, 4, PROCFUN_ERROR_PROTOCOL },
    { 10, 255, PROCFUN_ERROR_PROTOCOL }, { 12, 6, PROCFUN_ERROR_PROTOCOL },
    { 15, 255, PROCFUN_ERROR_PROTOCOL }, { 16, 255, PROCFUN_ERROR_LIMIT },
    { 20, 255, PROCFUN_ERROR_LIMIT },    { 23, 255, PROCFUN_ERROR_LIMIT },
    { 16, 1, PROCFUN_ERROR_PROTOCOL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 bytes[sizeof whole];
      End end;

      memcpy (bytes, whole, sizeof whole);
      bytes[cases[i].at] = cases[i].byte;
      feed (bytes, sizeof bytes, 100, &end);
      g_assert_cmpstr (end.log->str, ==, "");
      g_assert_error (end.error, PROCFUN_ERROR, cases[i].code);
      end_clear (&end);
    }
}

/* Random bytes end the link, and nothing is read that was not sent. */
static void
test_random (void)
{
  for (guint i = 0; i < 2000; i++)
    {
      guint8 bytes[3 * sizeof whole];
      End end;

      for (gsize j = 0; j < 3; j++)
        memcpy (bytes + j * sizeof whole, whole, sizeof whole);
      for (gint j = g_test_rand_int_range (1, 6); j > 0; j--)
        bytes[g_test_rand_int_range (0, sizeof bytes)]
            = (guint8)g_test_rand_int_range (0, g_test_rand_bit () ? 8 : 256);
      feed (bytes, sizeof bytes, 100, &end);
      g_assert_true (end.is_over);
      end_clear (&end);
    }
}

/* Credit for more than was sent. */
static void
test_false_credit (void)
{
  guint8 bytes[HEADER_SIZE + 8]
      = { 0xf5, 1, LINK_CREDIT, 3, 0, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 1 };
  End end;

  feed (bytes, sizeof bytes, 100, &end);
  g_assert_error (end.error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  end_clear (&end);
}

/* Exact bounds: each row has one thing that must not be, and nothing else refuses it. */

typedef struct
{
  guint8 flags;
  guint8 type;
  guint32 id;
  gsize size;
  gsize head_size;
  gsize total;
} Piece;

static void
append_piece (GByteArray *bytes, const Piece *piece)
{
  const PieceHeader header = { .magic = PIECE_MAGIC,
                               .version = LINK_VERSION,
                               .type = piece->type,
                               .flags = piece->flags,
                               .id = GUINT32_TO_LE (piece->id),
                               .size = GUINT32_TO_LE ((guint32)piece->size),
                               .head_size = GUINT32_TO_LE ((guint32)piece->head_size),
                               .total = GUINT64_TO_LE (piece->total) };
  g_autofree char *content = g_strnfill (piece->size, 'x');

  g_byte_array_append (bytes, (const guint8 *)&header, sizeof header);
  g_byte_array_append (bytes, (const guint8 *)content, (guint)piece->size);
}

#define MAX_PAYLOAD ((guint64)100)

static const struct
{
  const char *name;
  Piece pieces[2];
  gint code; /* WORKER_LOST: all are taken, and more is awaited */
} bounds[] = {
  { "largest-payload", { { PIECE_WHOLE, LINK_END, 1, 102, 2, 102 } }, PROCFUN_ERROR_WORKER_LOST },
  { "larger-payload", { { PIECE_WHOLE, LINK_END, 1, 103, 2, 103 } }, PROCFUN_ERROR_LIMIT },
  { "largest-head",
    { { PIECE_FIRST, LINK_END, 1, 1, LINK_HEAD_MAX, LINK_HEAD_MAX } },
    PROCFUN_ERROR_WORKER_LOST },
  { "larger-head",
    { { PIECE_FIRST, LINK_END, 1, 1, LINK_HEAD_MAX + 1, LINK_HEAD_MAX + 1 } },
    PROCFUN_ERROR_PROTOCOL },
  { "largest-piece",
    { { PIECE_FIRST, LINK_END, 1, PIECE_MAX, LINK_HEAD_MAX, LINK_HEAD_MAX } },
    PROCFUN_ERROR_WORKER_LOST },
  { "larger-piece",
    { { PIECE_FIRST, LINK_END, 1, PIECE_MAX + 1, LINK_HEAD_MAX, LINK_HEAD_MAX } },
    PROCFUN_ERROR_PROTOCOL },
  { "same-message-again",
    { { PIECE_FIRST, LINK_END, 1, 1, 0, 9 }, { PIECE_FIRST, LINK_END, 1, 1, 0, 9 } },
    PROCFUN_ERROR_PROTOCOL },
  { "message-that-was-not-begun",
    { { PIECE_FIRST, LINK_END, 1, 1, 0, 9 }, { 0, LINK_END, 2, 1, 0, 0 } },
    PROCFUN_ERROR_PROTOCOL },
  { "other-type",
    { { PIECE_FIRST, LINK_END, 1, 1, 0, 9 }, { 0, LINK_ITEM, 1, 1, 0, 0 } },
    PROCFUN_ERROR_PROTOCOL },
  { "nothing-more",
    { { PIECE_FIRST, LINK_END, 1, 1, 0, 9 }, { 0, LINK_END, 1, 0, 0, 0 } },
    PROCFUN_ERROR_PROTOCOL },
  { "more-than-announced",
    { { PIECE_FIRST, LINK_END, 1, 1, 0, 9 }, { 0, LINK_END, 1, 9, 0, 0 } },
    PROCFUN_ERROR_PROTOCOL },
  { "last-that-is-not-the-last",
    { { PIECE_FIRST, LINK_END, 1, 1, 0, 9 }, { PIECE_LAST, LINK_END, 1, 7, 0, 0 } },
    PROCFUN_ERROR_PROTOCOL },
};

static void
test_bounds (gconstpointer data)
{
  const gsize i = GPOINTER_TO_SIZE (data);
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  End end;

  for (guint j = 0; j < 2 && bounds[i].pieces[j].type != LINK_NONE; j++)
    append_piece (bytes, &bounds[i].pieces[j]);
  feed (bytes->data, bytes->len, MAX_PAYLOAD, &end);
  g_assert_error (end.error, PROCFUN_ERROR, bounds[i].code);
  end_clear (&end);
}

#define PARTS_MAX 4096

static void
test_many_parts (void)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  for (guint32 i = 0; i <= PARTS_MAX; i++)
    append_piece (bytes, &(Piece){ PIECE_FIRST, LINK_END, i + 1, 0, 0, 1 });
  for (guint n = PARTS_MAX; n <= PARTS_MAX + 1; n++)
    {
      const gint expected = n == PARTS_MAX ? PROCFUN_ERROR_WORKER_LOST : PROCFUN_ERROR_PROTOCOL;
      End end;

      feed (bytes->data, n * HEADER_SIZE, MAX_PAYLOAD, &end);
      g_assert_error (end.error, PROCFUN_ERROR, expected);
      end_clear (&end);
    }
}

/* Messages of one call wait for each other, however many. */
static void
test_three_of_one_call (void)
{
  End one, other;

  open_pair (&one, &other);
  link_send (one.link, LINK_CALL, 1, NULL, 0, make_bytes (1024 * 1024));
  link_send (one.link, LINK_STARTED, 1, NULL, 0, NULL);
  link_send (one.link, LINK_CANCEL, 1, NULL, 0, NULL);
  wait_for (&other, "cancel");
  g_assert_cmpstr (other.log->str, ==, "call 1 0 1048576;started 1 0 0;cancel 1 0 0;");
  end_clear (&one);
  end_clear (&other);
}

/* A reader that says nothing gets no more than a window. */
static void
test_window (void)
{
  const gsize size = 8 * 1024 * 1024;
  g_autofree char *buffer = g_malloc (PIECE_MAX);
  gsize n_read = 0;
  End end;
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  end_init (&end, fds[1], MAX_PAYLOAD);
  g_assert_true (g_unix_set_fd_nonblocking (fds[0], TRUE, NULL));
  link_send (end.link, LINK_CALL, 1, NULL, 0, make_bytes (size));
  for (gssize n = 1; n > 0;)
    {
      while (g_main_context_iteration (NULL, FALSE))
        ;
      n = read (fds[0], buffer, PIECE_MAX);
      n_read += (gsize)MAX (n, 0);
    }
  g_assert_cmpuint (n_read, >=, 1024 * 1024);
  g_assert_cmpuint (n_read, <, 1024 * 1024 + 2 * PIECE_MAX);
  g_assert_cmpuint (link_get_unsent (end.link), >, size - 1024 * 1024 - 2 * PIECE_MAX);
  end_clear (&end);
  close (fds[0]);
}

/* Contents of messages */

static void
test_heads (void)
{
  const guint64 number = 5;
  g_autoptr (GBytes) less = g_bytes_new (&number, 7);
  g_autoptr (GBytes) right = g_bytes_new (&number, 8);
  guint8 room[9] = { 0 };
  guint64 seen;

  g_assert_false (remote_head_read (less, &seen, sizeof seen));
  g_assert_true (remote_head_read (right, &seen, sizeof seen));
  g_assert_cmpuint (seen, ==, 5);
  g_assert_false (remote_head_read (right, room, sizeof room));
  g_assert_false (remote_head_read (NULL, &seen, sizeof seen));
  g_assert_true (remote_head_read (NULL, NULL, 0));
}

/* An error whose bytes are another form of it: what is between its parts must be zero. */
static void
test_end_in_another_form (void)
{
  g_autoptr (GString) message = g_string_new ("no");
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) seen = NULL;
  g_autoptr (ProcfunFailure) failure = NULL;
  g_autoptr (GBytes) other = NULL;
  g_autofree guint8 *data = NULL;
  gsize packed_size, size;

  do
    {
      g_clear_error (&error);
      g_clear_pointer (&bytes, g_bytes_unref);
      error = g_error_new_literal (G_FILE_ERROR, 7, g_string_append_c (message, '!')->str);
      bytes = error_to_bytes (error);
      packed_size = g_bytes_get_size (bytes);
    }
  while (packed_size % 8 == 0);
  g_clear_pointer (&bytes, g_bytes_unref);
  bytes = remote_end_pack (error, NULL);
  seen = remote_end_unpack (bytes, "f", &failure);
  g_assert_error (seen, G_FILE_ERROR, 7);
  g_clear_error (&seen);
  data = g_memdup2 (g_bytes_get_data (bytes, &size), g_bytes_get_size (bytes));
  g_assert_cmpuint (size, >, packed_size + 1);
  g_assert_cmpuint (data[packed_size], ==, 0);
  data[packed_size] = 1;
  other = g_bytes_new (data, size);
  seen = remote_end_unpack (other, "f", &failure);
  g_assert_error (seen, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
}

static void
test_names (void)
{
  for (gsize length = 255; length <= 257; length++)
    {
      g_autofree char *name = g_strnfill (length, 'n');
      const RemoteHello hello = { .name = name, .slots = 3 };
      g_autoptr (GBytes) bytes = remote_hello_make (&hello);
      g_autoptr (GError) error = NULL;
      RemoteHello seen;

      g_assert_true (remote_hello_read (&seen, bytes, &error));
      g_assert_no_error (error);
      g_assert_cmpuint (seen.slots, ==, 3);
      g_assert_cmpstr (seen.name, ==, length <= 256 ? name : NULL);
      remote_hello_clear (&seen);
    }
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/remote-link/messages-of-all-sizes-arrive", test_sizes);
  fixture_add_func ("/remote-link/small-messages-overtake-large-ones-of-others", test_order);
  fixture_add_func ("/remote-link/messages-go-before-the-main-loop-sleeps", test_turns);
  fixture_add_func ("/remote-link/large-messages-pass-each-other", test_both_ways);
  fixture_add_func ("/remote-link/other-side-closes", test_closed);
  fixture_add_func ("/remote-link/bytes/make-a-message", test_whole);
  fixture_add_func ("/remote-link/bytes/text-before-is-skipped-and-kept", test_banner);
  fixture_add_func ("/remote-link/bytes/cut-off-are-no-message", test_truncated);
  fixture_add_func ("/remote-link/bytes/hostile-headers-are-refused", test_hostile);
  fixture_add_func ("/remote-link/bytes/random-ones-do-no-harm", test_random);
  fixture_add_func ("/remote-link/bytes/false-credit-is-refused", test_false_credit);
  fixture_add_func ("/remote-link/bytes/messages-that-begin-are-not-without-bound",
                    test_many_parts);
  for (gsize i = 0; i < G_N_ELEMENTS (bounds); i++)
    {
      g_autofree char *path = g_strdup_printf ("/remote-link/bounds/%s", bounds[i].name);

      fixture_add_data_func (path, GSIZE_TO_POINTER (i), test_bounds);
    }
  fixture_add_func ("/remote-link/heads-have-their-size", test_heads);
  fixture_add_func ("/remote-link/end-in-another-form-is-no-error-of-a-host",
                    test_end_in_another_form);
  fixture_add_func ("/remote-link/names-have-a-bound", test_names);
  fixture_add_func ("/remote-link/messages-of-one-call-keep-their-order", test_three_of_one_call);
  fixture_add_func ("/remote-link/silent-reader-gets-no-more-than-a-window", test_window);

  return fixture_run ();
}
