/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/base/usage.h"
#include "procfun/platform/fault.h"
#include "procfun/platform/thread.h"
#include <glib.h>
#include <signal.h>

/* Records about the end of a process, or, on request, about what it is doing: plain numbers,
 * written into a pipe of its own. Each record is written at once and is at most PIPE_BUF long, so
 * that it is there as a whole or not at all. Both ends are on one machine and of one byte order. A
 * death comes first. The stack of the thread that died follows, as far as the process still can
 * write it, and modules come before the first stack that leads through them. */

/* Makes a process write the stacks of all its threads. Ignored by default, and so harmless where
 * nobody listens; debuggers let it pass. */
#define CRASH_STACKS_SIGNAL SIGURG

#define CRASH_MAGIC 0x31435050U
#define CRASH_MAX_FRAMES 128
#define CRASH_MAX_THREADS 64
#define CRASH_MAX_MODULES 64
#define CRASH_MESSAGE_SIZE 512
#define CRASH_BUILD_ID_SIZE 32
#define CRASH_PATH_SIZE 1024

typedef enum
{
  CRASH_RECORD_DEATH = 1,
  CRASH_RECORD_MODULE,
  CRASH_RECORD_STACK,
  CRASH_RECORD_STACKS_END /* no more threads; it has no fields */
} CrashRecordType;

typedef struct
{
  guint32 magic;
  guint16 type;
  guint16 size; /* of the record, with this head */
} CrashHead;

typedef enum
{
  CRASH_MEMORY_EXHAUSTED = 1 << 0,
  CRASH_FILES_EXHAUSTED = 1 << 1,
  CRASH_STACK_OVERFLOW = 1 << 2,
  CRASH_HAS_ADDRESS = 1 << 3,
  CRASH_HAS_USAGE = 1 << 4,
  CRASH_FOREIGN_SYSTEM_CALL = 1 << 5 /* of another architecture, as by int 0x80 */
} CrashFlags;

typedef struct
{
  CrashHead head;
  gint32 signum;
  gint32 code; /* si_code */
  gint32 error_number;
  gint32 pid;
  gint32 tid;
  gint32 sender;      /* pid of who sent the signal, or 0 when the kernel did */
  gint32 system_call; /* of a SIGSYS, or -1 */
  guint32 access;     /* FaultAccess */
  guint32 flags;
  gint32 refused; /* the last system call that was refused by an error; 0: none */
  guint64 address;
  guint64 pc;
  guint64 sp;
  ProcfunUsage usage;
  char thread_name[THREAD_NAME_SIZE];
  char message[CRASH_MESSAGE_SIZE]; /* of abort() or of an assertion, or "" */
} CrashDeath;

typedef struct
{
  CrashHead head;
  guint64 bias; /* added to the addresses in the file */
  guint64 start;
  guint64 end;
  guint32 build_id_size;
  guint8 build_id[CRASH_BUILD_ID_SIZE];
  guint32 is_executable;
  char path[CRASH_PATH_SIZE]; /* written as far as it is used, with its NUL */
} CrashModule;

typedef struct
{
  CrashHead head;
  gint32 tid;
  guint32 n_frames;
  char thread_name[THREAD_NAME_SIZE];
  guint64 frames[CRASH_MAX_FRAMES]; /* the innermost first, whose place it is; then of returns */
} CrashStack;
