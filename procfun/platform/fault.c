/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/fault.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

/* Functions reserve so much at once without touching all of it, and signal frames of the kernel fit
 * in it. */
#define NEAR_STACK (64 * 1024)

#if defined(__x86_64__) || defined(__i386__)

#ifdef __x86_64__
#define REGISTER_PC REG_RIP
#define REGISTER_SP REG_RSP
#else
#define REGISTER_PC REG_EIP
#define REGISTER_SP REG_ESP
#endif

/* Of a page fault's error code: Intel's manual, volume 3, 4.7. */
#define PAGE_FAULT 14
#define PAGE_FAULT_WRITE (1 << 1)
#define PAGE_FAULT_EXECUTE (1 << 4)

static void
read_registers (Fault *self, const ucontext_t *context)
{
  const greg_t *registers = context->uc_mcontext.gregs;

  self->pc = (guintptr)registers[REGISTER_PC];
  self->sp = (guintptr)registers[REGISTER_SP];
  if (registers[REG_TRAPNO] != PAGE_FAULT)
    self->access = FAULT_UNKNOWN;
  else if ((registers[REG_ERR] & PAGE_FAULT_EXECUTE) != 0)
    self->access = FAULT_EXECUTE;
  else
    self->access = (registers[REG_ERR] & PAGE_FAULT_WRITE) != 0 ? FAULT_WRITE : FAULT_READ;
}

static void
write_registers (ucontext_t *context, guintptr pc, guintptr sp)
{
  context->uc_mcontext.gregs[REGISTER_PC] = (greg_t)pc;
  context->uc_mcontext.gregs[REGISTER_SP] = (greg_t)sp;
}

/* A call leaves the address behind it on the stack. */
static guintptr
undo_call (const Fault *self, ucontext_t *context)
{
  guintptr return_address = *(const guintptr *)self->sp;

  write_registers (context, return_address - 1, self->sp + sizeof return_address);
  return return_address;
}

#elif defined(__aarch64__)

/* Of the Exception Syndrome Register: Arm's Architecture Reference Manual, D17.2.37. */
#define ESR_CLASS(esr) (((esr) >> 26) & 0x3f)
#define ESR_CLASS_INSTRUCTION_ABORT 0x20
#define ESR_CLASS_DATA_ABORT 0x24
#define ESR_WRITE (1 << 6)

/* The kernel adds records to the context, of which one is the register: asm/sigcontext.h. */
static guint64
find_esr (const ucontext_t *context)
{
  const guint8 *at = context->uc_mcontext.__reserved;
  const guint8 *end = at + sizeof context->uc_mcontext.__reserved;
  struct _aarch64_ctx head;
  struct esr_context esr;

  while (at + sizeof esr <= end)
    {
      memcpy (&head, at, sizeof head);
      if (head.magic == ESR_MAGIC)
        {
          memcpy (&esr, at, sizeof esr);
          return esr.esr;
        }
      if (head.magic == 0 || head.size < sizeof head)
        break;
      at += head.size;
    }
  return 0;
}

static void
read_registers (Fault *self, const ucontext_t *context)
{
  guint64 esr = find_esr (context);

  self->pc = (guintptr)context->uc_mcontext.pc;
  self->sp = (guintptr)context->uc_mcontext.sp;
  if (ESR_CLASS (esr) == ESR_CLASS_INSTRUCTION_ABORT)
    self->access = FAULT_EXECUTE;
  else if (ESR_CLASS (esr) == ESR_CLASS_DATA_ABORT)
    self->access = (esr & ESR_WRITE) != 0 ? FAULT_WRITE : FAULT_READ;
}

static void
write_registers (ucontext_t *context, guintptr pc, guintptr sp)
{
  context->uc_mcontext.pc = pc;
  context->uc_mcontext.sp = sp;
}

/* A call leaves the address behind it in the link register. */
static guintptr
undo_call (const Fault *self, ucontext_t *context)
{
  guintptr return_address = (guintptr)context->uc_mcontext.regs[30];

  write_registers (context, return_address - 4, self->sp);
  return return_address;
}

#elif defined(__s390x__)

#define REGISTER_RETURN 14
#define REGISTER_SP 15

/* The kernel does not say what kind of access it was. */
static void
read_registers (Fault *self, const ucontext_t *context)
{
  self->pc = (guintptr)context->uc_mcontext.psw.addr;
  self->sp = (guintptr)context->uc_mcontext.gregs[REGISTER_SP];
}

static void
write_registers (ucontext_t *context, guintptr pc, guintptr sp)
{
  context->uc_mcontext.psw.addr = pc;
  context->uc_mcontext.gregs[REGISTER_SP] = sp;
}

/* A call leaves the address behind it in a register. */
static guintptr
undo_call (const Fault *self, ucontext_t *context)
{
  guintptr return_address = (guintptr)context->uc_mcontext.gregs[REGISTER_RETURN];

  write_registers (context, return_address - 2, self->sp);
  return return_address;
}

#else

static void
read_registers (Fault *self, const ucontext_t *context)
{
}

static void
write_registers (ucontext_t *context, guintptr pc, guintptr sp)
{
}

static guintptr
undo_call (const Fault *self, ucontext_t *context)
{
  return 0;
}

#endif

/* The kernel reads the mask before it looks for the handler. */
static gboolean
is_readable (guintptr address)
{
  const int saved_errno = errno;
  const int no_such_operation = -1;
  gboolean readable = syscall (SYS_rt_sigprocmask, no_such_operation, address & ~(guintptr)7, NULL,
                               sizeof (guint64))
                          == 0
                      || errno != EFAULT;

  errno = saved_errno;
  return readable;
}

static gboolean
is_stack_overflow (const Fault *self, const siginfo_t *info)
{
  guintptr address = (guintptr)info->si_addr;

  if (self->sp == 0 || self->access == FAULT_EXECUTE)
    return FALSE;
  return (address > self->sp - NEAR_STACK && address < self->sp + NEAR_STACK)
         || !is_readable (self->sp);
}

void
fault_read (Fault *self, const siginfo_t *info, const void *context)
{
  *self = (Fault){ 0 };
  read_registers (self, context);
  self->has_address = (info->si_signo == SIGSEGV || info->si_signo == SIGBUS) && info->si_code > 0
                      && info->si_code != SI_KERNEL;
  if (!self->has_address)
    self->access = FAULT_UNKNOWN;
  else if ((guintptr)info->si_addr == self->pc)
    self->access = FAULT_EXECUTE;
  self->stack_overflow
      = self->has_address && info->si_signo == SIGSEGV && is_stack_overflow (self, info);
}

guintptr
fault_undo_call (const Fault *self, void *context)
{
  return self->access == FAULT_EXECUTE ? undo_call (self, context) : 0;
}

guintptr
fault_get_pc (const void *context)
{
  Fault fault = { 0 };

  read_registers (&fault, context);
  return fault.pc;
}

void
fault_redo_call (const Fault *self, void *context)
{
  if (self->sp != 0)
    write_registers (context, self->pc, self->sp);
}
