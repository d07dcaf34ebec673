/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/platform/fds.h"
#include "procfun/platform/memfd.h"
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* No whole number of large pages. */
#define SIZE ((gsize)7 * 1024 * 1024 + 12345)
#define PAGE ((gsize)4096)
#define OFFSET PAGE
#define LARGE_PAGE ((gsize)2 * 1024 * 1024)

/* In bytes, as large pages of shared memory, in all mappings of this process. */
static guint64
count_large (void)
{
  g_autofree char *text = NULL;
  const char *line;

  if (!g_file_get_contents ("/proc/self/smaps_rollup", &text, NULL, NULL))
    return 0;
  line = strstr (text, "\nShmemPmdMapped:");
  return line != NULL ? 1024 * g_ascii_strtoull (strchr (line, ':') + 1, NULL, 10) : 0;
}

/* -1: the test is skipped. */
static int
make_large (gpointer *memory)
{
  const int fd = memfd_new_large ("large", SIZE, memory);

  if (fd < 0)
    g_test_skip ("the kernel has no large pages of shared memory");
  return fd;
}

static void
test_sealed (void)
{
  gpointer memory;
  auto_fd int fd = make_large (&memory);
  const guint8 *data;
  gboolean is_constant;

  if (fd < 0)
    return;
  memset (memory, 7, SIZE);
  g_assert_true (memfd_seal (fd, memory, SIZE));
  g_assert_cmpuint (memfd_check (fd, &is_constant), ==, SIZE);
  g_assert_true (is_constant);
  g_assert_cmpint (pwrite (fd, "", 1, 0), ==, -1);
  g_assert_cmpint (errno, ==, EPERM);
  data = memfd_map_to_read (fd, 0, SIZE, TRUE);
  g_assert_nonnull (data);
  for (gsize i = 0; i < SIZE; i++)
    if (data[i] != 7)
      g_error ("byte %zu is another one", i);
  memfd_unmap ((gpointer)data, SIZE);
}

static guint64
count_large_read (int fd, gsize offset)
{
  const guint64 before = count_large ();
  guint8 *data = memfd_map_to_read (fd, offset, SIZE - offset, FALSE);
  guint64 found;

  g_assert_nonnull (data);
  for (gsize i = 0; i < SIZE - offset; i += LARGE_PAGE / 2)
    g_assert_cmpuint (data[i], ==, 0);
  found = count_large () - before;
  memfd_unmap (data, SIZE - offset);
  return found;
}

/* Each other mapping has them, too, also one that begins within a page. */
static void
test_mapped (void)
{
  gpointer memory;
  auto_fd int fd = make_large (&memory);

  if (fd < 0)
    return;
  if (count_large () == 0)
    g_test_skip ("the kernel does not tell how it maps");
  else
    {
      g_assert_cmpuint (count_large_read (fd, 0), ==, 3 * LARGE_PAGE);
      g_assert_cmpuint (count_large_read (fd, OFFSET), ==, 2 * LARGE_PAGE);
    }
  memfd_unmap (memory, SIZE);
}

static void
test_written (void)
{
  auto_fd int fd = memfd_new ("large", SIZE, NULL);
  guint8 *data = memfd_map_to_write (fd, SIZE);

  g_assert_nonnull (data);
  for (gsize i = 0; i < SIZE; i += 3 * OFFSET)
    data[i] = (guint8)(i / OFFSET);
  memfd_enlarge_pages (data + OFFSET, SIZE - OFFSET);
  for (gsize i = 0; i < SIZE; i++)
    if (data[i] != (i % (3 * OFFSET) == 0 ? (guint8)(i / OFFSET) : 0))
      g_error ("byte %zu is another one", i);
  memfd_unmap (data, SIZE);
}

static void
test_given_back (void)
{
  gpointer memory;
  auto_fd int fd = make_large (&memory);
  const guint8 *data = memory;

  if (fd < 0)
    return;
  memset (memory, 7, SIZE);
  memfd_give_back ((guint8 *)memory + OFFSET, SIZE - OFFSET, FALSE);
  for (gsize i = 0; i < SIZE; i++)
    if (data[i] != (i < OFFSET ? 7 : 0))
      g_error ("byte %zu is another one", i);
  memfd_unmap (memory, SIZE);
}

/* In small pages. */
static gsize
count_resident (gpointer data, gsize size)
{
  static guint8 are_there[(SIZE + PAGE - 1) / PAGE];
  gsize n = 0;

  g_assert_cmpint (mincore (data, size, are_there), ==, 0);
  for (gsize i = 0; i < (size + PAGE - 1) / PAGE; i++)
    n += are_there[i] & 1;
  return n;
}

static void
check_prepared (gsize size, gboolean is_there)
{
  auto_fd int fd = memfd_new ("prepared", size, NULL);
  guint8 *data = memfd_map_to_write (fd, size);

  g_assert_nonnull (data);
  g_assert_cmpuint (count_resident (data, size), ==, 0);
  memfd_prepare (data, size);
  if (is_there)
    g_assert_cmpuint (count_resident (data, size), ==, (size + PAGE - 1) / PAGE);
  for (gsize i = 0; i < size; i++)
    if (data[i] != 0)
      g_error ("byte %zu is another one", i);
  memfd_unmap (data, size);
}

static void
test_prepared (void)
{
  gpointer memory;
  auto_fd int fd = memfd_new_large ("large", SIZE, &memory);

  check_prepared (SIZE, fd >= 0);
  check_prepared (LARGE_PAGE / 2 + 1, fd >= 0);
  if (fd >= 0)
    memfd_unmap (memory, SIZE);
}

static void
test_small (void)
{
  gpointer memory;

  g_assert_cmpint (memfd_new_large ("small", LARGE_PAGE - 1, &memory), ==, -1);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/memfd/large-pages/are-sealed", test_sealed);
  fixture_add_func ("/memfd/large-pages/are-mapped-as-such", test_mapped);
  fixture_add_func ("/memfd/large-pages/keep-what-was-written", test_written);
  fixture_add_func ("/memfd/large-pages/are-given-back", test_given_back);
  fixture_add_func ("/memfd/large-pages/are-taken-at-once", test_prepared);
  fixture_add_func ("/memfd/large-pages/are-not-for-little", test_small);
  return fixture_run ();
}
