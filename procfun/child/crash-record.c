/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/crash-record.h"

#include "procfun/child/crash-threads.h"
#include "procfun/core/function.h"
#include "procfun/platform/stack.h"
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Time that a reader may leave the pipe full, and that a thread may take for its stack. */
#define WAIT_MS 300

static int report_fd = -1;
static pid_t report_pid;
static dev_t report_device;
static ino_t report_inode;

/* The thread that uses all of the variables below, or 0. */
static int owner;
static volatile sig_atomic_t is_trying;
static sigjmp_buf way_out;

static CrashStack stack_record;
static CrashModule module_record;
static guint64 written_modules[CRASH_MAX_MODULES]; /* their beginnings */
static gsize n_written_modules;

void
crash_record_open (int fd)
{
  struct stat st;

  report_fd = fstat (fd, &st) == 0 ? fd : -1;
  report_pid = getpid ();
  report_device = st.st_dev;
  report_inode = st.st_ino;
}

gboolean
crash_record_is_mine (void)
{
  return getpid () == report_pid;
}

void
crash_record_write (CrashHead *record, CrashRecordType type, gsize size)
{
  struct pollfd poll_fd = { .fd = report_fd, .events = POLLOUT };
  struct stat st;

  record->magic = CRASH_MAGIC;
  record->type = (guint16)type;
  record->size = (guint16)size;
  if (fstat (report_fd, &st) != 0 || st.st_ino != report_inode || st.st_dev != report_device)
    return;
  if (write (report_fd, record, size) >= 0 || errno != EAGAIN || poll (&poll_fd, 1, WAIT_MS) <= 0)
    return;
  if (write (report_fd, record, size) < 0)
    return; /* nobody reads */
}

gboolean
crash_record_begin (void)
{
  int self = thread_get_id ();

  for (guint i = 0; i < WAIT_MS; i++)
    {
      int nobody = 0;

      if (__atomic_compare_exchange_n (&owner, &nobody, self, FALSE, __ATOMIC_ACQUIRE,
                                       __ATOMIC_RELAXED))
        return TRUE;
      thread_wait (&owner, nobody, 1);
    }
  return FALSE;
}

void
crash_record_end (void)
{
  __atomic_store_n (&owner, 0, __ATOMIC_RELEASE);
}

/* The mask of signals stays what it is: handlers run without any blocked. */
void
crash_try (CrashTryFunc func, gpointer user_data)
{
  if (sigsetjmp (way_out, 0) == 0)
    {
      is_trying = TRUE;
      func (user_data);
    }
  is_trying = FALSE;
}

void
crash_try_end (int signum)
{
  if ((signum == SIGSEGV || signum == SIGBUS) && is_trying
      && __atomic_load_n (&owner, __ATOMIC_RELAXED) == thread_get_id ())
    siglongjmp (way_out, 1);
}

/* Modules */

static gsize
get_path (const StackModule *module, char path[CRASH_PATH_SIZE])
{
  gssize size = (gssize)strnlen (module->path, CRASH_PATH_SIZE - 1);

  if (size > 0)
    memcpy (path, module->path, (gsize)size);
  else
    size = readlink ("/proc/self/exe", path, CRASH_PATH_SIZE - 1);
  path[MAX (size, 0)] = '\0';
  return (gsize)MAX (size, 0);
}

static void
find_build_id (gpointer user_data)
{
  const StackModule *module = user_data;
  gsize size = 0;
  const guint8 *build_id = stack_find_build_id (module, &size);

  if (build_id == NULL || size > CRASH_BUILD_ID_SIZE)
    return;
  memcpy (module_record.build_id, build_id, size);
  module_record.build_id_size = (guint32)size;
}

static void
write_module (StackModule *module)
{
  gsize path_size;

  module_record.bias = module->bias;
  module_record.start = module->start;
  module_record.end = module->end;
  module_record.is_executable = module->path[0] == '\0';
  module_record.build_id_size = 0;
  crash_try (find_build_id, module);
  path_size = get_path (module, module_record.path);
  crash_record_write (&module_record.head, CRASH_RECORD_MODULE,
                      G_STRUCT_OFFSET (CrashModule, path) + path_size + 1);
}

static gboolean
is_written (guint64 start)
{
  for (gsize i = 0; i < n_written_modules; i++)
    if (written_modules[i] == start)
      return TRUE;
  return FALSE;
}

static void
write_modules (void)
{
  for (guint i = 0; i < stack_record.n_frames; i++)
    {
      StackModule module;

      if (!stack_find_module ((guintptr)stack_record.frames[i] - (i > 0), &module)
          || is_written (module.start) || n_written_modules == CRASH_MAX_MODULES)
        continue;
      written_modules[n_written_modules++] = module.start;
      write_module (&module);
    }
}

void
crash_record_forget_modules (void)
{
  n_written_modules = 0;
}

/* Stacks */

static gboolean
is_own (gconstpointer start)
{
  return procfun_function_is_boundary (start) || crash_threads_is_boundary (start);
}

typedef struct
{
  const Fault *fault;
  gpointer context;
  Stack stack;
} Reading;

/* The function that was called in vain has left no frame, but its caller has. */
static void
read_stack (gpointer user_data)
{
  Reading *self = user_data;
  guintptr return_address = fault_undo_call (self->fault, self->context);
  StackModule module;

  self->stack.begin = self->fault->pc;
  if (return_address != 0 && stack_find_module (return_address - 1, &module))
    {
      self->stack.frames[self->stack.n++] = return_address;
      self->stack.begin = fault_get_pc (self->context);
    }
  else if (return_address != 0)
    fault_redo_call (self->fault, self->context);
  stack_read (&self->stack);
}

void
crash_record_stack (const Fault *fault, gpointer context)
{
  Reading reading
      = { .fault = fault,
          .context = context,
          .stack
          = { .frames = stack_record.frames + 1, .max = CRASH_MAX_FRAMES - 1, .is_own = is_own } };

  crash_try (read_stack, &reading);
  fault_redo_call (fault, context);
  stack_record.frames[0] = fault->pc;
  stack_record.n_frames
      = 1 + (guint32)(reading.stack.met_own ? reading.stack.n_until_own : reading.stack.n);
  stack_record.tid = thread_get_id ();
  thread_get_name (stack_record.thread_name);
  write_modules ();
  crash_record_write (&stack_record.head, CRASH_RECORD_STACK,
                      G_STRUCT_OFFSET (CrashStack, frames)
                          + stack_record.n_frames * sizeof stack_record.frames[0]);
}
