/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* ThreadSanitizer knows who waits for whom by what it is compiled into. GLib is not, and its locks
 * are futexes, so all that they keep apart would look like races. These functions stand before
 * GLib's of the same name and say what happens there: with them it sees our races, and only those.
 * Memory must go from thread to thread by malloc(), which it sees: G_SLICE=always-malloc. */

#include "tests/tsan.h"

#include <dlfcn.h>
#include <glib-object.h>

#if defined(__SANITIZE_THREAD__)
#define HAVE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define HAVE_TSAN 1
#endif
#endif

#ifdef HAVE_TSAN
#include <sanitizer/tsan_interface.h>

#define UNSEEN __attribute__ ((no_sanitize ("thread")))

/* GLib's own function of this name. */
#define NEXT(name) ((__typeof__ (&name))dlsym (RTLD_NEXT, #name))

/* Functions that begin to hold @lock, or end. */
#define ACQUIRES(name, Type)                                                                       \
  UNSEEN void name (Type *lock)                                                                    \
  {                                                                                                \
    NEXT (name) (lock);                                                                            \
    __tsan_acquire (lock);                                                                         \
  }
#define TRIES(name, Type)                                                                          \
  UNSEEN gboolean name (Type *lock)                                                                \
  {                                                                                                \
    gboolean held = NEXT (name) (lock);                                                            \
                                                                                                   \
    if (held)                                                                                      \
      __tsan_acquire (lock);                                                                       \
    return held;                                                                                   \
  }
#define RELEASES(name, Type)                                                                       \
  UNSEEN void name (Type *lock)                                                                    \
  {                                                                                                \
    __tsan_release (lock);                                                                         \
    NEXT (name) (lock);                                                                            \
  }

ACQUIRES (g_mutex_lock, GMutex)
TRIES (g_mutex_trylock, GMutex)
RELEASES (g_mutex_unlock, GMutex)
ACQUIRES (g_rec_mutex_lock, GRecMutex)
RELEASES (g_rec_mutex_unlock, GRecMutex)
ACQUIRES (g_rw_lock_writer_lock, GRWLock)
RELEASES (g_rw_lock_writer_unlock, GRWLock)
ACQUIRES (g_rw_lock_reader_lock, GRWLock)
RELEASES (g_rw_lock_reader_unlock, GRWLock)

UNSEEN void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  __tsan_release (mutex);
  NEXT (g_cond_wait) (cond, mutex);
  __tsan_acquire (mutex);
}

UNSEEN gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean in_time;

  __tsan_release (mutex);
  in_time = NEXT (g_cond_wait_until) (cond, mutex, end_time);
  __tsan_acquire (mutex);
  return in_time;
}

/* The one who comes later reads the variable itself, with an atomic operation that is seen. */
UNSEEN void (g_once_init_leave) (volatile void *location, gsize result)
{
  __tsan_release ((void *)location);
  NEXT (g_once_init_leave) (location, result);
}

/* The last owner frees it, after all that others did with it. */
UNSEEN void
g_object_unref (gpointer object)
{
  __tsan_release (object);
  __tsan_acquire (object);
  NEXT (g_object_unref) (object);
}

UNSEEN
gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  gboolean is_last;

  __tsan_release (count);
  is_last = NEXT (g_atomic_ref_count_dec) (count);
  __tsan_acquire (count);
  return is_last;
}

/* Preparations of a source happen before it is dispatched. */
UNSEEN guint
g_source_attach (GSource *source, GMainContext *context)
{
  __tsan_release (context != NULL ? context : g_main_context_default ());
  return NEXT (g_source_attach) (source, context);
}

UNSEEN gboolean
g_main_context_iteration (GMainContext *context, gboolean may_block)
{
  __tsan_acquire (context != NULL ? context : g_main_context_default ());
  return NEXT (g_main_context_iteration) (context, may_block);
}

/* Also where it is attached by another thread while the main context waits. */
UNSEEN static gint
poll_default (GPollFD *fds, guint n, gint ms)
{
  const gint found = g_poll (fds, n, ms);

  __tsan_acquire (g_main_context_default ());
  return found;
}
#endif

void
tsan_init (void)
{
#ifdef HAVE_TSAN
  g_main_context_set_poll_func (NULL, poll_default);
#endif
}
