/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "procfun/platform/float-mode.h"

#if defined(__x86_64__) || defined(__i386__)

#ifdef __SSE__
#define STICKY_FLAGS 0x3fU /* exceptions that occurred, in MXCSR */

static guint32
get_sse (void)
{
  guint32 sse;

  __asm__ volatile("stmxcsr %0" : "=m"(sse));
  return sse & ~STICKY_FLAGS;
}

static void
set_sse (guint32 sse)
{
  __asm__ volatile("ldmxcsr %0" : : "m"(sse));
}
#else
/* A processor may be without it. */
static guint32
get_sse (void)
{
  return 0;
}

static void
set_sse (guint32 sse)
{
}
#endif

guint64
float_mode_get (void)
{
  guint16 x87;

  __asm__ volatile("fnstcw %0" : "=m"(x87));
  return (guint64)get_sse () << 32 | x87;
}

/* fnclex: a pending exception would trap as soon as it is unmasked, or at the next x87 instruction.
 */
void
float_mode_set (guint64 mode)
{
  const guint16 x87 = (guint16)mode;

  if (float_mode_get () == mode)
    return;
  __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(x87));
  set_sse ((guint32)(mode >> 32));
}

#elif defined(__aarch64__)

guint64
float_mode_get (void)
{
  guint64 mode;

  __asm__ volatile("mrs %0, fpcr" : "=r"(mode));
  return mode;
}

void
float_mode_set (guint64 mode)
{
  if (float_mode_get () != mode)
    __asm__ volatile("msr fpcr, %0" : : "r"(mode));
}

#else

guint64
float_mode_get (void)
{
  return 0;
}

void
float_mode_set (guint64 mode)
{
}

#endif
