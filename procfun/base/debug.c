/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/base/debug.h"

#include "procfun/base/environment.h"
#include "procfun/base/marks.h"
#include "procfun/base/readable.h"

#define FIELDS_MAX 7

gint debug_topics = -1;

/* Reports unknown words. g_parse_debug_string() takes "help" for a request, and matches beginnings.
 */
static gint
parse_topics (const char *text)
{
  static const struct
  {
    const char *name;
    gint topics;
  } known[] = { { "calls", DEBUG_CALLS },
                { "workers", DEBUG_WORKERS },
                { "wire", DEBUG_WIRE },
                { "all", DEBUG_LOGS },
                { "", 0 } };
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  gint topics = 0;

  for (gsize i = 0; words[i] != NULL; i++)
    {
      gsize k = 0;

      g_strstrip (words[i]);
      while (k < G_N_ELEMENTS (known) && !g_str_equal (words[i], known[k].name))
        k++;
      if (k < G_N_ELEMENTS (known))
        topics |= known[k].topics;
      else
        g_warning ("PROCFUN_DEBUG has “%s”, but knows calls, workers, wire and all", words[i]);
    }
  return topics;
}

gint
debug_read_topics (void)
{
  static gsize read;

  if (g_once_init_enter (&read))
    {
      const char *text = environment_get ("PROCFUN_DEBUG");
      gint topics = text != NULL ? parse_topics (text) : 0;

      g_atomic_int_set (&debug_topics, topics | (marks_are_wanted () ? DEBUG_MARKS : 0));
      g_once_init_leave (&read, 1);
    }
  return g_atomic_int_get (&debug_topics);
}

/* A user who sets PROCFUN_DEBUG wants to see this without a second variable for GLib. A log writer
 * of the program gets it in any case. */
static void
write_log (const GLogField *fields, gsize n_fields)
{
  static GRecMutex lock;

  if (!g_log_writer_default_would_drop (G_LOG_LEVEL_DEBUG, DEBUG_LOG_DOMAIN))
    {
      g_log_structured_array (G_LOG_LEVEL_DEBUG, fields, n_fields);
      return;
    }
  g_rec_mutex_lock (&lock);
  {
    gboolean before = g_log_get_debug_enabled ();

    g_log_set_debug_enabled (TRUE);
    g_log_structured_array (G_LOG_LEVEL_DEBUG, fields, n_fields);
    g_log_set_debug_enabled (before);
  }
  g_rec_mutex_unlock (&lock);
}

static void
add_field (GLogField fields[FIELDS_MAX], gsize *n, const char *key, const char *value)
{
  fields[(*n)++] = (GLogField){ key, value, -1 };
}

void
debug_log (const DebugSubject *subject, const char *format, ...)
{
  g_autofree char *call_id = g_strdup_printf ("%u", subject->call_id);
  g_autofree char *pid = g_strdup_printf ("%d", subject->pid);
  g_autofree char *text = NULL;
  g_autofree char *message = NULL;
  GLogField fields[FIELDS_MAX];
  gsize n = 0;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  message = readable_text (text, -1);
  add_field (fields, &n, "MESSAGE", message);
  add_field (fields, &n, "PRIORITY", "7");
  add_field (fields, &n, "GLIB_DOMAIN", DEBUG_LOG_DOMAIN);
  add_field (fields, &n, "PROCFUN_FUNCTION", subject->function);
  add_field (fields, &n, "PROCFUN_CALL_ID", call_id);
  if (subject->pid != 0)
    add_field (fields, &n, "PROCFUN_PID", pid);
  if (subject->cause != NULL)
    add_field (fields, &n, "PROCFUN_CAUSE", subject->cause);
  write_log (fields, n);
}
