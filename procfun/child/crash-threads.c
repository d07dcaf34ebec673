/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/crash-threads.h"

#include "procfun/platform/redirect.h"
#include "procfun/platform/stack.h"
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>

/* Room for two nested signals with all registers of the largest processors (about 11 KiB each, see
 * AT_MINSIGSTKSZ in getauxval(3)), and a few KiB for the handlers. */
#define HANDLER_STACK_SIZE ((gsize)64 * 1024)
#define GUARD_SIZE ((gsize)64 * 1024)

/* Threads with less than this have no room for it. */
#define THREAD_STACK_MIN (4 * HANDLER_STACK_SIZE)

typedef int (*CreateFunc) (pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
typedef int (*MaskFunc) (int, const sigset_t *, sigset_t *);

static CreateFunc original_create;
static MaskFunc original_sigprocmask;
static MaskFunc original_pthread_sigmask;

/* Sanitizers have stacks of their own. */
static gboolean
has_handler_stack (void)
{
  stack_t present;

  return sigaltstack (NULL, &present) != 0 || (present.ss_flags & SS_DISABLE) == 0;
}

/* Threads */

typedef struct
{
  void *(*func) (void *);
  void *data;
} Start;

/* The room is at the far end of the thread's own stack, where it stays as long as the thread does,
 * costs nothing until it is used, and need not be freed however the thread ends. */
static STACK_BOUNDARY void *
run_thread (void *data)
{
  Start start = *(Start *)data;
  guint8 room[HANDLER_STACK_SIZE];
  const stack_t stack = { .ss_sp = room, .ss_size = sizeof room };

  free (data);
  if (!has_handler_stack ())
    sigaltstack (&stack, NULL);
  return start.func (start.data);
}

gboolean
crash_threads_is_boundary (gconstpointer start)
{
  return start == (gconstpointer)run_thread;
}

static gboolean
has_room (const pthread_attr_t *attr)
{
  pthread_attr_t standard;
  gsize size = 0;

  if (attr != NULL)
    return pthread_attr_getstacksize (attr, &size) == 0 && size >= THREAD_STACK_MIN;
  pthread_attr_init (&standard);
  pthread_attr_getstacksize (&standard, &size);
  pthread_attr_destroy (&standard);
  return size >= THREAD_STACK_MIN;
}

static int
create_thread (pthread_t *thread, const pthread_attr_t *attr, void *(*func) (void *), void *data)
{
  Start *start = has_room (attr) ? malloc (sizeof *start) : NULL;
  int result;

  if (start == NULL)
    return original_create (thread, attr, func, data);
  *start = (Start){ .func = func, .data = data };
  result = original_create (thread, attr, run_thread, start);
  if (result != 0)
    free (start);
  return result;
}

/* Masks. A signal of these that is generated while it is blocked has undefined effects: POSIX,
 * pthread_sigmask(). */

static int
mask_all_but_faults (MaskFunc mask, int how, const sigset_t *set, sigset_t *old)
{
  static const int faults[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS };
  sigset_t fewer;

  if (set == NULL || how == SIG_UNBLOCK)
    return mask (how, set, old);
  fewer = *set;
  for (gsize i = 0; i < G_N_ELEMENTS (faults); i++)
    sigdelset (&fewer, faults[i]);
  return mask (how, &fewer, old);
}

static int
mask_process (int how, const sigset_t *set, sigset_t *old)
{
  return mask_all_but_faults (original_sigprocmask, how, set, old);
}

static int
mask_thread (int how, const sigset_t *set, sigset_t *old)
{
  return mask_all_but_faults (original_pthread_sigmask, how, set, old);
}

void
crash_threads_mask (int how, const sigset_t *set)
{
  (original_pthread_sigmask != NULL ? original_pthread_sigmask : pthread_sigmask) (how, set, NULL);
}

static void
give_handler_stack (void)
{
  stack_t stack = { .ss_size = HANDLER_STACK_SIZE };
  guint8 *room = mmap (NULL, GUARD_SIZE + HANDLER_STACK_SIZE, PROT_NONE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (room == MAP_FAILED)
    return;
  stack.ss_sp = room + GUARD_SIZE;
  mprotect (stack.ss_sp, stack.ss_size, PROT_READ | PROT_WRITE);
  sigaltstack (&stack, NULL);
}

void
crash_threads_install (void)
{
  const Redirect redirects[]
      = { { "pthread_create", (gpointer)create_thread, (gpointer *)&original_create },
          { "sigprocmask", (gpointer)mask_process, (gpointer *)&original_sigprocmask },
          { "pthread_sigmask", (gpointer)mask_thread, (gpointer *)&original_pthread_sigmask } };

  if (has_handler_stack ())
    return;
  give_handler_stack ();
  redirect_calls (redirects, G_N_ELEMENTS (redirects));
}
