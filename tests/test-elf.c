/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* The tool's look into files before it executes anything; this program is the example. */

#include "procfun/platform/fds.h"
#include "tests/fixture.h"
#include "tools/elf.h"
#include <elf.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <link.h>
#include <procfun.h>
#include <string.h>

PROCFUN_DEFINE_STATIC_FUNCTION (zebra, int, (int, a)) { return a; }

PROCFUN_DEFINE_STATIC_FUNCTION (ape, void) {}

static void
test_own_file (void)
{
  g_auto (Elf) elf = { 0 };
  g_autoptr (GError) error = NULL;

  g_assert_true (elf_read (&elf, "/proc/self/exe", &error));
  g_assert_no_error (error);
  g_assert_true (elf.is_program);
  g_assert_cmpstrv (elf.functions, ((const char *const[]){ "ape", "zebra", NULL }));
}

/* A file of the test's own, whose bytes are then changed. */
typedef struct
{
  char *path;
  char *data;
  gsize size;
  int fd;
} Copy;

static void
copy_init (Copy *self)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_get_contents ("/proc/self/exe", &self->data, &self->size, &error));
  self->fd = g_file_open_tmp ("procfun-elf-XXXXXX", &self->path, &error);
  g_assert_no_error (error);
  g_assert_cmpint (pwrite (self->fd, self->data, self->size, 0), ==, self->size);
}

static void
copy_clear (Copy *self)
{
  g_unlink (self->path);
  fd_clear (&self->fd);
  g_free (self->path);
  g_free (self->data);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Copy, copy_clear)

/* Coming to an end is enough: many bytes mean nothing. */
static gboolean
read_any (const Copy *copy)
{
  g_auto (Elf) elf = { 0 };
  g_autoptr (GError) error = NULL;
  gboolean ok = elf_read (&elf, copy->path, &error);

  g_assert_true (ok == (error == NULL));
  g_assert_true (error == NULL || g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_INVALID));
  return ok;
}

static void
try_bytes (const Copy *copy, gsize from, gsize to)
{
  static const guint8 values[] = { 0, 1, 0x7f, 0x80, 0xff };

  for (gsize at = from; at < MIN (to, copy->size); at++)
    {
      for (gsize i = 0; i < G_N_ELEMENTS (values); i++)
        {
          g_assert_cmpint (pwrite (copy->fd, &values[i], 1, (off_t)at), ==, 1);
          read_any (copy);
        }
      g_assert_cmpint (pwrite (copy->fd, copy->data + at, 1, (off_t)at), ==, 1);
    }
}

/* Each byte of the headers and the notes. */
static void
test_changed_bytes (void)
{
  g_auto (Copy) copy = { 0 };
  ElfW (Ehdr) header;

  copy_init (&copy);
  memcpy (&header, copy.data, sizeof header);
  try_bytes (&copy, 0, sizeof header);
  for (guint i = 0; i < header.e_phnum; i++)
    {
      gsize offset = header.e_phoff + i * sizeof (ElfW (Phdr));
      ElfW (Phdr) segment;

      try_bytes (&copy, offset, offset + sizeof segment);
      memcpy (&segment, copy.data + offset, sizeof segment);
      if (segment.p_type == PT_NOTE)
        try_bytes (&copy, segment.p_offset, segment.p_offset + segment.p_filesz);
    }
  g_assert_true (read_any (&copy));
}

static void
test_truncated (void)
{
  g_auto (Copy) copy = { 0 };

  copy_init (&copy);
  for (gsize size = copy.size - 1; size > 0; size = size > 1024 ? size / 2 : size - 1)
    {
      g_assert_cmpint (ftruncate (copy.fd, (off_t)size), ==, 0);
      if (size < 1024)
        g_assert_false (read_any (&copy));
      else
        read_any (&copy);
    }
}

/* Many segments over the same notes would take quadratic time. */
static void
test_overlapping_segments (void)
{
  g_auto (Copy) copy = { 0 };
  ElfW (Ehdr) header;
  ElfW (Phdr) segment = { .p_type = PT_NOTE, .p_align = 4 };

  copy_init (&copy);
  memcpy (&header, copy.data, sizeof header);
  header.e_phnum = 0xfffe;
  header.e_phoff = copy.size;
  g_assert_cmpint (pwrite (copy.fd, &header, sizeof header, 0), ==, sizeof header);
  segment.p_filesz = copy.size;
  for (gsize i = 0; i < header.e_phnum; i++)
    g_assert_cmpint (
        pwrite (copy.fd, &segment, sizeof segment, (off_t)(copy.size + i * sizeof segment)), ==,
        sizeof segment);
  g_assert_false (read_any (&copy));
}

int
main (int argc, char **argv)
{
  fixture_init (&argc, &argv);
  fixture_add_func ("/elf/functions-are-found-in-own-file", test_own_file);
  fixture_add_func ("/elf/changed-bytes-harm-nobody", test_changed_bytes);
  fixture_add_func ("/elf/truncated-file-harms-nobody", test_truncated);
  fixture_add_func ("/elf/overlapping-segments-take-little-time", test_overlapping_segments);
  return fixture_run ();
}
