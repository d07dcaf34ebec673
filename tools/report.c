/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/report.h"

#include "procfun/base/intl.h"
#include "procfun/base/readable.h"
#include "procfun/core/failure.h"
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOLD_RED "\033[1;31m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

/* https://no-color.org: with any value but an empty one. */
static gboolean
has_colour (void)
{
  const char *refusal = g_getenv ("NO_COLOR");

  return (refusal == NULL || refusal[0] == '\0') && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0
         && g_log_writer_supports_color (STDERR_FILENO);
}

/* The message may be of several lines. */
static void
print_message (const char *text)
{
  g_autofree char *message = readable_text (text, -1);
  gsize length = strcspn (message, "\n");

  if (has_colour ())
    fprintf (stderr, "%sprocfun:%s %s%.*s%s%s\n", BOLD_RED, PLAIN, BOLD, (int)length, message,
             PLAIN, message + length);
  else
    fprintf (stderr, "procfun: %s\n", message);
}

/* Text after the summary, which the message has already. */
static const char *
skip_summary (const char *text, const char *message)
{
  gsize length = strlen (message);
  const char *end;

  if (strncmp (text, message, length) == 0 && text[length] == '\n')
    return text + length + 1;
  end = strstr (text, "\n  ");
  return end != NULL ? end + 1 : "";
}

Status
report_to_people (const GError *error, ProcfunFailure *failure, gboolean in_full, Status status)
{
  print_message (error->message);
  if (in_full && failure != NULL)
    {
      g_autofree char *text = procfun_failure_to_string (failure);

      fputs (skip_summary (text, error->message), stderr);
    }
  return status;
}

Status
report_to_programs (const GError *error, ProcfunFailure *failure, Status status)
{
  g_autoptr (GVariant) variant = failure != NULL ? procfun_failure_to_variant (failure) : NULL;
  g_autoptr (JsonNode) node = variant != NULL ? json_gvariant_serialize (variant) : NULL;
  g_autofree char *text = NULL;
  JsonObject *object;

  if (node == NULL)
    {
      node = json_node_new (JSON_NODE_OBJECT);
      json_node_take_object (node, json_object_new ());
    }
  object = json_node_get_object (node);
  json_object_set_string_member (object, "message", error->message);
  json_object_set_string_member (object, "domain", g_quark_to_string (error->domain));
  json_object_set_int_member (object, "code", error->code);
  json_object_set_int_member (object, "status", status);
  text = json_to_string (node, FALSE);
  return command_print (text, strlen (text)) ? status : STATUS_USAGE;
}

/* An error of PROCFUN_ERROR may be the function's own: that of a call that it made. */
Status
report_get_status (const GError *error, ProcfunFailure *failure)
{
  switch (failure_get_ended (procfun_failure_get_cause (failure)))
    {
    case FAILURE_ENDED_BY_START:
      return STATUS_USAGE;
    case FAILURE_ENDED_BY_DEATH: /* maybe by a result that is too large */
      return g_error_matches (error, PROCFUN_ERROR, PROCFUN_ERROR_LIMIT) ? STATUS_LIMIT
                                                                         : STATUS_CRASHED;
    case FAILURE_ENDED_BY_LIMIT:
    case FAILURE_ENDED_BY_TIME:
      return STATUS_LIMIT;
    case FAILURE_ENDED_BY_FUNCTION:
    case FAILURE_ENDED_BY_CALLER:
    default:
      return procfun_failure_get_pid (failure) == 0 ? STATUS_USAGE : STATUS_FUNCTION_FAILED;
    }
}

void
report_explain (GError **error, ProcfunFailure *failure)
{
  if (procfun_failure_get_cause (failure) == PROCFUN_CAUSE_ERROR
      && (*error)->domain != PROCFUN_ERROR)
    g_prefix_error (error, _ ("%s() failed (%s, %d): "),
                    procfun_failure_get_function_name (failure),
                    g_quark_to_string ((*error)->domain), (*error)->code);
}

void
report_usage (ProcfunUsage *usage)
{
  g_autofree char *text = usage != NULL ? procfun_usage_to_string (usage) : NULL;

  fprintf (stderr, "procfun: %s\n", text != NULL ? text : _ ("nothing is known of the usage"));
}
