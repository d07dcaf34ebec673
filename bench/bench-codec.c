/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <procfun.h>

#include <json-glib/json-glib.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* How long the codecs take, beside json-glib's conversion of the same values. All columns of a row
 * are measured in turns, so that other work on the machine hits them alike; times are medians. */

#define ROUNDS 31

typedef struct
{
  double least;
  double median;
} Time; /* in µs */

typedef struct
{
  const char *name;
  GVariant *value;
  gboolean by_json_glib; /* takes hours for some, and loses what is in others */

  ProcfunSchema *schema;
  GBytes *json;
  GBytes *binary;
  char *json_glib;
  gsize json_glib_length;
} Row;

typedef void (*Work) (Row *row);

static void
json_write (Row *row)
{
  g_bytes_unref (procfun_codec_encode (procfun_codec_get_json (), row->schema, row->value, NULL));
}

static void
json_read (Row *row)
{
  g_variant_unref (procfun_codec_decode (procfun_codec_get_json (), row->schema, row->json, NULL));
}

static void
binary_write (Row *row)
{
  g_bytes_unref (
      procfun_codec_encode (procfun_codec_get_gvariant (), row->schema, row->value, NULL));
}

static void
binary_read (Row *row)
{
  g_variant_unref (
      procfun_codec_decode (procfun_codec_get_gvariant (), row->schema, row->binary, NULL));
}

static void
json_glib_write (Row *row)
{
  g_free (json_gvariant_serialize_data (row->value, NULL));
}

static void
json_glib_read (Row *row)
{
  GVariant *value = json_gvariant_deserialize_data (row->json_glib, (gssize)row->json_glib_length,
                                                    g_variant_get_type_string (row->value), NULL);

  g_variant_unref (g_variant_ref_sink (value));
}

/* Walks over every value, as a program would that wants them all; the way GVariant has for it. */
static void
visit (GVariant *value)
{
  GVariantIter iter;
  GVariant *child;

  if (!g_variant_is_container (value))
    return;
  g_variant_iter_init (&iter, value);
  while ((child = g_variant_iter_next_value (&iter)) != NULL)
    {
      visit (child);
      g_variant_unref (child);
    }
}

static void
gvariant_visit (Row *row)
{
  visit (row->value);
}

static const struct
{
  const char *name;
  Work work;
  gboolean of_json_glib;
} columns[] = { { "json write", json_write, FALSE },          { "read", json_read, FALSE },
                { "json-glib write", json_glib_write, TRUE }, { "read", json_glib_read, TRUE },
                { "gvariant write", binary_write, FALSE },    { "read", binary_read, FALSE },
                { "(visit)", gvariant_visit, FALSE } };

#define N_COLUMNS G_N_ELEMENTS (columns)

/* Of the processor, in µs: what others do on the machine counts little. */
static double
get_time (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static double
run (Row *row, Work work, guint times)
{
  double start = get_time ();

  for (guint i = 0; i < times; i++)
    work (row);
  return (get_time () - start) / times;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  const double *one = a, *other = b;

  return *one < *other ? -1 : *one > *other;
}

static Time
time_of_rounds (double *rounds)
{
  qsort (rounds, ROUNDS, sizeof *rounds, compare);
  return (Time){ rounds[0], rounds[ROUNDS / 2] };
}

static gboolean
has_column (const Row *row, guint column)
{
  return row->by_json_glib || !columns[column].of_json_glib;
}

static void
measure (Row *row, Time *results)
{
  double times[N_COLUMNS][ROUNDS];
  guint n[N_COLUMNS];

  for (guint column = 0; column < N_COLUMNS; column++)
    if (has_column (row, column))
      {
        double once;

        run (row, columns[column].work, 1);
        once = MAX (run (row, columns[column].work, 1), 0.2);
        n[column] = (guint)CLAMP (2000 / once, 1, 10000);
      }

  for (guint round = 0; round < ROUNDS; round++)
    for (guint column = 0; column < N_COLUMNS; column++)
      if (has_column (row, column))
        times[column][round] = run (row, columns[column].work, n[column]);

  for (guint column = 0; column < N_COLUMNS; column++)
    if (has_column (row, column))
      results[column] = time_of_rounds (times[column]);
}

static GVariant *
make_doubles (guint n)
{
  g_autofree double *values = g_new (double, n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < n; i++)
    values[i] = (g_rand_double (rand) - 0.5) * 1000;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, values, n, sizeof *values);
}

static GVariant *
make_integers (guint n)
{
  g_autofree gint32 *values = g_new (gint32, n);

  for (guint i = 0; i < n; i++)
    values[i] = (gint32)i;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, values, n, sizeof *values);
}

static GVariant *
make_bytes (guint n)
{
  g_autofree guint8 *values = g_malloc (n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < n; i++)
    values[i] = (guint8)g_rand_int (rand);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, values, n, 1);
}

static GVariant *
make_dictionaries (guint n)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (guint i = 0; i < n; i++)
    {
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&builder, "{sv}", "name", g_variant_new_printf ("file-%u", i));
      g_variant_builder_add (&builder, "{sv}", "width", g_variant_new_int32 ((gint32)i));
      g_variant_builder_add (&builder, "{sv}", "mean", g_variant_new_double (i / 7.0));
      g_variant_builder_add (&builder, "{sv}", "valid", g_variant_new_boolean (i % 2));
      g_variant_builder_close (&builder);
    }
  return g_variant_builder_end (&builder);
}

static void
row_prepare (Row *row)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (row->value);
  GBytes *bytes = g_variant_get_data_as_bytes (value);

  /* serialised, as it is when it comes from a codec */
  row->value
      = g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (value), bytes, TRUE));
  row->schema = procfun_schema_new (g_variant_get_type (value));
  row->json = procfun_codec_encode (procfun_codec_get_json (), row->schema, value, NULL);
  row->binary = bytes;
  if (row->by_json_glib)
    row->json_glib = json_gvariant_serialize_data (value, &row->json_glib_length);
}

static void
row_clear (Row *row)
{
  g_variant_unref (row->value);
  procfun_schema_unref (row->schema);
  g_bytes_unref (row->json);
  g_bytes_unref (row->binary);
  g_free (row->json_glib);
}

static void
print_heading (void)
{
  g_print ("%-20s %10s", "µs: least / median", "JSON bytes");
  for (guint column = 0; column < N_COLUMNS; column++)
    g_print (" %18s", columns[column].name);
  g_print ("\n");
}

static void
print_row (const Row *row, const Time *times)
{
  g_print ("%-20s %10" G_GSIZE_FORMAT, row->name, g_bytes_get_size (row->json));
  for (guint column = 0; column < N_COLUMNS; column++)
    {
      int places = times[column].least < 10 ? 2 : 0;
      g_autofree char *cell = g_strdup_printf ("%.*f / %.*f", places, times[column].least, places,
                                               times[column].median);

      g_print (" %18s", has_column (row, column) ? cell : "-");
    }
  g_print ("\n");
}

static void
print_bar (const char *what, double value, double bar, const char *unit)
{
  g_print ("%-60s %8.2f %-2s  bar %6.2f  %s\n", what, value, unit, bar,
           value <= bar ? "reached" : "MISSED");
}

/* What it takes GVariant to make the values from the outside, and to serialise them: the reading of
 * others contains the first; the writing of anyone the second, once for each value. */
static void
print_building (guint n)
{
  double building[ROUNDS], storing[ROUNDS];
  Time built, stored;

  for (guint i = 0; i < ROUNDS; i++)
    {
      double start = get_time ();
      g_autoptr (GVariant) value = g_variant_ref_sink (make_dictionaries (n));
      double middle = get_time ();

      g_variant_get_data (value);
      building[i] = middle - start;
      storing[i] = get_time () - middle;
    }
  built = time_of_rounds (building);
  stored = time_of_rounds (storing);
  g_print ("\nGVariantBuilder makes %u a{sv} of 4 in %.0f / %.0f µs, and serialises them in %.0f / "
           "%.0f µs.\n\n",
           n, built.least, built.median, stored.least, stored.median);
}

int
main (void)
{
  enum
  {
    PAIR,
    DOUBLES,
    DICTIONARIES,
    INTEGERS,
    MANY_INTEGERS,
    MANY_DOUBLES,
    BYTES
  };
  Row rows[] = { [PAIR] = { "(ii)", g_variant_new ("(ii)", 1, 2), TRUE },
                 [DOUBLES] = { "1000 doubles", make_doubles (1000), TRUE },
                 [DICTIONARIES] = { "1000 a{sv} of 4", make_dictionaries (1000), TRUE },
                 [INTEGERS] = { "1000 integers", make_integers (1000), TRUE },
                 [MANY_INTEGERS] = { "1 000 000 integers", make_integers (1000000), FALSE },
                 [MANY_DOUBLES] = { "1 000 000 doubles", make_doubles (1000000), FALSE },
                 [BYTES] = { "1 MiB of bytes", make_bytes (1 << 20), FALSE } };
  Time times[G_N_ELEMENTS (rows)][N_COLUMNS] = { 0 };

  setlocale (LC_ALL, "");
  print_heading ();
  for (guint i = 0; i < G_N_ELEMENTS (rows); i++)
    {
      row_prepare (&rows[i]);
      measure (&rows[i], times[i]);
      print_row (&rows[i], times[i]);
      row_clear (&rows[i]);
    }
  print_building (1000);

  for (guint way = 0; way < 2; way++)
    {
      const char *done = way == 0 ? "written" : "read";

#define BAR(what, value, bar, unit)                                                                \
  do                                                                                               \
    {                                                                                              \
      g_autofree char *text = g_strdup_printf ("JSON %s: %s", done, what);                         \
      print_bar (text, value, bar, unit);                                                          \
    }                                                                                              \
  while (0)

      BAR ("1000 doubles", times[DOUBLES][way].least, 150, "µs");
      BAR ("1000 doubles ÷ json-glib", times[DOUBLES][way].least / times[DOUBLES][way + 2].least,
           0.5, "");
      BAR ("1000 a{sv} of 4", times[DICTIONARIES][way].least, 500, "µs");
      BAR ("1 000 000 integers", times[MANY_INTEGERS][way].least / 1000, 8, "ms");
      BAR ("1 000 000 doubles ÷ 1000 times 1000 (linear)",
           times[MANY_DOUBLES][way].least / times[DOUBLES][way].least / 1000, 2, "");
      BAR ("1 MiB of bytes", times[BYTES][way].least / 1000, 3, "ms");
    }
  return 0;
}
