/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "procfun/base/limits.h"
#include "procfun/base/usage.h"
#include "procfun/platform/sandbox-apply.h"
#include <gio/gio.h>
#include <gio/gunixfdlist.h>

/* A frame on a channel: a header, and as many bytes as it says. Both ends are on one machine and of
 * one byte order. */

#define FRAME_VERSION 1
#define FRAME_MAX_FDS 253 /* SCM_MAX_FD in the kernel's net/scm.h */

/* Senders of a frame. */
typedef enum
{
  FRAME_FROM_CALLER = 1 << 0,
  FRAME_FROM_CALLEE = 1 << 1,  /* a zygote, too */
  FRAME_FROM_CHANNEL = 1 << 2, /* a word from channel to channel; their users know nothing of it */
  FRAME_FROM_ALL = FRAME_FROM_CALLER | FRAME_FROM_CALLEE | FRAME_FROM_CHANNEL
} FrameSenders;

/* A payload that may be as large as the channel allows. */
#define FRAME_ANY_SIZE G_MAXUINT64

#define FRAME_ERROR_MAX (2 * 1024 * 1024)
#define FRAME_EVENT_MAX 4096
#define FRAME_SANDBOX_MAX (1024 * 1024)

/* The name of each type, its sender, the least and the greatest size of its payload in bytes, and
 * how many descriptors may come with it. */
#define FRAME_ROWS(ROW)                                                                            \
  /* The identity of the module, as text. */                                                       \
  ROW (HELLO, "hello", CALLEE, 0, 256, 0)                                                          \
  /* Once: see wire/setup.h. */                                                                    \
  ROW (SETUP, "setup", CALLER, 0, FRAME_ANY_SIZE, FRAME_MAX_FDS)                                   \
  /* FrameCall, then the encoded arguments. */                                                     \
  ROW (CALL, "call", CALLER, 0, FRAME_ANY_SIZE, FRAME_MAX_FDS)                                     \
  /* ProcfunUsage, then the encoded result. */                                                     \
  ROW (RESULT, "result", CALLEE, 0, FRAME_ANY_SIZE, FRAME_MAX_FDS)                                 \
  /* ProcfunUsage, then a GError, see wire/error-frame.h. */                                       \
  ROW (ERROR, "error", CALLEE, 0, FRAME_ERROR_MAX, 0)                                              \
  /* ProcfunUsage, then the gint32 that the function called exit() with. */                        \
  ROW (EXIT, "exit", CALLEE, sizeof (ProcfunUsage) + 4, sizeof (ProcfunUsage) + 4, 0)              \
  /* The function is to end. */                                                                    \
  ROW (CANCEL, "cancel", CALLER, 0, 0, 0)                                                          \
  /* FrameEvent, then text. */                                                                     \
  ROW (EVENT, "event", CALLEE, sizeof (FrameEvent), FRAME_EVENT_MAX, 0)                            \
  /* An encoded item of a generator. */                                                            \
  ROW (ITEM, "item", CALLEE, 0, FRAME_ANY_SIZE, FRAME_MAX_FDS)                                     \
  ROW (CREDIT, "credit", CALLER, sizeof (FrameCredit), sizeof (FrameCredit), 0)                    \
  /* Before an answer, when it has changed. */                                                     \
  ROW (STATE, "state", CALLEE, sizeof (FrameState), sizeof (FrameState), 0)                        \
  /* To a zygote. */                                                                               \
  ROW (FORK, "fork", CALLER, sizeof (FrameFork), sizeof (FrameFork), 0)                            \
  /* The gint32 number of a process that a zygote forked. */                                       \
  ROW (CHILD, "child", CALLEE, 4, 4, FRAME_CHILD_N_FDS)                                            \
  ROW (EXITED, "exited", CALLEE, sizeof (FrameExited), sizeof (FrameExited), 0)                    \
  /* ProcfunLimits of the next call, to a process that has been set up. */                         \
  ROW (LIMITS, "limits", CALLER, sizeof (ProcfunLimits), sizeof (ProcfunLimits), 0)                \
  /* Memory for rings, as a memfd. */                                                              \
  ROW (RING, "ring", CHANNEL, 0, 0, 1)                                                             \
  /* The next frames go by the ring. */                                                            \
  ROW (BY_RING, "by ring", CHANNEL, 0, 0, 0)                                                       \
  /* The next frames go by the socket. */                                                          \
  ROW (BY_SOCKET, "by socket", CHANNEL, 0, 0, 0)                                                   \
  /* FrameShared: a frame whose payload is in shared memory, see wire/arena.h. New memory comes as \
   * the first descriptor, before those of the frame. */                                           \
  ROW (SHARED, "shared", CHANNEL, sizeof (FrameShared), sizeof (FrameShared), FRAME_MAX_FDS)       \
  /* There is something in the ring. */                                                            \
  ROW (WAKE, "wake", CHANNEL, 0, 0, 0)                                                             \
  /* A call comes, whose arguments take a while: a process that waits for one is not to leave. */  \
  ROW (ANNOUNCE, "announce", CALLER, 0, 0, 0)                                                      \
  /* ProcfunLimits of each call from now on, to a process that is kept. */                         \
  ROW (WORKER_LIMITS, "limits of the worker", CALLER, sizeof (ProcfunLimits),                      \
       sizeof (ProcfunLimits), 0)                                                                  \
  /* FrameLent: a frame that parts of a value were lent with, see wire/loan.h. */                  \
  ROW (LENT, "lent", CHANNEL, sizeof (FrameHeader) + 8, FRAME_ANY_SIZE, FRAME_MAX_FDS)             \
  /* Sandbox to enter before the next call: see wire/sandbox-frame.h. */                           \
  ROW (SANDBOX, "sandbox", CALLER, 0, FRAME_SANDBOX_MAX, 0)                                        \
  /* SandboxState: it has. */                                                                      \
  ROW (CONFINED, "confined", CALLEE, sizeof (SandboxState), sizeof (SandboxState), 0)

typedef enum
{
  FRAME_NONE,
#define FRAME_TYPE(type, name, sender, min_size, max_size, max_fds) FRAME_##type,
  FRAME_ROWS (FRAME_TYPE)
#undef FRAME_TYPE
      FRAME_AFTER_LAST,
  FRAME_LAST = FRAME_AFTER_LAST - 1
} FrameType;

typedef struct
{
  guint8 magic;
  guint8 version;
  guint8 type;
  guint8 n_fds;
  guint32 call_id;
  guint64 size; /* of the payload, in bytes */
} FrameHeader;

typedef struct
{
  FrameHeader header; /* of the frame; the descriptors are counted without the memory */
  guint32 index;      /* of the memory */
  guint32 has_memory; /* with this frame */
} FrameShared;

/* Beginning of a call's payload; its size keeps the rest aligned to 8. */
typedef struct
{
  guint64 hash;
  gint64 deadline; /* monotonic time in µs, which is the same in all processes; 0: none */
  guint64 flags;   /* FrameCallFlags */
} FrameCall;

typedef enum
{
  FRAME_CALL_LAST = 1 << 0,    /* the process is for this call alone, or for none after it */
  FRAME_CALL_INITIAL = 1 << 1, /* it prepares the process for others: no answer but HELLO, and when
                                  it has failed its error answers the next call */
  FRAME_CALL_ENDED = 1 << 2,   /* the caller ends the process when it has a result */
  FRAME_CALL_MAP = 1 << 3,     /* many calls: an array of arguments, always in GVariant's form; a
                                  journal comes with it, see wire/journal.h. The answer is an empty
                                  result, or the error of the element that is not done */
  FRAME_CALL_UNMETERED = 1 << 4, /* its result need not tell what it used */
  FRAME_CALL_PATIENT = 1 << 5    /* the next one comes a round trip to another process later */
} FrameCallFlags;

/* Report of the function while it runs. The caller ignores names that it does not know. */
typedef struct
{
  char name[16]; /* ends with NUL bytes */
  double number;
} FrameEvent;

#define FRAME_EVENT_LISTENS "listens"   /* the function has asked for its cancellable */
#define FRAME_EVENT_REFUSED "refused"   /* it has failed; a number: a refused system call */
#define FRAME_EVENT_RETURNED "returned" /* it has returned, and its large result follows */

/* Totals that a generator may yield, counted from its beginning. It waits when it has yielded as
 * many items, or items of as many bytes; the last item may exceed the bytes. */
typedef struct
{
  guint64 n_items;
  guint64 n_bytes;
} FrameCredit;

/* Of a process that is kept for more calls. */
typedef struct
{
  guint64 leftovers; /* of the functions that ran: FrameLeftovers */
  guint64 resident;  /* memory in bytes */
} FrameState;

typedef enum
{
  FRAME_LEFT_THREADS = 1 << 0,
  FRAME_LEFT_DESCRIPTORS = 1 << 1,
  FRAME_LEFT_DIRECTORY = 1 << 3,
  FRAME_LEFT_UNPREPARED = 1 << 4, /* its first call, FRAME_CALL_INITIAL, has failed */
  FRAME_LEFT_ENVIRONMENT = 1 << 5,
  FRAME_LEFT_LOCALE = 1 << 6,
  FRAME_LEFT_LIMITS = 1 << 7,     /* of resources, lower than before */
  FRAME_LEFT_IDENTITY = 1 << 8,   /* users, groups, capabilities, root, namespaces */
  FRAME_LEFT_SCHEDULING = 1 << 9, /* niceness, policy, processors */
  FRAME_LEFT_TIMERS = 1 << 10,
  FRAME_LEFT_FIRST_THREADS = 1 << 11 /* they came with the first call, and sleep */
} FrameLeftovers;

/* Number of processes that a zygote is to fork. Each waits for a call, and ends when none has come
 * within this time, in ms; 0: it waits for ever. */
typedef struct
{
  guint32 n;
  guint32 idle;
  gint32 is_ahead; /* nobody waits for them yet */
  gint32 cpu;      /* processor of the caller; -1: not known */
} FrameFork;

/* Descriptors of FRAME_CHILD, in this order. */
enum
{
  FRAME_CHILD_PIDFD,
  FRAME_CHILD_CHANNEL,
  FRAME_CHILD_REPORT,
  FRAME_CHILD_STDOUT,
  FRAME_CHILD_STDERR,
  FRAME_CHILD_N_FDS
};

typedef struct
{
  gint32 pid;
  gint32 wait_status;
} FrameExited;

typedef struct
{
  FrameType type;
  guint32 call_id;
  GBytes *payload;
  GUnixFDList *fds;                 /* (nullable) */
  int child_fds[FRAME_CHILD_N_FDS]; /* of FRAME_CHILD, which has no list */
  guint n_child_fds;                /* of them, which belong to the frame */
  GArray *parts; /* (nullable) (element-type Part): of its value, which has the rest */
} Frame;

void frame_clear (Frame *self);

/* Name of a type, for debugging. */
const char *frame_type_get_name (FrameType type);

/* A copy of @text with at most @max_size bytes; its end becomes “…” where it is longer. */
char *frame_cut_text (const char *text, gsize max_size);

void frame_header_init (FrameHeader *self, FrameType type, guint32 call_id, guint n_fds,
                        gsize size);

/* TRUE: it is for the channel, and not for its user. */
gboolean frame_is_word (const Frame *self);

/* Checks a header before the payload comes. FALSE: %PROCFUN_ERROR_MISMATCH for another version,
 * %PROCFUN_ERROR_LIMIT for a payload over @limit bytes or over the limit of its type, and
 * %PROCFUN_ERROR_PROTOCOL for all else. */
gboolean frame_header_check (const FrameHeader *self, gsize limit, FrameSenders senders,
                             GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Frame, frame_clear)
