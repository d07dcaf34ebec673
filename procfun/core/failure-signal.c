/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Signals in words. */

#include "procfun/core/failure.h"

#include "procfun/base/intl.h"

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
    return g_strdup_printf (_ ("%s (system call %d is not allowed)"), name, self->system_call);
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
