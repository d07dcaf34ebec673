/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Times of the codecs, beside json-glib's conversion of the same values. CPU time is counted, on
 * which other work of the machine has little effect. A contender is a value and an operation on it,
 * as in "doubles:json-write". */

#include "bench/contender.h"

#include <json-glib/json-glib.h>
#include <locale.h>
#include <procfun.h>
#include <string.h>

/* Values */

static GVariant *
make_pair (void)
{
  return g_variant_new ("(ii)", 1, 2);
}

static GVariant *
make_n_doubles (guint n)
{
  g_autofree double *values = g_new (double, n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (guint i = 0; i < n; i++)
    values[i] = (g_rand_double (rand) - 0.5) * 1000;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_DOUBLE, values, n, sizeof *values);
}

static GVariant *
make_n_integers (guint n)
{
  g_autofree gint32 *values = g_new (gint32, n);

  for (guint i = 0; i < n; i++)
    values[i] = (gint32)i;
  return g_variant_new_fixed_array (G_VARIANT_TYPE_INT32, values, n, sizeof *values);
}

static GVariant *
make_doubles (void)
{
  return make_n_doubles (1000);
}

static GVariant *
make_integers (void)
{
  return make_n_integers (1000);
}

static GVariant *
make_many_doubles (void)
{
  return make_n_doubles (1000000);
}

static GVariant *
make_many_integers (void)
{
  return make_n_integers (1000000);
}

static GVariant *
make_bytes (void)
{
  gsize n = 1 << 20;
  g_autofree guint8 *values = g_malloc (n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);

  for (gsize i = 0; i < n; i++)
    values[i] = (guint8)g_rand_int (rand);
  return g_variant_new_fixed_array (G_VARIANT_TYPE_BYTE, values, n, 1);
}

static GVariant *
make_dictionaries (void)
{
  GVariantBuilder builder = G_VARIANT_BUILDER_INIT (G_VARIANT_TYPE ("aa{sv}"));

  for (gint32 i = 0; i < 1000; i++)
    {
      g_variant_builder_open (&builder, G_VARIANT_TYPE_VARDICT);
      g_variant_builder_add (&builder, "{sv}", "name", g_variant_new_printf ("file-%d", i));
      g_variant_builder_add (&builder, "{sv}", "width", g_variant_new_int32 (i));
      g_variant_builder_add (&builder, "{sv}", "mean", g_variant_new_double (i / 7.0));
      g_variant_builder_add (&builder, "{sv}", "valid", g_variant_new_boolean (i % 2));
      g_variant_builder_close (&builder);
    }
  return g_variant_builder_end (&builder);
}

static const struct
{
  const char *name;
  GVariant *(*make) (void);
} values[] = { { "pair", make_pair },
               { "doubles", make_doubles },
               { "integers", make_integers },
               { "dictionaries", make_dictionaries },
               { "many-doubles", make_many_doubles },
               { "many-integers", make_many_integers },
               { "bytes", make_bytes } };

static GVariant *(*make_value) (void);
static GVariant *value; /* serialised, as it is when it comes from a codec */
static ProcfunSchema *schema;
static GBytes *json;
static GBytes *binary;
static char *json_glib; /* (nullable): it takes hours for some */
static gsize json_glib_size;
static void (*work) (void);

/* Operations on the values */

static void
write_json (void)
{
  g_bytes_unref (procfun_codec_encode (procfun_codec_get_json (), schema, value, NULL));
}

static void
read_json (void)
{
  g_variant_unref (procfun_codec_decode (procfun_codec_get_json (), schema, json, NULL));
}

static void
write_binary (void)
{
  g_bytes_unref (procfun_codec_encode (procfun_codec_get_gvariant (), schema, value, NULL));
}

static void
read_binary (void)
{
  g_variant_unref (procfun_codec_decode (procfun_codec_get_gvariant (), schema, binary, NULL));
}

static void
write_by_json_glib (void)
{
  g_free (json_gvariant_serialize_data (value, NULL));
}

static void
read_by_json_glib (void)
{
  GVariant *read = json_gvariant_deserialize_data (json_glib, (gssize)json_glib_size,
                                                   g_variant_get_type_string (value), NULL);

  g_variant_unref (g_variant_ref_sink (read));
}

/* Walks over every value, as a program would that wants them all; the way GVariant has for it. */
static void
visit (GVariant *container)
{
  GVariantIter iter;
  GVariant *child;

  if (!g_variant_is_container (container))
    return;
  g_variant_iter_init (&iter, container);
  while ((child = g_variant_iter_next_value (&iter)) != NULL)
    {
      visit (child);
      g_variant_unref (child);
    }
}

static void
visit_value (void)
{
  visit (value);
}

/* GVariant's own cost to build the value and to serialise it. Reading includes the first in every
 * codec, and writing the second. */
static void
build (void)
{
  g_variant_unref (g_variant_ref_sink (make_value ()));
}

static void
build_and_store (void)
{
  g_autoptr (GVariant) tree = g_variant_ref_sink (make_value ());

  g_variant_get_data (tree);
}

static void
make_forms (void)
{
  g_autoptr (GVariant) tree = g_variant_ref_sink (make_value ());

  binary = g_variant_get_data_as_bytes (tree);
  value = g_variant_ref_sink (g_variant_new_from_bytes (g_variant_get_type (tree), binary, TRUE));
  schema = procfun_schema_new (g_variant_get_type (value));
  json = procfun_codec_encode (procfun_codec_get_json (), schema, value, NULL);
  if (work == read_by_json_glib)
    json_glib = json_gvariant_serialize_data (value, &json_glib_size);
}

static const struct
{
  const char *name;
  void (*work) (void);
} works[] = { { "json-write", write_json },
              { "json-read", read_json },
              { "json-glib-write", write_by_json_glib },
              { "json-glib-read", read_by_json_glib },
              { "gvariant-write", write_binary },
              { "gvariant-read", read_binary },
              { "visit", visit_value },
              { "build", build },
              { "build-store", build_and_store } };

static double
run_work (guint n)
{
  double start = contender_get_cpu_ns ();

  for (guint i = 0; i < n; i++)
    work ();
  return (contender_get_cpu_ns () - start) / n;
}

int
main (int argc, char **argv)
{
  Contender contenders[G_N_ELEMENTS (values) * G_N_ELEMENTS (works)];
  gsize n = 0;
  int status;

  setlocale (LC_ALL, "");
  for (gsize v = 0; v < G_N_ELEMENTS (values); v++)
    for (gsize w = 0; w < G_N_ELEMENTS (works); w++)
      {
        contenders[n] = (Contender){ g_strconcat (values[v].name, ":", works[w].name, NULL),
                                     .set_up = make_forms, .batch = run_work };
        if (argc == 2 && strcmp (argv[1], contenders[n].name) == 0)
          {
            make_value = values[v].make;
            work = works[w].work;
          }
        n++;
      }
  status = contend (contenders, n, argc, argv);
  while (n > 0)
    g_free ((char *)contenders[--n].name);
  return status;
}
