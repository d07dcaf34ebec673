/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* PROCFUN_DEBUG: structured log of the work of the library. */

#define DEBUG_LOG_DOMAIN "procfun"

typedef enum
{
  DEBUG_CALLS = 1 << 0,   /* when each call starts and ends */
  DEBUG_WORKERS = 1 << 1, /* processes */
  DEBUG_WIRE = 1 << 2,    /* frames */
  DEBUG_MARKS = 1 << 3    /* for sysprof, which asks for them itself: see marks.h */
} DebugTopics;

#define DEBUG_LOGS (DEBUG_CALLS | DEBUG_WORKERS | DEBUG_WIRE)

/* Fields of a message. */
typedef struct
{
  const char *function;
  guint call_id;     /* number of the call in this process */
  int pid;           /* 0: no process yet */
  const char *cause; /* (nullable): nothing failed */
} DebugSubject;

extern gint debug_topics; /* -1: not read yet */
gint debug_read_topics (void);

/* One load and one comparison without PROCFUN_DEBUG. */
static inline gboolean
debug_has (gint topics)
{
  gint asked = g_atomic_int_get (&debug_topics);

  if (G_UNLIKELY (asked < 0))
    asked = debug_read_topics ();
  return G_UNLIKELY ((asked & topics) != 0);
}

void debug_log (const DebugSubject *subject, const char *format, ...) G_GNUC_PRINTF (2, 3);

G_END_DECLS
