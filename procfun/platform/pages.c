/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/pages.h"

#include <sys/mman.h>

typedef struct
{
  gpointer data;
  gsize size;
} Pages;

/* In bytes. There are no large pages for less, and malloc() has used its own before. */
#define PAGES_MIN ((gsize)4 * 1024 * 1024)

gpointer
pages_new (gsize size)
{
  gpointer data;

  if (size < PAGES_MIN)
    return g_try_malloc (MAX (size, 1));
  data = mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (data == MAP_FAILED)
    return NULL;
  madvise (data, size, MADV_HUGEPAGE);
  return data;
}

void
pages_free (gpointer data, gsize size)
{
  if (size < PAGES_MIN)
    g_free (data);
  else if (data != NULL)
    munmap (data, size);
}

static void
free_pages (gpointer user_data)
{
  g_autofree Pages *self = user_data;

  pages_free (self->data, self->size);
}

GBytes *
pages_to_bytes (gpointer data, gsize size)
{
  Pages *self;

  if (size < PAGES_MIN)
    return g_bytes_new_take (data, size);
  self = g_new (Pages, 1);
  *self = (Pages){ data, size };
  return g_bytes_new_with_free_func (data, size, free_pages, self);
}
