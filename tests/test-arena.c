/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Payloads in shared memory, from friends and from those who mean no good. */

#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include "procfun/procfun-error.h"
#include "procfun/wire/channel.h"
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#define LIMIT ((gsize)16 * 1024 * 1024)
#define SIZE ((gsize)100000)

typedef struct
{
  Channel *near;
  Channel *far;
} Pair;

static Pair
pair_open (ShareMode mode, gboolean trusts)
{
  Pair self;
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  self.near = channel_new (fds[0], LIMIT);
  self.far = channel_new (fds[1], LIMIT);
  channel_share (self.near, mode, TRUE);
  channel_share (self.far, SHARE_NOTHING, trusts);
  return self;
}

static void
pair_close (Pair *self)
{
  channel_free (self->near);
  channel_free (self->far);
}

static GBytes *
make_payload (gsize size, guint8 first)
{
  guint8 *data = g_malloc (size);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)(i % 253 + first);
  return g_bytes_new_take (data, size);
}

static void
carry (Pair *self, GBytes *payload, GUnixFDList *fds, Frame *frame)
{
  g_autoptr (GError) error = NULL;
  ChannelStatus status = CHANNEL_AGAIN;

  channel_send (self->near, FRAME_CALL, 7, "12345678", 8, payload, fds);
  while (status == CHANNEL_AGAIN)
    {
      channel_out_flush (&self->near->out);
      status = channel_receive (self->far, frame, &error);
    }
  g_assert_no_error (error);
  g_assert_cmpint (status, ==, CHANNEL_FRAME);
}

static void
assert_payload (const Frame *frame, GBytes *payload)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (frame->payload, &size);

  g_assert_cmpint (frame->type, ==, FRAME_CALL);
  g_assert_cmpuint (frame->call_id, ==, 7);
  g_assert_cmpmem (data, 8, "12345678", 8);
  g_assert_cmpmem (data + 8, size - 8, g_bytes_get_data (payload, NULL),
                   g_bytes_get_size (payload));
}

/* Modes of the sender, and whether the receiver trusts it. */
static const struct
{
  ShareMode mode;
  gboolean trusts;
} ways[] = {
  { SHARE_NOTHING, TRUE }, { SHARE_SEALED, FALSE }, { SHARE_ARENA, FALSE }, { SHARE_ARENA, TRUE }
};

static void
test_carry (void)
{
  static const gsize sizes[] = { SIZE, 65527, 65528, SIZE + 1, SIZE / 2, 10, 5 * SIZE, LIMIT - 8 };

  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    {
      Pair pair = pair_open (ways[w].mode, ways[w].trusts);

      for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
        {
          g_autoptr (GBytes) payload = make_payload (sizes[i], (guint8)i);
          g_auto (Frame) frame = { 0 };

          carry (&pair, payload, NULL, &frame);
          assert_payload (&frame, payload);
          g_assert_null (frame.fds);
        }
      pair_close (&pair);
    }
}

/* More than there are regions: those beyond go by the socket. */
static void
test_keep (void)
{
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    {
      Pair pair = pair_open (ways[w].mode, ways[w].trusts);
      Frame frames[3 * ARENA_REGIONS] = { 0 };

      for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
        {
          g_autoptr (GBytes) payload = make_payload (SIZE, (guint8)i);

          carry (&pair, payload, NULL, &frames[i]);
        }
      for (guint i = 0; i < ARENA_REGIONS && ways[w].mode == SHARE_ARENA; i++)
        g_assert_cmpint (pair.near->out.arena.regions[i].memory != NULL, ==,
                         ways[w].trusts || i == 0); /* each is used before the socket is */
      pair_close (&pair);
      for (guint i = 0; i < G_N_ELEMENTS (frames); i++)
        {
          g_autoptr (GBytes) payload = make_payload (SIZE, (guint8)i);

          assert_payload (&frames[i], payload);
          frame_clear (&frames[i]);
        }
    }
}

/* After the first payload there is nothing new to map. */
static void
test_reuse (void)
{
  Pair pair = pair_open (SHARE_ARENA, TRUE);
  gconstpointer place = NULL;

  for (guint i = 0; i < 4; i++)
    {
      g_autoptr (GBytes) payload = make_payload (SIZE + i, (guint8)i);
      g_auto (Frame) frame = { 0 };

      carry (&pair, payload, NULL, &frame);
      if (i > 0)
        g_assert_true (g_bytes_get_data (frame.payload, NULL) == place);
      place = g_bytes_get_data (frame.payload, NULL);
    }
  pair_close (&pair);
}

static void
test_descriptors (void)
{
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    for (guint n = 1; n <= FRAME_MAX_FDS; n += FRAME_MAX_FDS / 4)
      {
        Pair pair = pair_open (ways[w].mode, ways[w].trusts);
        g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
        g_autoptr (GBytes) payload = make_payload (SIZE, 1);
        g_auto (Frame) frame = { 0 };

        for (guint i = 0; i < n; i++)
          g_unix_fd_list_append (fds, pair.near->fd, NULL);
        carry (&pair, payload, fds, &frame);
        assert_payload (&frame, payload);
        g_assert_cmpint (g_unix_fd_list_get_length (frame.fds), ==, n);
        pair_close (&pair);
      }
}

/* Where no memory can be shared, payloads go by the socket. */
static void
test_refused (gconstpointer data)
{
  const int resource = GPOINTER_TO_INT (data);
  struct rlimit before, none;

  g_assert_no_errno (getrlimit (resource, &before));
  none = before;
  none.rlim_cur = 3;
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    {
      Pair pair = pair_open (ways[w].mode, ways[w].trusts);
      g_autoptr (GBytes) payload = make_payload (SIZE, 1);
      g_auto (Frame) frame = { 0 };

      g_assert_no_errno (setrlimit (resource, &none));
      carry (&pair, payload, NULL, &frame);
      g_assert_no_errno (setrlimit (resource, &before));
      assert_payload (&frame, payload);
      g_assert_null (pair.near->out.arena.regions[0].memory);
      pair_close (&pair);
    }
}

/* Hostile senders */

typedef struct
{
  const char *name;
  guint32 index;
  gsize size; /* that is announced */
  FrameType type;
  guint n_fds;       /* that are announced */
  guint n_extra;     /* that come with them */
  int seals;         /* -1: a pipe */
  gsize memory_size; /* 0: there is none */
  ProcfunError code;
} Attack;

#define FIXED (F_SEAL_SHRINK | F_SEAL_GROW)

static const Attack attacks[] = {
  { "unsealed", 0, SIZE, FRAME_RESULT, 0, 0, 0, 2 * SIZE, PROCFUN_ERROR_PROTOCOL },
  { "growable-only", 0, SIZE, FRAME_RESULT, 0, 0, F_SEAL_GROW, 2 * SIZE, PROCFUN_ERROR_PROTOCOL },
  { "truncated", 0, SIZE, FRAME_RESULT, 0, 0, FIXED, SIZE, PROCFUN_ERROR_PROTOCOL },
  { "empty", 0, SIZE, FRAME_RESULT, 0, 0, FIXED, 1, PROCFUN_ERROR_PROTOCOL },
  { "changeable", ARENA_SEALED, SIZE, FRAME_RESULT, 0, 0, FIXED, 2 * SIZE, PROCFUN_ERROR_PROTOCOL },
  { "sealed-and-truncated", ARENA_SEALED, SIZE, FRAME_RESULT, 0, 0, FIXED | F_SEAL_WRITE, SIZE - 1,
    PROCFUN_ERROR_PROTOCOL },
  { "sealed-and-empty", ARENA_SEALED, 0, FRAME_CALL, 0, 0, FIXED | F_SEAL_WRITE, SIZE,
    PROCFUN_ERROR_PROTOCOL },
  { "no-memory-but-a-pipe", 0, SIZE, FRAME_RESULT, 0, 0, -1, 1, PROCFUN_ERROR_PROTOCOL },
  { "sealed-pipe", ARENA_SEALED, SIZE, FRAME_RESULT, 0, 0, -1, 1, PROCFUN_ERROR_PROTOCOL },
  { "memory-that-never-came", 1, SIZE, FRAME_RESULT, 0, 0, 0, 0, PROCFUN_ERROR_PROTOCOL },
  { "sealed-memory-that-never-came", ARENA_SEALED, SIZE, FRAME_RESULT, 0, 0, 0, 0,
    PROCFUN_ERROR_PROTOCOL },
  { "index-out-of-range", ARENA_REGIONS, SIZE, FRAME_RESULT, 0, 0, FIXED, 2 * SIZE,
    PROCFUN_ERROR_PROTOCOL },
  { "too-few-descriptors", 0, SIZE, FRAME_RESULT, 2, 1, FIXED, 2 * SIZE, PROCFUN_ERROR_PROTOCOL },
  { "too-many-descriptors", 0, SIZE, FRAME_RESULT, 0, 1, FIXED, 2 * SIZE, PROCFUN_ERROR_PROTOCOL },
  { "word-in-disguise", 0, 0, FRAME_WAKE, 0, 0, FIXED, 2 * SIZE, PROCFUN_ERROR_PROTOCOL },
  { "shared-in-shared", 0, sizeof (FrameShared), FRAME_SHARED, 0, 0, FIXED, 2 * SIZE,
    PROCFUN_ERROR_PROTOCOL },
  { "over-the-limit", 0, LIMIT + 1, FRAME_RESULT, 0, 0, FIXED, 2 * LIMIT, PROCFUN_ERROR_LIMIT },
};

static int
make_memory (const Attack *attack)
{
  int fds[2];
  int fd;

  if (attack->seals < 0)
    {
      g_assert_true (fds_open_pipe (fds, NULL));
      close (fds[1]);
      return fds[0];
    }
  fd = memfd_create ("attack", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (ftruncate (fd, (off_t)attack->memory_size), ==, 0);
  g_assert_cmpint (fcntl (fd, F_ADD_SEALS, attack->seals), ==, 0);
  return fd;
}

static void
test_attack (gconstpointer data)
{
  const Attack *attack = data;

  for (guint trusts = 0; trusts < 2; trusts++)
    {
      Pair pair = pair_open (SHARE_NOTHING, trusts);
      g_autoptr (GUnixFDList) fds = g_unix_fd_list_new ();
      g_autoptr (GError) error = NULL;
      g_auto (Frame) frame = { 0 };
      FrameShared shared = { .index = attack->index, .has_memory = attack->memory_size > 0 };

      frame_header_init (&shared.header, attack->type, 0, attack->n_fds, attack->size);
      if (shared.has_memory)
        {
          auto_fd int fd = make_memory (attack);

          g_unix_fd_list_append (fds, fd, NULL);
        }
      for (guint i = 0; i < attack->n_extra; i++)
        g_unix_fd_list_append (fds, pair.near->fd, NULL);
      channel_send (pair.near, FRAME_SHARED, 0, &shared, sizeof shared, NULL, fds);
      channel_out_flush (&pair.near->out);
      g_assert_cmpint (channel_receive (pair.far, &frame, &error), ==, CHANNEL_FAILED);
      g_assert_error (error, PROCFUN_ERROR, (gint)attack->code);
      pair_close (&pair);
    }
}

/* A receiver that did not say so gets none, and takes none. */
static void
test_not_asked (void)
{
  g_autoptr (GBytes) payload = make_payload (SIZE, 0);
  g_autoptr (GError) error = NULL;
  g_auto (Frame) frame = { 0 };
  Pair pair;
  int fds[2];

  g_assert_true (fds_open_socketpair (fds, NULL));
  pair.near = channel_new (fds[0], LIMIT);
  pair.far = channel_new (fds[1], LIMIT);
  channel_share (pair.near, SHARE_SEALED, TRUE);
  channel_send (pair.near, FRAME_CALL, 0, NULL, 0, payload, NULL);
  channel_out_flush (&pair.near->out);
  g_assert_cmpint (channel_receive (pair.far, &frame, &error), ==, CHANNEL_FAILED);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  pair_close (&pair);
}

/* Payloads that the receiver does not trust are its own from the beginning. */
static void
test_later_changes (void)
{
  Pair pair = pair_open (SHARE_ARENA, FALSE);
  g_autoptr (GBytes) first = make_payload (SIZE, 1);
  g_autoptr (GBytes) second = make_payload (SIZE, 2);
  g_auto (Frame) frame = { 0 };
  g_auto (Frame) next = { 0 };

  carry (&pair, first, NULL, &frame);
  carry (&pair, second, NULL, &next);
  assert_payload (&frame, first);
  assert_payload (&next, second);
  memset (pair.near->out.arena.regions[0].memory, 0xee, ARENA_DATA + SIZE);
  assert_payload (&frame, first);
  assert_payload (&next, second);
  pair_close (&pair);
}

/* Both sides give memory back that nothing is in, and use it again afterwards. */
static gsize
count_resident (gconstpointer memory, gsize size)
{
  const gsize n_pages = (size + 4095) / 4096;
  g_autofree guchar *pages = g_malloc (n_pages);
  gsize n = 0;

  g_assert_no_errno (mincore ((gpointer)memory, size, pages));
  for (gsize i = 0; i < n_pages; i++)
    n += pages[i] & 1;
  return n;
}

static void
test_give_back (void)
{
  for (guint w = 0; w < G_N_ELEMENTS (ways); w++)
    for (guint by_sender = 0; by_sender < 2; by_sender++)
      {
        Pair pair = pair_open (ways[w].mode, ways[w].trusts);
        Channel *side = by_sender ? pair.near : pair.far;
        const ArenaRegion *region = &pair.near->out.arena.regions[0];

        g_assert_false (channel_keeps_memory (side));
        for (guint i = 0; i < 3; i++)
          {
            g_autoptr (GBytes) payload = make_payload (10 * SIZE, (guint8)i);
            g_auto (Frame) frame = { 0 };

            carry (&pair, payload, NULL, &frame);
            channel_give_back (side); /* it is in use */
            assert_payload (&frame, payload);
            frame_clear (&frame);
            g_assert_cmpint (channel_keeps_memory (side), ==, ways[w].mode == SHARE_ARENA);
            if (region->memory == NULL)
              continue;
            if (ways[w].trusts) /* else it was copied, and not in use */
              g_assert_cmpuint (count_resident (region->memory, 10 * SIZE), >, 200);
            channel_give_back (side);
            g_assert_cmpuint (count_resident (region->memory, 10 * SIZE), <, 2);
          }
        pair_close (&pair);
      }
}

/* Memory that the receiver gave back is not there when the sender writes again. */
static void
test_cleared_by_receiver (void)
{
  static const gsize sizes[] = { 4 * SIZE, 2 * SIZE, SIZE };
  Pair pair = pair_open (SHARE_ARENA, TRUE);
  const ArenaRegion *region = &pair.near->out.arena.regions[0];

  for (guint i = 0; i < G_N_ELEMENTS (sizes); i++)
    {
      g_autoptr (GBytes) payload = make_payload (sizes[i], (guint8)i);
      g_auto (Frame) frame = { 0 };

      carry (&pair, payload, NULL, &frame);
      if (i > 0) /* what was written to new memory does not count */
        g_assert_cmpuint (region->populated, ==, sizes[i] + 8);
      frame_clear (&frame);
      channel_give_back (pair.far);
    }
  pair_close (&pair);
}

/* Of memory that is free, the next payload takes that which is in memory already. */
static void
test_most_populated (void)
{
  Pair pair = pair_open (SHARE_ARENA, TRUE);
  g_autoptr (GBytes) small = make_payload (SIZE, 1);
  g_autoptr (GBytes) large = make_payload (3 * SIZE, 2);
  g_auto (Frame) first = { 0 };
  g_auto (Frame) second = { 0 };
  gconstpointer place;

  carry (&pair, small, NULL, &first);
  carry (&pair, large, NULL, &second);
  frame_clear (&first);
  frame_clear (&second);
  carry (&pair, large, NULL, &second);
  place = g_bytes_get_data (second.payload, NULL);
  frame_clear (&second);
  carry (&pair, small, NULL, &first);
  g_assert_true (g_bytes_get_data (first.payload, NULL) == place);
  pair_close (&pair);
}

/* A frame that says that memory comes with it brings some, also where other memory is known. */
static void
test_memory_that_did_not_come (void)
{
  Pair pair = pair_open (SHARE_ARENA, TRUE);
  g_autoptr (GBytes) payload = make_payload (SIZE, 1);
  FrameShared shared = { .index = 0, .has_memory = TRUE };
  g_autoptr (GError) error = NULL;
  g_auto (Frame) frame = { 0 };

  carry (&pair, payload, NULL, &frame);
  frame_clear (&frame);
  frame_header_init (&shared.header, FRAME_CALL, 0, 0, SIZE);
  channel_send (pair.near, FRAME_SHARED, 0, &shared, sizeof shared, NULL, NULL);
  channel_out_flush (&pair.near->out);
  g_assert_cmpint (channel_receive (pair.far, &frame, &error), ==, CHANNEL_FAILED);
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_PROTOCOL);
  pair_close (&pair);
}

/* A process that the receiver forks has the payload, too, and says nothing about it. */
static void
test_fork (void)
{
  Pair pair = pair_open (SHARE_ARENA, TRUE);
  g_autoptr (GBytes) payload = make_payload (SIZE, 1);
  g_auto (Frame) frame = { 0 };
  const ArenaHead *head;
  int status;
  pid_t pid;

  carry (&pair, payload, NULL, &frame);
  head = pair.near->out.arena.regions[0].memory;
  pid = fork ();
  if (pid == 0)
    {
      unsigned char is_there;

      frame_clear (&frame);
      _exit (mincore ((gpointer)head, 1, &is_there) == 0); /* what is written is not inherited */
    }
  g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpuint (head->use, ==, ARENA_USED);
  frame_clear (&frame);
  g_assert_cmpuint (head->use, ==, ARENA_FREE);
  pair_close (&pair);
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/arena/payloads-arrive-whatever-their-size", test_carry);
  fixture_add_func ("/arena/payloads-that-are-kept-stay-as-they-are", test_keep);
  fixture_add_func ("/arena/memory-is-used-again", test_reuse);
  fixture_add_func ("/arena/descriptors-come-with-a-payload", test_descriptors);
  fixture_add_data_func ("/arena/without-descriptors-payloads-go-by-the-socket",
                         GINT_TO_POINTER (RLIMIT_NOFILE), test_refused);
  fixture_add_data_func ("/arena/with-a-limit-on-files-payloads-go-by-the-socket",
                         GINT_TO_POINTER (RLIMIT_FSIZE), test_refused);
  fixture_add_func ("/arena/memory-comes-only-to-who-shares", test_not_asked);
  fixture_add_func ("/arena/later-changes-are-not-seen", test_later_changes);
  fixture_add_func ("/arena/memory-is-given-back", test_give_back);
  fixture_add_func ("/arena/memory-that-was-given-back-is-taken-anew", test_cleared_by_receiver);
  fixture_add_func ("/arena/memory-that-is-there-is-used-first", test_most_populated);
  fixture_add_func ("/arena/memory-that-is-announced-comes", test_memory_that_did_not_come);
  fixture_add_func ("/arena/forked-process-gives-nothing-back", test_fork);
  for (gsize i = 0; i < G_N_ELEMENTS (attacks); i++)
    {
      g_autofree char *path = g_strdup_printf ("/arena/attack/%s", attacks[i].name);

      fixture_add_data_func (path, &attacks[i], test_attack);
    }
  return fixture_run ();
}
