/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Text of a failure: one line, the full report, and a dictionary for programs. */

#include "procfun/core/failure.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/base/usage.h"
#include "procfun/platform/syscall-filter.h"
#include <string.h>

/* Longest part of the last line of output, in a message */
#define LAST_WORDS_MAX 200

/* Signals in words */

static char *
describe_access (ProcfunFailure *self, const char *name)
{
  g_autofree char *address = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", self->fault_address);

  switch (self->access)
    {
    case FAULT_READ:
      return g_strdup_printf (_ ("%s reading %s"), name, address);
    case FAULT_WRITE:
      return g_strdup_printf (_ ("%s writing %s"), name, address);
    case FAULT_EXECUTE:
      return g_strdup_printf (_ ("%s jumping to %s"), name, address);
    case FAULT_UNKNOWN:
    default:
      return g_strdup_printf (_ ("%s at %s"), name, address);
    }
}

static char *
describe_origin (ProcfunFailure *self, const char *name)
{
  if (self->sender == self->pid)
    return g_strdup_printf (_ ("%s (raised by itself)"), name);
  return g_strdup_printf (_ ("%s (sent by process %d)"), name, self->sender);
}

static char *
describe_system_call (ProcfunFailure *self)
{
  if (self->is_foreign_call)
    return g_strdup_printf (_ ("%d of another architecture"), self->system_call);
  return syscall_filter_name (self->system_call);
}

char *
failure_describe_signal (ProcfunFailure *self)
{
  const char *name = procfun_failure_get_signal_name (self);
  const char *code = failure_describe_signal_code (self);

  if (self->stack_overflow)
    return g_strdup_printf (_ ("%s (stack overflow)"), name);
  if (self->has_address)
    return describe_access (self, name);
  if (self->system_call >= 0)
    {
      g_autofree char *call = describe_system_call (self);

      return g_strdup_printf (_ ("%s (system call %s is not allowed)"), name, call);
    }
  if (code != NULL)
    return g_strdup_printf ("%s (%s)", name, code);
  if (self->sender > 0)
    return describe_origin (self, name);
  return g_strdup (name);
}

/* See sigaction(2). */
const char *
failure_describe_signal_code (ProcfunFailure *self)
{
  static const struct
  {
    int signum;
    int code;
    const char *text;
  } codes[] = {
    { SIGSEGV, SEGV_MAPERR, N_ ("nothing is mapped there") },
    { SIGSEGV, SEGV_ACCERR, N_ ("it is protected against that") },
    { SIGSEGV, SEGV_PKUERR, N_ ("a protection key forbids it") },
    { SIGSEGV, SI_KERNEL, N_ ("no such address can exist") },
    { SIGBUS, BUS_ADRALN, N_ ("wrong alignment") },
    { SIGBUS, BUS_ADRERR, N_ ("the mapped file or memory ends before") },
    { SIGBUS, BUS_OBJERR, N_ ("hardware error") },
    { SIGBUS, BUS_MCEERR_AR, N_ ("hardware memory error") },
    { SIGILL, ILL_ILLOPC, N_ ("no such instruction") },
    { SIGILL, ILL_ILLOPN, N_ ("no such instruction") },
    { SIGILL, ILL_PRVOPC, N_ ("privileged instruction") },
    { SIGFPE, FPE_INTDIV, N_ ("integer division by zero") },
    { SIGFPE, FPE_INTOVF, N_ ("integer overflow") },
    { SIGFPE, FPE_FLTDIV, N_ ("floating point division by zero") },
    { SIGFPE, FPE_FLTOVF, N_ ("floating point overflow") },
    { SIGFPE, FPE_FLTUND, N_ ("floating point underflow") },
    { SIGFPE, FPE_FLTRES, N_ ("inexact floating point result") },
    { SIGFPE, FPE_FLTINV, N_ ("invalid floating point operation") },
    { SIGTRAP, SI_KERNEL, N_ ("breakpoint") },
    { SIGTRAP, TRAP_BRKPT, N_ ("breakpoint") },
    { SIGXCPU, SI_KERNEL, N_ ("the CPU time is used up") },
    { SIGXFSZ, SI_KERNEL, N_ ("the file would become too large") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    if (codes[i].signum == self->signum && codes[i].code == self->signal_code)
      return _ (codes[i].text);
  return NULL;
}

/* Output */

static char *
read_tail (GBytes *tail)
{
  gsize size;
  const char *data = g_bytes_get_data (tail, &size);

  return readable_text (data != NULL ? data : "", (gssize)size);
}

/* The last line that is not empty. */
static char *
get_last_line (GBytes *tail)
{
  g_autofree char *text = tail != NULL ? read_tail (tail) : g_strdup ("");
  const char *line = strrchr (g_strchomp (text), '\n');

  line = line != NULL ? line + 1 : text;
  if (g_utf8_strlen (line, -1) > LAST_WORDS_MAX)
    *g_utf8_offset_to_pointer (line, LAST_WORDS_MAX) = '\0';
  return g_strstrip (g_strdup (line));
}

static char *
get_last_words (ProcfunFailure *self)
{
  g_autofree char *words = get_last_line (self->stderr_tail);

  return words[0] != '\0' ? g_steal_pointer (&words) : get_last_line (self->stdout_tail);
}

/* The crash report says more than the verdict. */
static gboolean
is_crash (ProcfunFailure *self)
{
  return self->cause == PROCFUN_CAUSE_CRASHED && self->signum != 0;
}

/* By abort(), or as g_error() does. */
static gboolean
has_given_up (ProcfunFailure *self)
{
  return is_crash (self) && (self->signum == SIGABRT || self->signum == SIGTRAP);
}

static char *
describe_abort (ProcfunFailure *self)
{
  g_autofree char *message = readable_line (self->abort_message, -1);

  return g_strdup_printf (_ ("%s() aborted: “%s”"), self->function_name, message);
}

static char *
describe_refusal (ProcfunFailure *self)
{
  g_autofree char *call = describe_system_call (self);

  return g_strdup_printf (_ ("%s() was refused the system call %s"), self->function_name, call);
}

/* Sentence about the cause. The verdict is more exact where there is one. */
static char *
describe_cause (ProcfunFailure *self)
{
  const char *name = self->function_name;
  g_autofree char *how = is_crash (self) ? failure_describe_signal (self) : NULL;

  if (self->verdict != NULL && !is_crash (self))
    return g_strdup_printf (_ ("%s() %s"), name, self->verdict);
  if (is_crash (self) && self->system_call >= 0)
    return describe_refusal (self);
  if (has_given_up (self) && self->abort_message != NULL)
    return describe_abort (self);
  if (how != NULL && self->signum == SIGABRT)
    return g_strdup_printf (_ ("%s() aborted: %s"), name, how);
  if (how != NULL)
    return g_strdup_printf (_ ("%s() crashed: %s"), name, how);
  if (self->cause == PROCFUN_CAUSE_EXITED)
    return g_strdup_printf (_ ("%s() ended its process by exit (%d)"), name, self->exit_code);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  return g_strdup_printf (_ (failure_get_sentence (self->cause)), name);
#pragma GCC diagnostic pop
}

static char *
add_place (ProcfunFailure *self, const char *cause)
{
  if (self->place == NULL)
    return g_strdup (cause);
  if (is_crash (self))
    return g_strdup_printf (_ ("%s in %s"), cause, self->place);
  return g_strdup_printf (_ ("%s; it was in %s"), cause, self->place);
}

char *
failure_summarise (ProcfunFailure *self)
{
  g_autofree char *cause = NULL;
  g_autofree char *words = NULL;
  g_autofree char *head = NULL;

  failure_make_readable (self);
  cause = describe_cause (self);
  words = get_last_words (self);
  head = add_place (self, cause);

  /* The message of an assertion or of g_error() is on stderr, too. */
  if (words[0] == '\0'
      || (is_crash (self) && self->abort_message != NULL
          && strstr (words, self->abort_message) != NULL))
    return g_steal_pointer (&head);
  return g_strdup_printf (_ ("%s; last output: “%s”"), head, words);
}

/* In full */

static void
add_row (GString *text, const char *label, char *value)
{
  if (value != NULL)
    g_string_append_printf (text, "  %s: %s\n", label, value);
  g_free (value);
}

/* Puts each line of @value behind a bar, so that it cannot pass for a line of the report. */
static void
add_block (GString *text, const char *label, const char *value)
{
  g_auto (GStrv) lines = g_strsplit (value, "\n", -1);
  guint n = g_strv_length (lines);

  g_string_append_printf (text, "  %s:\n", label);
  while (n > 0 && lines[n - 1][0] == '\0')
    n--;
  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "    | %s\n", lines[i]);
}

static void
add_output (GString *text, const char *label, GBytes *tail)
{
  g_autofree char *value = tail != NULL ? read_tail (tail) : g_strdup ("");

  if (value[0] != '\0')
    add_block (text, label, value);
}

/* Frames of a deep recursion are equal. */
static guint
count_equal (char *const *lines)
{
  guint n = 1;

  while (lines[n] != NULL && strcmp (lines[0], lines[n]) == 0)
    n++;
  return n;
}

static void
add_backtrace (GString *text, char *const *backtrace)
{
  guint number = 0;

  g_string_append_printf (text, "  %s:\n", _ ("backtrace"));
  for (guint i = 0, n; backtrace[i] != NULL; i += n)
    {
      n = count_equal (backtrace + i);
      if (g_str_has_suffix (backtrace[i], ":"))
        {
          g_string_append_printf (text, "    %s\n", backtrace[i]);
          number = 0;
          continue;
        }
      g_string_append_printf (text, "    #%-2u %s\n", number, backtrace[i]);
      if (n > 1)
        g_string_append_printf (text, _ ("        and %u more of the same\n"), n - 1);
      number += n;
    }
}

static char *
describe_process (ProcfunFailure *self)
{
  if (self->pid == 0)
    return NULL;
  if (self->thread_id == 0 || self->thread_id == self->pid)
    return g_strdup_printf ("%d", self->pid);
  return g_strdup_printf (_ ("%d, thread %d “%s”"), self->pid, self->thread_id,
                          self->thread_name != NULL ? self->thread_name : "");
}

static void
add_signal (GString *text, ProcfunFailure *self)
{
  const char *code = failure_describe_signal_code (self);
  g_autofree char *how = NULL;

  if (self->signum == 0)
    return;
  how = failure_describe_signal (self);
  if (code != NULL && strstr (how, code) != NULL)
    code = NULL;
  add_row (text, _ ("signal"),
           g_strdup_printf (_ ("%d, %s; code %d%s%s"), self->signum, how, self->signal_code,
                            code != NULL ? ", " : "", code != NULL ? code : ""));
  if (self->wait_signum != 0)
    add_row (text, _ ("died of signal"),
             g_strdup_printf ("%d, %s", self->wait_signum, g_strsignal (self->wait_signum)));
  if (self->program_counter != 0)
    add_row (text, _ ("program counter"),
             g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", self->program_counter));
}

static const char *
get_nick (GType type, int value)
{
  g_autoptr (GEnumClass) class = g_type_class_ref (type);
  const GEnumValue *found = g_enum_get_value (class, value);

  return found != NULL ? found->value_nick : "";
}

/**
 * procfun_failure_to_string:
 * @self: a #ProcfunFailure
 *
 * All that is known, in several lines for people, in their language. Programs use
 * procfun_failure_to_variant() or the getters.
 *
 * Returns: (transfer full): the text, which ends with a newline
 * Since: 0.1
 */
char *
procfun_failure_to_string (ProcfunFailure *self)
{
  g_autofree char *summary = NULL;
  GString *text;

  g_return_val_if_fail (self != NULL, NULL);
  failure_complete (self);

  summary = failure_summarise (self);
  text = g_string_new (summary);
  g_string_append_c (text, '\n');
  add_row (text, _ ("host"), g_strdup (self->host));
  add_row (text, _ ("process"), describe_process (self));
  add_signal (text, self);
  if (self->exit_code >= 0)
    add_row (text, _ ("exit code"), g_strdup_printf ("%d", self->exit_code));
  if (self->step != PROCFUN_STEP_NONE)
    add_row (text, _ ("ended by"), g_strdup (get_nick (PROCFUN_TYPE_STEP, (int)self->step)));
  if (self->refused_call >= 0)
    add_row (text, _ ("refused before"), syscall_filter_name (self->refused_call));
  if (self->abort_message != NULL)
    add_block (text, _ ("message"), self->abort_message);
  if (self->backtrace != NULL && self->backtrace[0] != NULL)
    add_backtrace (text, self->backtrace);
  if (self->limits != NULL)
    add_row (text, _ ("limits"), procfun_limits_to_string (self->limits));
  if (self->usage != NULL)
    add_row (text, _ ("usage"), procfun_usage_to_string (self->usage));
  add_output (text, _ ("end of stderr"), self->stderr_tail);
  add_output (text, _ ("end of stdout"), self->stdout_tail);
  return g_string_free (text, FALSE);
}

/* For programs */

static void
insert_string (GVariantDict *dict, const char *key, const char *value)
{
  if (value != NULL)
    g_variant_dict_insert (dict, key, "s", value);
}

/* 0: not known */
static void
insert_number (GVariantDict *dict, const char *key, int value)
{
  if (value != 0)
    g_variant_dict_insert (dict, key, "i", value);
}

static void
insert_address (GVariantDict *dict, const char *key, guint64 value)
{
  g_autofree char *text = g_strdup_printf ("0x%" G_GINT64_MODIFIER "x", value);

  insert_string (dict, key, text);
}

static void
insert_output (GVariantDict *dict, const char *key, GBytes *tail)
{
  gsize size;
  const char *data = tail != NULL ? g_bytes_get_data (tail, &size) : NULL;
  g_autofree char *text = data != NULL ? g_utf8_make_valid (data, (gssize)size) : NULL;

  insert_string (dict, key, text);
}

static void
insert_signal (GVariantDict *dict, ProcfunFailure *self)
{
  static const char *const accesses[]
      = { [FAULT_READ] = "read", [FAULT_WRITE] = "write", [FAULT_EXECUTE] = "execute" };

  if (self->signum == 0)
    return;
  g_variant_dict_insert (dict, "signal", "i", self->signum);
  insert_string (dict, "signal-name", procfun_failure_get_signal_name (self));
  g_variant_dict_insert (dict, "signal-code", "i", self->signal_code);
  insert_number (dict, "wait-signal", self->wait_signum);
  insert_number (dict, "sender", self->sender);
  if (self->system_call >= 0)
    g_variant_dict_insert (dict, "system-call", "i", self->system_call);
  if (self->has_address)
    insert_address (dict, "fault-address", self->fault_address);
  if (self->access < G_N_ELEMENTS (accesses))
    insert_string (dict, "access", accesses[self->access]);
  if (self->stack_overflow)
    g_variant_dict_insert (dict, "stack-overflow", "b", TRUE);
  if (self->program_counter != 0)
    insert_address (dict, "program-counter", self->program_counter);
}

static GVariant *
usage_to_variant (const ProcfunUsage *usage)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);

  g_variant_dict_insert (&dict, "wall-time", "x", usage->wall_time);
  g_variant_dict_insert (&dict, "user-time", "x", usage->user_time);
  g_variant_dict_insert (&dict, "system-time", "x", usage->system_time);
  g_variant_dict_insert (&dict, "peak-memory", "t", usage->peak_memory);
  g_variant_dict_insert (&dict, "minor-faults", "t", usage->minor_faults);
  g_variant_dict_insert (&dict, "major-faults", "t", usage->major_faults);
  g_variant_dict_insert (&dict, "voluntary-switches", "t", usage->voluntary_switches);
  g_variant_dict_insert (&dict, "involuntary-switches", "t", usage->involuntary_switches);
  g_variant_dict_insert (&dict, "bytes-in", "t", usage->bytes_in);
  g_variant_dict_insert (&dict, "bytes-out", "t", usage->bytes_out);
  return g_variant_dict_end (&dict);
}

/**
 * procfun_failure_to_variant:
 * @self: a #ProcfunFailure
 *
 * All that is known, for programs: a dictionary `a{sv}` that a JSON object can be made of. What is
 * not known is not there.
 *
 * `function`, `message` (that of the error), `cause` and `step` (nicks of #ProcfunCause and
 * #ProcfunStep), `abort-message`, `thread-name`, `signal-name`, `limits` (as
 * procfun_limits_to_string() has them), `stdout` and `stderr` are strings, and so are the addresses
 * `fault-address` and `program-counter` (`0x…`) and `access`: `read`, `write` or `execute`. `pid`,
 * `thread`, `exit-code`, `signal`, `signal-code`, `wait-signal`, `sender` and `system-call` are of
 * type `i`, `stack-overflow` is `b`, `backtrace` is `as`, and `usage` a dictionary with the names
 * of the getters of #ProcfunUsage.
 *
 * Returns: (transfer full): the dictionary
 * Since: 0.1
 */
GVariant *
procfun_failure_to_variant (ProcfunFailure *self)
{
  g_auto (GVariantDict) dict = G_VARIANT_DICT_INIT (NULL);
  g_autofree char *summary = NULL;
  g_autofree char *limits = NULL;

  g_return_val_if_fail (self != NULL, NULL);
  failure_complete (self);

  summary = failure_summarise (self);
  limits = self->limits != NULL ? procfun_limits_to_string (self->limits) : NULL;
  insert_string (&dict, "function", self->function_name);
  insert_string (&dict, "message", summary);
  insert_string (&dict, "cause", get_nick (PROCFUN_TYPE_CAUSE, (int)self->cause));
  insert_string (&dict, "step", get_nick (PROCFUN_TYPE_STEP, (int)self->step));
  insert_string (&dict, "host", self->host);
  insert_number (&dict, "pid", self->pid);
  insert_number (&dict, "thread", self->thread_id);
  insert_string (&dict, "thread-name", self->thread_name);
  if (self->exit_code >= 0)
    g_variant_dict_insert (&dict, "exit-code", "i", self->exit_code);
  insert_signal (&dict, self);
  insert_string (&dict, "abort-message", self->abort_message);
  if (self->backtrace != NULL)
    g_variant_dict_insert (&dict, "backtrace", "^as", self->backtrace);
  insert_string (&dict, "limits", limits);
  if (self->usage != NULL)
    g_variant_dict_insert_value (&dict, "usage", usage_to_variant (self->usage));
  insert_output (&dict, "stdout", self->stdout_tail);
  insert_output (&dict, "stderr", self->stderr_tail);
  return g_variant_ref_sink (g_variant_dict_end (&dict));
}
