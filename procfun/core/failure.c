/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/core/failure.h"

#include "procfun/base/error.h"
#include "procfun/base/readable.h"
#include "procfun/base/usage.h"
#include <string.h>

/**
 * SECTION:procfun-failure
 * @title: ProcfunFailure
 * @short_description: why a call failed, in full
 *
 * A description of why a call failed. Immutable.
 */

/**
 * ProcfunFailure:
 *
 * A description of why a call failed. Immutable.
 *
 * Each error of %PROCFUN_ERROR that ends a call carries a #ProcfunFailure, which
 * procfun_error_get_failure() gives: the signal and the address, where in the code it happened,
 * what the function had written last, what it had used and what it was allowed. The message of the
 * error sums it up in a line; procfun_failure_to_string() says all of it.
 *
 * Unknown values are 0, -1 or %NULL. A process that is killed by SIGKILL, or that blocks the
 * signal that it dies of, leaves nothing but that signal.
 *
 * Since: 0.1
 */

#define VALUE(NAME, nick, ended, code, sentence, summary)                                          \
  { PROCFUN_CAUSE_##NAME, "PROCFUN_CAUSE_" #NAME, nick },

GType
procfun_cause_get_type (void)
{
  static const GEnumValue values[] = { FAILURE_CAUSES (VALUE){ 0, NULL, NULL } };
  static gsize type;

  if (g_once_init_enter (&type))
    g_once_init_leave (&type, g_enum_register_static ("ProcfunCause", values));
  return (GType)type;
}

#define ROW(NAME, nick, ended, code, sentence, summary)                                            \
  [PROCFUN_CAUSE_##NAME] = { FAILURE_ENDED_BY_##ended, code, sentence, summary },

static const struct
{
  FailureEnded ended;
  int code;
  const char *sentence;
  const char *summary;
} rows[] = { FAILURE_CAUSES (ROW) };

G_STATIC_ASSERT (G_N_ELEMENTS (rows) == FAILURE_N_CAUSES);

FailureEnded
failure_get_ended (ProcfunCause cause)
{
  return rows[cause].ended;
}

int
failure_get_code (ProcfunCause cause)
{
  return rows[cause].code;
}

const char *
failure_get_sentence (ProcfunCause cause)
{
  return rows[cause].sentence;
}

/* clang-format off */
G_DEFINE_ENUM_TYPE (ProcfunStep, procfun_step,
  G_DEFINE_ENUM_VALUE (PROCFUN_STEP_NONE, "none"),
  G_DEFINE_ENUM_VALUE (PROCFUN_STEP_CANCELLABLE, "cancellable"),
  G_DEFINE_ENUM_VALUE (PROCFUN_STEP_TERMINATE, "terminate"),
  G_DEFINE_ENUM_VALUE (PROCFUN_STEP_KILL, "kill"))
/* clang-format on */

G_DEFINE_BOXED_TYPE (ProcfunFailure, procfun_failure, procfun_failure_ref, procfun_failure_unref)

ProcfunFailure *
procfun_failure_new (ProcfunCause cause, const char *function_name)
{
  ProcfunFailure *self = g_new0 (ProcfunFailure, 1);

  g_atomic_ref_count_init (&self->ref_count);
  self->cause = cause;
  self->function_name = g_strdup (function_name);
  self->exit_code = -1;
  self->system_call = -1;
  self->refused_call = -1;
  return self;
}

/**
 * procfun_failure_ref:
 * @self: a #ProcfunFailure
 *
 * Adds a reference.
 *
 * Returns: (transfer full): @self
 * Since: 0.1
 */
ProcfunFailure *
procfun_failure_ref (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  g_atomic_ref_count_inc (&self->ref_count);
  return self;
}

/**
 * procfun_failure_unref:
 * @self: (transfer full): a #ProcfunFailure
 *
 * Drops a reference, and frees @self with the last one.
 *
 * Since: 0.1
 */
void
procfun_failure_unref (ProcfunFailure *self)
{
  g_return_if_fail (self != NULL);

  if (!g_atomic_ref_count_dec (&self->ref_count))
    return;
  g_free (self->function_name);
  g_free (self->verdict);
  g_free (self->thread_name);
  g_free (self->abort_message);
  g_free (self->place);
  g_strfreev (self->backtrace);
  g_clear_pointer (&self->stacks, g_bytes_unref);
  g_clear_pointer (&self->names_request, g_bytes_unref);
  g_clear_pointer (&self->stdout_tail, g_bytes_unref);
  g_clear_pointer (&self->stderr_tail, g_bytes_unref);
  g_clear_pointer (&self->limits, procfun_limits_free);
  g_clear_pointer (&self->usage, procfun_usage_free);
  g_free (self);
}

static GMutex lock; /* of what is looked up, or made readable, on demand */

static void
replace_by_readable (char **text, char *(*make) (const char *text, gssize length))
{
  char *readable = *text != NULL ? make (*text, -1) : NULL;

  g_free (*text);
  *text = readable;
}

static void
make_backtrace_readable (ProcfunFailure *self)
{
  for (gsize i = 0; self->backtrace != NULL && self->backtrace[i] != NULL; i++)
    replace_by_readable (&self->backtrace[i], readable_line);
}

static void
make_readable (ProcfunFailure *self)
{
  if (self->is_readable)
    return;
  replace_by_readable (&self->verdict, readable_line);
  replace_by_readable (&self->thread_name, readable_line);
  replace_by_readable (&self->abort_message, readable_text);
  replace_by_readable (&self->place, readable_line);
  make_backtrace_readable (self);
  self->is_readable = TRUE;
}

void
failure_make_readable (ProcfunFailure *self)
{
  g_mutex_lock (&lock);
  make_readable (self);
  g_mutex_unlock (&lock);
}

void
failure_complete (ProcfunFailure *self)
{
  g_mutex_lock (&lock);
  if (self->stacks != NULL)
    {
      g_autoptr (GBytes) stacks = g_steal_pointer (&self->stacks);

      self->look_up (self, stacks, self->names_request);
      make_backtrace_readable (self);
    }
  make_readable (self);
  g_mutex_unlock (&lock);
}

/**
 * procfun_failure_get_cause:
 * @self: a #ProcfunFailure
 *
 * Why the call failed.
 *
 * Returns: the cause
 * Since: 0.1
 */
ProcfunCause
procfun_failure_get_cause (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, PROCFUN_CAUSE_ERROR);

  return self->cause;
}

/**
 * procfun_failure_get_summary:
 * @self: a #ProcfunFailure
 *
 * Gets a sentence for the users of a program, in their language and without names of code, such as
 * "The operation crashed.". For developers there are the message of the error and
 * procfun_failure_to_string().
 *
 * Returns: (transfer none): the sentence
 *
 * Since: 0.1
 */
const char *
procfun_failure_get_summary (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return _ (rows[self->cause].summary);
}

/**
 * procfun_failure_get_function_name:
 * @self: a #ProcfunFailure
 *
 * The name of the function that was called.
 *
 * Returns: the name
 * Since: 0.1
 */
const char *
procfun_failure_get_function_name (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->function_name;
}

/**
 * procfun_failure_get_pid:
 * @self: a #ProcfunFailure
 *
 * The number that the process had. It is gone, and the number may be another one's by now.
 *
 * Returns: the process id, or 0 when none was started
 * Since: 0.1
 */
int
procfun_failure_get_pid (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->pid;
}

/**
 * procfun_failure_get_host:
 * @self: a #ProcfunFailure
 *
 * Gets the machine of the process, as it was named to procfun_remote_pool_new().
 *
 * Returns: (transfer none) (nullable): a name, or %NULL when it is this machine
 * Since: 0.1
 */
const char *
procfun_failure_get_host (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->host;
}

/**
 * procfun_failure_get_exit_code:
 * @self: a #ProcfunFailure
 *
 * Gets the exit code of the process, if the function ended it by an exit.
 *
 * Returns: a number from 0 to 255, or -1 when it did not exit
 * Since: 0.1
 */
int
procfun_failure_get_exit_code (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, -1);

  return self->exit_code;
}

/**
 * procfun_failure_get_signal:
 * @self: a #ProcfunFailure
 *
 * The signal that ended the process: the first one, should others have followed.
 *
 * Returns: the number of the signal, or 0 when it was none
 * Since: 0.1
 */
int
procfun_failure_get_signal (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->signum;
}

char *
failure_name_signal (int signum)
{
  const char *name = sigabbrev_np (signum);

  if (name != NULL)
    return g_strconcat ("SIG", name, NULL);
  if (signum >= SIGRTMIN && signum <= SIGRTMAX)
    return g_strdup_printf ("SIGRTMIN+%d", signum - SIGRTMIN);
  return g_strdup_printf ("SIG%d", signum);
}

/**
 * procfun_failure_get_signal_name:
 * @self: a #ProcfunFailure
 *
 * The name of what procfun_failure_get_signal() gives, such as “SIGSEGV”.
 *
 * Returns: (nullable): the name, or %NULL when no signal ended the process
 * Since: 0.1
 */
const char *
procfun_failure_get_signal_name (ProcfunFailure *self)
{
  g_autofree char *name = NULL;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->signum == 0)
    return NULL;
  name = failure_name_signal (self->signum);
  return g_intern_string (name);
}

/**
 * procfun_failure_get_signal_code:
 * @self: a #ProcfunFailure
 *
 * Gets the origin of the signal: `si_code`, see sigaction(2). It is positive if the kernel found
 * the fault, and not if somebody sent the signal.
 *
 * Returns: the code, or 0 when it is not known
 * Since: 0.1
 */
int
procfun_failure_get_signal_code (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->signal_code;
}

/**
 * procfun_failure_get_fault_address:
 * @self: a #ProcfunFailure
 *
 * The address that could not be accessed, for signals such as SIGSEGV.
 *
 * Returns: the address, or 0 also when it is not known
 * Since: 0.1
 */
guint64
procfun_failure_get_fault_address (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->fault_address;
}

/**
 * procfun_failure_get_program_counter:
 * @self: a #ProcfunFailure
 *
 * The address of the instruction that the signal interrupted.
 *
 * Returns: the address, or 0 when it is not known
 * Since: 0.1
 */
guint64
procfun_failure_get_program_counter (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->program_counter;
}

/**
 * procfun_failure_get_abort_message:
 * @self: a #ProcfunFailure
 *
 * Gets the message of the C library or GLib that aborted the process, such as a failed assertion.
 *
 * Returns: (nullable): the message, or %NULL when there was none
 * Since: 0.1
 */
const char *
procfun_failure_get_abort_message (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  failure_make_readable (self);
  return self->abort_message;
}

/**
 * procfun_failure_get_backtrace:
 * @self: a #ProcfunFailure
 *
 * Where the process was when it crashed, or when its time was over: a line for each frame, the
 * innermost first, as `function (file.c:123)` where there are debug data, else `function`, else
 * `module+0x1234`. When the time was over it shows all threads, each after a line with its name
 * that ends with a colon.
 *
 * Returns: (array zero-terminated=1) (transfer none) (nullable): the lines
 * Since: 0.1
 */
const char *const *
procfun_failure_get_backtrace (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  failure_complete (self);
  return (const char *const *)self->backtrace;
}

/**
 * procfun_failure_get_stdout_tail:
 * @self: a #ProcfunFailure
 *
 * The end of what the process wrote to its standard output, if that was kept: at most 4096 bytes.
 *
 * Returns: (transfer none) (nullable): the bytes, which need be no UTF-8
 * Since: 0.1
 */
GBytes *
procfun_failure_get_stdout_tail (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->stdout_tail;
}

/**
 * procfun_failure_get_stderr_tail:
 * @self: a #ProcfunFailure
 *
 * The end of what the process wrote to its standard error, if that was kept: at most 4096 bytes.
 *
 * Returns: (transfer none) (nullable): the bytes, which need be no UTF-8
 * Since: 0.1
 */
GBytes *
procfun_failure_get_stderr_tail (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->stderr_tail;
}

/**
 * procfun_failure_get_step:
 * @self: a #ProcfunFailure
 *
 * Gets the last step that was taken to end the call.
 *
 * Returns: the step
 *
 * Since: 0.1
 */
ProcfunStep
procfun_failure_get_step (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, PROCFUN_STEP_NONE);

  return self->step;
}

/**
 * procfun_failure_get_limits:
 * @self: a #ProcfunFailure
 *
 * The limits that the call had.
 *
 * Returns: (transfer none) (nullable): the limits, or %NULL when there were none
 * Since: 0.1
 */
const ProcfunLimits *
procfun_failure_get_limits (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->limits;
}

/**
 * procfun_failure_get_usage:
 * @self: a #ProcfunFailure
 *
 * Gets the resources that the call had used by its end.
 *
 * Returns: (transfer none) (nullable): the usage, or %NULL when it is not known
 * Since: 0.1
 */
const ProcfunUsage *
procfun_failure_get_usage (ProcfunFailure *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->usage;
}

void
failure_attach (ProcfunFailure *self, GError *error)
{
  error_set_boxed (error, PROCFUN_TYPE_FAILURE, self);
}

/**
 * procfun_error_get_failure:
 * @error: a #GError of any domain
 *
 * Why the call failed, of an error of %PROCFUN_ERROR with which a call ended. Copies of the error
 * have it, too.
 *
 * Returns: (transfer none) (nullable): the failure, or %NULL when @error carries none
 * Since: 0.1
 */
ProcfunFailure *
procfun_error_get_failure (const GError *error)
{
  return error_get_boxed (error, PROCFUN_TYPE_FAILURE);
}
