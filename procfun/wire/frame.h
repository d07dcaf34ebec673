/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <gio/gio.h>
#include <gio/gunixfdlist.h>

/* What goes over a channel: a header, and as many bytes as it says. Both ends are on one machine
 * and of one byte order. */

#define FRAME_VERSION 1
#define FRAME_MAX_FDS 253 /* SCM_MAX_FD in the kernel's net/scm.h */

typedef enum
{
  FRAME_HELLO = 1, /* callee: the identity of its module, as text */
  FRAME_SETUP,     /* caller, once: a{sv}, see wire/setup.h */
  FRAME_CALL,      /* caller: FrameCall, then the encoded arguments */
  FRAME_RESULT,    /* callee: ProcfunUsage, then the encoded result */
  FRAME_ERROR,     /* callee: ProcfunUsage, then a GError, see wire/error-frame.h */
  FRAME_EXIT,      /* callee: ProcfunUsage, then the gint32 that the function called exit() with */
  FRAME_CANCEL,    /* caller: the function is to end */
  FRAME_LISTENS,   /* callee: the function has asked for its cancellable */
  FRAME_PROGRESS,  /* callee: a double, then text: what procfun_report_progress() was given */
  FRAME_ITEM,      /* callee: an encoded item of a generator */
  FRAME_CREDIT,    /* caller: FrameCredit */
  FRAME_STATE,     /* callee, before an answer: FrameState, when it has changed */
  FRAME_FORK,      /* caller, to a zygote: FrameFork */
  FRAME_CHILD,     /* zygote: the gint32 number of a process; with its descriptors */
  FRAME_EXITED,    /* zygote: FrameExited */
  FRAME_LIMITS,    /* caller, to who has been set up, before its last call: ProcfunLimits */
  FRAME_RING,      /* from here on, what channels say to each other. Memory for rings, as a memfd */
  FRAME_BY_RING,   /* what follows goes by the ring */
  FRAME_BY_SOCKET, /* what follows goes by the socket */
  FRAME_WAKE       /* there is something in the ring */
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

/* What a call's payload begins with; its size keeps what follows aligned to 8. */
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
  FRAME_CALL_MAP = 1 << 3 /* many: an array of arguments, always in GVariant's binary form; what
                             comes with it is a journal, see wire/journal.h, and an empty result,
                             or the error of the element that was begun and not done, ends it */
} FrameCallFlags;

/* How much a generator may yield, counted from its beginning: it waits when it has yielded as many
 * items, or items of as many bytes. A last item may go beyond the bytes. */
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
  FRAME_LEFT_SIGNAL_MASK = 1 << 2,
  FRAME_LEFT_DIRECTORY = 1 << 3,
  FRAME_LEFT_UNPREPARED = 1 << 4 /* its first call, FRAME_CALL_INITIAL, has failed */
} FrameLeftovers;

/* How many processes a zygote is to fork, each of which waits for a call and ends when none has
 * come within this time, in ms; 0: it waits for ever. */
typedef struct
{
  guint32 n;
  guint32 idle;
  gint32 is_ahead; /* nobody waits for them yet */
  gint32 cpu;      /* where who asks runs; -1: not known */
} FrameFork;

/* What comes with FRAME_CHILD, in this order. */
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
  GUnixFDList *fds; /* (nullable) */
} Frame;

void frame_clear (Frame *self);

/* For debugging: what a type is called here. */
const char *frame_type_get_name (FrameType type);

void frame_header_init (FrameHeader *self, FrameType type, guint32 call_id, guint n_fds,
                        gsize size);

/* FALSE: %PROCFUN_ERROR_MISMATCH for another version, %PROCFUN_ERROR_PROTOCOL for what is no frame
 * or exceeds
 * @limit bytes. */
gboolean frame_header_check (const FrameHeader *self, gsize limit, GError **error);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Frame, frame_clear)
