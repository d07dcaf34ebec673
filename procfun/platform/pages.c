/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/pages.h"

#include <string.h>
#include <sys/mman.h>

typedef struct
{
  gpointer data;
  gsize size;
} Pages;

/* In bytes. There are no large pages for less, and malloc() has used its own before. */
#define PAGES_MIN ((gsize)4 * 1024 * 1024)

/* The first touch of a page takes many times as long as to copy it. */
static struct
{
  GMutex lock;
  gboolean is_kept;
  Pages pages; /* no data: there are none */
} spare;

/* (nullable): the spare pages, if they are of this size. */
static gpointer
take_spare (gsize size)
{
  gpointer data = NULL;

  g_mutex_lock (&spare.lock);
  if (spare.pages.size == size)
    data = g_steal_pointer (&spare.pages.data);
  if (data != NULL)
    spare.pages.size = 0;
  g_mutex_unlock (&spare.lock);
  return data;
}

/* Returns what is to be freed: those that were kept before. */
static Pages
put_spare (Pages pages)
{
  Pages old = pages;

  g_mutex_lock (&spare.lock);
  if (spare.is_kept)
    {
      old = spare.pages;
      spare.pages = pages;
    }
  g_mutex_unlock (&spare.lock);
  return old;
}

void
pages_keep_spare (void)
{
  g_mutex_lock (&spare.lock);
  spare.is_kept = TRUE;
  g_mutex_unlock (&spare.lock);
}

gboolean
pages_have_spare (void)
{
  gboolean found;

  g_mutex_lock (&spare.lock);
  found = spare.pages.data != NULL;
  g_mutex_unlock (&spare.lock);
  return found;
}

void
pages_drop_spare (void)
{
  Pages old;

  g_mutex_lock (&spare.lock);
  old = spare.pages;
  spare.pages = (Pages){ NULL, 0 };
  g_mutex_unlock (&spare.lock);
  if (old.data != NULL)
    munmap (old.data, old.size);
}

static gpointer
map (gsize size)
{
  return mmap (NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

gpointer
pages_new (gsize size)
{
  gpointer data;

  if (size < PAGES_MIN)
    return g_try_malloc (MAX (size, 1));
  data = take_spare (size);
  if (data != NULL)
    return data;
  data = map (size);
  if (data == MAP_FAILED && pages_have_spare ()) /* which may count for a limit */
    {
      pages_drop_spare ();
      data = map (size);
    }
  if (data == MAP_FAILED)
    return NULL;
  madvise (data, size, MADV_HUGEPAGE);
  return data;
}

void
pages_free (gpointer data, gsize size)
{
  Pages old;

  if (size < PAGES_MIN || data == NULL)
    {
      g_free (data);
      return;
    }
  old = put_spare ((Pages){ data, size });
  if (old.data != NULL)
    munmap (old.data, old.size);
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

GBytes *
pages_copy (gconstpointer data, gsize size)
{
  gpointer copy = pages_new (size);

  if (copy == NULL)
    return NULL;
  if (size > 0)
    memcpy (copy, data, size);
  return pages_to_bytes (copy, size);
}
