/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/openmetrics.h"

#include <string.h>

typedef struct
{
  GHashTable *samples;
  GHashTable *families; /* those that have been */
  char *family;
  char *type;
  gboolean has_samples;

  /* of the histogram that is being read */
  char *labels;
  double bound;
  double count;
} Reader;

/* A name, labels without braces, and the value. */
static const char sample_pattern[]
    = "^([a-zA-Z_:][a-zA-Z0-9_:]*)"
      "\\{([a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\""
      "(?:,[a-zA-Z_][a-zA-Z0-9_]*=\"(?:[^\"\\\\\\n]|\\\\[\\\\\"n])*\")*)\\}"
      " ([+-]?(?:[0-9]+(?:\\.[0-9]+)?(?:[eE][+-]?[0-9]+)?))$";
static const char bucket_pattern[] = "^(.*),le=\"([0-9]+\\.[0-9]+|[0-9.]+e[+-]?[0-9]+|\\+Inf)\"$";

static char **
split (const char *pattern, const char *text)
{
  g_autoptr (GRegex) regex = g_regex_new (pattern, 0, 0, NULL);
  g_autoptr (GMatchInfo) match = NULL;

  if (!g_regex_match (regex, text, 0, &match))
    g_error ("not as OpenMetrics has it: %s", text);
  return g_match_info_fetch_all (match);
}

static void
begin_family (Reader *self, char **words)
{
  g_assert_cmpuint (g_strv_length (words), ==, 4);
  g_assert_true (g_hash_table_add (self->families, g_strdup (words[2])));
  g_assert_true (
      g_strv_contains ((const char *const[]){ "counter", "gauge", "histogram", NULL }, words[3]));
  g_free (self->family);
  g_free (self->type);
  self->family = g_strdup (words[2]);
  self->type = g_strdup (words[3]);
  self->has_samples = FALSE;
  g_clear_pointer (&self->labels, g_free);
}

static void
read_metadata (Reader *self, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 4);
  g_autofree char *suffix = NULL;

  g_assert_cmpuint (g_strv_length (words), ==, 4);
  g_assert_cmpstr (words[0], ==, "#");
  if (g_str_equal (words[1], "TYPE"))
    {
      begin_family (self, words);
      return;
    }
  g_assert_cmpstr (words[2], ==, self->family);
  g_assert_false (self->has_samples);
  if (g_str_equal (words[1], "HELP"))
    return;
  g_assert_cmpstr (words[1], ==, "UNIT");
  suffix = g_strconcat ("_", words[3], NULL);
  g_assert_true (g_str_has_suffix (self->family, suffix));
}

/* Buckets of the same labels follow each other, and the count follows them. */
static void
read_bucket (Reader *self, const char *labels, double count)
{
  g_auto (GStrv) parts = split (bucket_pattern, labels);
  double bound = g_str_equal (parts[2], "+Inf") ? G_MAXDOUBLE : g_ascii_strtod (parts[2], NULL);

  if (g_strcmp0 (self->labels, parts[1]) != 0)
    {
      g_free (self->labels);
      self->labels = g_strdup (parts[1]);
      self->bound = self->count = 0;
    }
  g_assert_cmpfloat (bound, >, self->bound);
  g_assert_cmpfloat (count, >=, self->count);
  self->bound = bound;
  self->count = count;
}

static void
check_sample (Reader *self, const char *suffix, const char *labels, double value)
{
  if (g_str_equal (self->type, "gauge"))
    g_assert_cmpstr (suffix, ==, "");
  else if (g_str_equal (self->type, "counter"))
    g_assert_cmpstr (suffix, ==, "_total");
  else if (g_str_equal (suffix, "_bucket"))
    read_bucket (self, labels, value);
  else
    {
      g_assert_cmpstr (labels, ==, self->labels);
      g_assert_cmpfloat (self->bound, ==, G_MAXDOUBLE);
      if (g_str_equal (suffix, "_count"))
        g_assert_cmpfloat (value, ==, self->count);
      else
        g_assert_cmpstr (suffix, ==, "_sum");
    }
  g_assert_cmpfloat (value, >=, 0);
}

static void
read_sample (Reader *self, const char *line)
{
  g_auto (GStrv) parts = split (sample_pattern, line);
  g_autofree char *name = g_strdup_printf ("%s{%s}", parts[1], parts[2]);

  g_assert_true (g_str_has_prefix (parts[1], self->family));
  self->has_samples = TRUE;
  check_sample (self, parts[1] + strlen (self->family), parts[2], g_ascii_strtod (parts[3], NULL));
  g_assert_true (g_hash_table_insert (self->samples, g_steal_pointer (&name), g_strdup (parts[3])));
}

GHashTable *
openmetrics_read (const char *text)
{
  g_autoptr (GHashTable) families = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Reader reader = { .families = families,
                    .samples = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free) };
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  guint n = g_strv_length (lines);

  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpuint (n, >, 2);
  g_assert_cmpstr (lines[n - 2], ==, "# EOF");
  g_assert_cmpstr (lines[n - 1], ==, "");
  for (guint i = 0; i < n - 2; i++)
    if (lines[i][0] == '#')
      read_metadata (&reader, lines[i]);
    else
      read_sample (&reader, lines[i]);
  g_free (reader.family);
  g_free (reader.type);
  g_free (reader.labels);
  return reader.samples;
}

double
openmetrics_get (GHashTable *samples, const char *sample)
{
  const char *text = g_hash_table_lookup (samples, sample);

  if (text == NULL)
    g_error ("there is no %s", sample);
  return g_ascii_strtod (text, NULL);
}
