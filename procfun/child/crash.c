/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/child/crash.h"

#include "procfun/child/crash-record.h"
#include "procfun/child/crash-stacks.h"
#include "procfun/child/crash-threads.h"
#include "procfun/platform/leave.h"
#include "procfun/platform/limits-apply.h"
#include "procfun/platform/syscall-refusal.h"
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

/* Time that a thread which crashes, too, leaves to the first one for its report. */
#define WAIT_MS 3000

/* glibc's stdlib/abort and assert keep here what they print. */
typedef struct
{
  unsigned int size;
  char text[];
} AbortMessage;

/* Text that g_assert() and its like print: it is exported for debuggers, but no header declares it.
 */
extern char *__glib_assert_msg;

static const AbortMessage *const *abort_message;
static const UsageMark *usage_mark;
static int reporter; /* the thread that crashed first, or 0 */

/* The one that crash_try() reads: bytes of it may be anywhere. */
typedef struct
{
  CrashDeath *death;
  const char *text;
} Message;

static void
copy_message (gpointer user_data)
{
  const Message *self = user_data;

  for (gsize i = 0; i + 1 < sizeof self->death->message && self->text[i] != '\0'; i++)
    self->death->message[i] = self->text[i];
}

static void
read_message (CrashDeath *death)
{
  Message message = { .death = death, .text = __glib_assert_msg };

  if (death->signum != SIGABRT)
    return;
  if (message.text == NULL && abort_message != NULL && *abort_message != NULL)
    message.text = (*abort_message)->text;
  if (message.text == NULL || !crash_record_begin ())
    return;
  crash_try (copy_message, &message);
  crash_record_end ();
}

static void
read_usage (CrashDeath *death)
{
  if (usage_mark == NULL)
    return;
  usage_end (usage_mark, &death->usage);
  death->flags |= CRASH_HAS_USAGE;
}

static guint32
get_flags (const Fault *fault)
{
  LimitsExhausted exhausted = limits_probe ();

  return ((exhausted & LIMITS_MEMORY_EXHAUSTED) != 0 ? CRASH_MEMORY_EXHAUSTED : 0)
         | ((exhausted & LIMITS_FILES_EXHAUSTED) != 0 ? CRASH_FILES_EXHAUSTED : 0)
         | (fault->stack_overflow ? CRASH_STACK_OVERFLOW : 0)
         | (fault->has_address ? CRASH_HAS_ADDRESS : 0);
}

static void
read_system_calls (CrashDeath *death, const siginfo_t *info)
{
  death->system_call = -1;
  if (death->signum == SIGSYS && info->si_code > 0)
    {
      death->system_call = info->si_syscall;
      if (!syscall_refusal_is_native (info))
        death->flags |= CRASH_FOREIGN_SYSTEM_CALL;
    }
  else
    death->refused = MAX (syscall_refusal_get_last (), 0);
}

static void
report_death (int signum, const siginfo_t *info, const Fault *fault, int error_number)
{
  static CrashDeath death; /* one thread reports */

  death.signum = signum;
  death.code = info->si_code;
  death.error_number = error_number;
  death.pid = getpid ();
  death.tid = thread_get_id ();
  death.sender = info->si_code <= 0 ? info->si_pid : 0;
  death.access = fault->access;
  death.flags = get_flags (fault);
  read_system_calls (&death, info);
  death.address = fault->has_address ? (guintptr)info->si_addr : 0;
  death.pc = fault->pc;
  death.sp = fault->sp;
  thread_get_name (death.thread_name);
  limits_release_reserve ();
  read_usage (&death);
  read_message (&death);
  crash_record_write (&death.head, CRASH_RECORD_DEATH, sizeof death);
}

static void
report (int signum, const siginfo_t *info, gpointer context, int error_number)
{
  Fault fault;

  fault_read (&fault, info, context);
  report_death (signum, info, &fault, error_number);
  if (!crash_record_begin ())
    return;
  crash_record_forget_modules ();
  crash_record_stack (&fault, context);
  crash_record_end ();
}

/* The same signal waits, blocked, until the handler has returned: then it finds the registers and
 * the stack as they were, and ends the process in the default way. */
static void
take_course (int signum, const siginfo_t *info, ucontext_t *context)
{
  sigset_t set;

  signal (signum, SIG_DFL);
  sigemptyset (&set);
  sigaddset (&set, signum);
  crash_threads_mask (SIG_BLOCK, &set);
  sigdelset (&context->uc_sigmask, signum);
  thread_signal_again (signum, info);
}

/* The process ends while this waits. */
static void
wait_for_reporter (void)
{
  const struct timespec time = { .tv_sec = WAIT_MS / 1000, .tv_nsec = WAIT_MS % 1000 * 1000000 };

  nanosleep (&time, NULL);
}

/* signal-safety(7) lists the functions that a signal handler may call. Besides these the handler
 * uses system calls whose wrapper does nothing more, such as sigaltstack(), atomic operations, and
 * the functions of platform/stack.h with their conditions. */
static void
on_crash (int signum, siginfo_t *info, void *context)
{
  int error_number = errno;
  int self = thread_get_id ();
  int nobody = 0;

  if (signum == SIGSYS && syscall_refusal_handle (info, context))
    return;
  crash_try_end (signum);
  if (!crash_record_is_mine ())
    ;
  else if (__atomic_compare_exchange_n (&reporter, &nobody, self, FALSE, __ATOMIC_ACQ_REL,
                                        __ATOMIC_ACQUIRE))
    {
      report (signum, info, context, error_number);
      leave_write_counts ();
    }
  else if (nobody != self)
    wait_for_reporter ();
  take_course (signum, info, context);
  errno = error_number;
}

static gboolean
is_free (int signum)
{
  struct sigaction action;

  return sigaction (signum, NULL, &action) == 0 && action.sa_handler == SIG_DFL;
}

static const struct sigaction crash_action
    = { .sa_sigaction = on_crash, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER };

/* No SA_RESETHAND: a second thread that crashes must not end the process while the first one
 * reports. SA_NODEFER, so that a crash in the handler comes to the handler. */
static void
install_handlers (void)
{
  static const int signals[]
      = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS, SIGXCPU, SIGXFSZ };

  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    if (is_free (signals[i]))
      sigaction (signals[i], &crash_action, NULL);
}

void
crash_take_refusals (void)
{
  sigaction (SIGSYS, &crash_action, NULL);
}

void
crash_install (int report_fd)
{
  static gboolean installed;

  crash_record_open (report_fd);
  if (installed)
    return;
  installed = TRUE;
  abort_message = dlvsym (RTLD_DEFAULT, "__abort_msg", "GLIBC_PRIVATE");
  crash_threads_install ();
  install_handlers ();
  crash_stacks_install ();
}

void
crash_set_usage_mark (const UsageMark *mark)
{
  usage_mark = mark;
}
