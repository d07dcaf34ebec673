/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"

#include "procfun/procfun-error.h"
#include "procfun/values/serialised.h"
#include "procfun/values/type-packed.h"
#include "procfun/values/type.h"
#include <math.h>
#include <procfun.h>
#include <stdbool.h>
#include <string.h>

PROCFUN_DEFINE_ENUM (Grade, GRADE_LOW, GRADE_HIGH, (GRADE_LAST, 77))
PROCFUN_DEFINE_STRUCT (Pair, (guint8, first), (double, second))
PROCFUN_DEFINE_STRUCT (Tag, (bool, is_set), (char *, name), (gint16, number))
PROCFUN_DEFINE_STRUCT (Ends, (char *, a), (ProcfunMaybeString, b))
PROCFUN_DEFINE_STRUCT (Nested, (guint8, a), (Tag, tag), (PairArray, pairs), (gint64, b),
                       (TagArray, tags), (Ends, ends), (EndsArray, many), (Grade, grade),
                       (float, number), (ProcfunUint64s, longs), (GBytes *, bytes))

/* A function for each type, whose result is of that type; and some with more arguments. */
#define GIVE(name, Type)                                                                           \
  PROCFUN_DEFINE_STATIC_FUNCTION (give_##name, Type, (Type, value)) { return value; }

GIVE (gboolean, gboolean)
GIVE (bool, bool)
GIVE (guint8, guint8)
GIVE (gint16, gint16)
GIVE (guint16, guint16)
GIVE (gint32, gint32)
GIVE (guint32, guint32)
GIVE (gint64, gint64)
GIVE (guint64, guint64)
GIVE (double, double)
GIVE (float, float)
GIVE (grade, Grade)
GIVE (string, char *)
GIVE (maybe_string, ProcfunMaybeString)
GIVE (strv, GStrv)
GIVE (bytes, GBytes *)
GIVE (int16s, ProcfunInt16s)
GIVE (uint16s, ProcfunUint16s)
GIVE (int32s, ProcfunInt32s)
GIVE (uint32s, ProcfunUint32s)
GIVE (int64s, ProcfunInt64s)
GIVE (uint64s, ProcfunUint64s)
GIVE (doubles, ProcfunDoubles)
GIVE (pair, Pair)
GIVE (tag, Tag)
GIVE (ends, Ends)
GIVE (grades, GradeArray)
GIVE (pairs, PairArray)
GIVE (tags, TagArray)
GIVE (nested, Nested)
GIVE (nesteds, NestedArray)

PROCFUN_DEFINE_STATIC_FUNCTION (take_nothing, void) {}
PROCFUN_DEFINE_STATIC_FUNCTION (take_some, void, (const char *, a), (guint8, b), (double, c),
                                (GStrv, d), (bool, e))
{
}
PROCFUN_DEFINE_STATIC_FUNCTION (take_all, void, (guint8, a), (ProcfunMaybeString, b), (gint64, c),
                                (Nested, d), (TagArray, e), (gint16, f), (ProcfunDoubles, g),
                                (GBytes *, h), (Pair, i), (const char *, j), (float, k), (GStrv, l))
{
}
PROCFUN_DEFINE_STATIC_FUNCTION (take_variant, void, (GVariant *, a)) {}
PROCFUN_DEFINE_STATIC_FUNCTION (take_descriptor, void, (ProcfunFd, a)) {}
PROCFUN_DEFINE_STRUCT (Holder, (guint8, a), (GVariant *, b))
PROCFUN_DEFINE_STATIC_FUNCTION (take_holders, void, (HolderArray, a)) {}

#define DEFINITION(name) &procfun_definition_of_##name

static const ProcfunDefinition *const all[]
    = { DEFINITION (give_gboolean), DEFINITION (give_bool),    DEFINITION (give_guint8),
        DEFINITION (give_gint16),   DEFINITION (give_guint16), DEFINITION (give_gint32),
        DEFINITION (give_guint32),  DEFINITION (give_gint64),  DEFINITION (give_guint64),
        DEFINITION (give_double),   DEFINITION (give_float),   DEFINITION (give_grade),
        DEFINITION (give_string),   DEFINITION (give_strv),    DEFINITION (give_maybe_string),
        DEFINITION (give_bytes),    DEFINITION (give_int16s),  DEFINITION (give_uint16s),
        DEFINITION (give_int32s),   DEFINITION (give_uint32s), DEFINITION (give_int64s),
        DEFINITION (give_uint64s),  DEFINITION (give_doubles), DEFINITION (give_pair),
        DEFINITION (give_tag),      DEFINITION (give_ends),    DEFINITION (give_grades),
        DEFINITION (give_pairs),    DEFINITION (give_tags),    DEFINITION (give_nested),
        DEFINITION (give_nesteds),  DEFINITION (take_nothing), DEFINITION (take_some),
        DEFINITION (take_all) };

/* Random values */

static void fill (const ProcfunMember *member, guint8 *value);

/* Lengths around those where offsets become wider, now and then. */
static gsize
random_length (gsize max)
{
  return g_test_rand_int_range (0, 20) == 0 ? (gsize)g_test_rand_int_range (0, 300)
                                            : (gsize)g_test_rand_int_range (0, (gint)max);
}

static char *
random_string (void)
{
  GString *string = g_string_new (NULL);
  gsize length = random_length (8);

  for (gsize i = 0; i < length; i++)
    g_string_append_unichar (string, g_test_rand_bit () ? 'x' : 0x20ac);
  return g_string_free (string, FALSE);
}

static gpointer
random_bytes (gsize size)
{
  guint8 *data = g_malloc (size + 1);

  for (gsize i = 0; i < size; i++)
    data[i] = (guint8)g_test_rand_int ();
  return data;
}

static void
fill_array (const ProcfunTypeInfo *info, guint8 *value)
{
  const ProcfunMember element = type_element (info);
  TypeArray array = { NULL, random_length (5) / 2 };

  array.data = g_malloc0 (array.length * info->element->size + 1);
  for (gsize i = 0; i < array.length; i++)
    fill (&element, array.data + i * info->element->size);
  memcpy (value, &array, sizeof array);
}

static void
fill_strv (GStrv *strv)
{
  gsize length = random_length (6);

  *strv = g_new0 (char *, length + 1);
  for (gsize i = 0; i < length; i++)
    (*strv)[i] = random_string ();
}

static void
fill_number (const ProcfunMember *member, guint8 *value)
{
  g_autofree guint8 *bytes = random_bytes (8);
  float number = (float)g_test_rand_double_range (-1e6, 1e6);

  if (member->kind == PROCFUN_KIND_GBOOLEAN)
    *(gboolean *)(gpointer)value = g_test_rand_bit ();
  else if (member->kind == PROCFUN_KIND_BOOL)
    *(bool *)value = g_test_rand_bit ();
  else if (member->kind == PROCFUN_KIND_FLOAT)
    memcpy (value, &number, sizeof number);
  else
    memcpy (value, bytes, type_size (member));
}

static void
fill (const ProcfunMember *member, guint8 *value)
{
  ProcfunDoubles numbers;

  switch (member->kind)
    {
    case PROCFUN_KIND_VOID:
      break;
    case PROCFUN_KIND_STRING:
    case PROCFUN_KIND_CONST_STRING:
      *(char **)(gpointer)value = random_string ();
      break;
    case PROCFUN_KIND_MAYBE_STRING:
      *(char **)(gpointer)value = g_test_rand_bit () ? random_string () : NULL;
      break;
    case PROCFUN_KIND_STRV:
      fill_strv ((GStrv *)(gpointer)value);
      break;
    case PROCFUN_KIND_BYTES:
      {
        gsize size = random_length (9);

        *(GBytes **)(gpointer)value = g_bytes_new_take (random_bytes (size), size);
        break;
      }
    case PROCFUN_KIND_STRUCT:
      for (gsize i = 0; i < member->info->n_members; i++)
        fill (&member->info->members[i], value + member->info->members[i].offset);
      break;
    case PROCFUN_KIND_ARRAY:
      fill_array (member->info, value);
      break;
    case PROCFUN_KIND_INT16S ... PROCFUN_KIND_DOUBLES:
      numbers.length = random_length (6) / 2;
      numbers.owner = g_bytes_new_take (random_bytes (numbers.length * 8), numbers.length * 8);
      numbers.data = g_bytes_get_data (numbers.owner, NULL);
      memcpy (value, &numbers, sizeof numbers);
      break;
    default:
      fill_number (member, value);
    }
}

typedef struct
{
  const ProcfunDefinition *definition;
  ProcfunSchema *schema;
  gpointer values[PROCFUN_MAX_ARGUMENTS];
} Arguments;

static void
arguments_init (Arguments *self, const ProcfunDefinition *definition)
{
  self->definition = definition;
  self->schema = type_schema_arguments (definition->args, definition->n_args);
  for (guint i = 0; i < definition->n_args; i++)
    {
      self->values[i] = g_malloc0 (type_size (&definition->args[i]));
      type_init (&definition->args[i], self->values[i]);
    }
}

static void
arguments_clear (Arguments *self)
{
  procfun_schema_unref (self->schema);
  for (guint i = 0; i < self->definition->n_args; i++)
    {
      type_clear (&self->definition->args[i], self->values[i]);
      g_free (self->values[i]);
    }
}

static GBytes *
pack (Arguments *self)
{
  g_auto (Buffer) out = { 0 };

  g_assert_true (type_pack_arguments (self->definition->args, self->schema,
                                      (gconstpointer const *)self->values, &out));
  return wire_buffer_steal (&out);
}

static GBytes *
encode (Arguments *self)
{
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) variant = g_variant_ref_sink (
      type_arguments_to_variant (self->definition->args, self->definition->n_args,
                                 (gconstpointer const *)self->values, &fds, NULL));
  g_autoptr (GVariant) normal = g_variant_get_normal_form (variant);

  return g_variant_get_data_as_bytes (normal);
}

static void
assert_same (GBytes *one, GBytes *other)
{
  gsize one_size, other_size;
  gconstpointer one_data = g_bytes_get_data (one, &one_size);
  gconstpointer other_data = g_bytes_get_data (other, &other_size);

  g_assert_cmpmem (one_data, one_size, other_data, other_size);
}

static gboolean
unpack (Arguments *self, const guint8 *data, gsize size, GBytes *owner)
{
  return type_unpack_arguments (self->definition->args, self->schema, data, size, owner,
                                self->values);
}

/* With an owner and without one, and from where nothing is aligned. */
static void
check_unpacking (const ProcfunDefinition *definition, GBytes *packed)
{
  gsize size;
  const guint8 *data = g_bytes_get_data (packed, &size);
  g_autofree guint8 *shifted = g_malloc (size + 1);

  if (size > 0)
    memcpy (shifted + 1, data, size);
  for (guint way = 0; way < 3; way++)
    {
      g_autoptr (GBytes) again = NULL;
      Arguments back;

      arguments_init (&back, definition);
      g_assert_true (unpack (&back, way == 2 ? shifted + 1 : data, size, way == 0 ? packed : NULL));
      again = encode (&back);
      assert_same (again, packed);
      arguments_clear (&back);
    }
}

/* Sanitizers look at each of many allocations. */
static guint
count_random (void)
{
  return fixture_has_sanitizers () ? 30 : 300;
}

static void
check_random (const ProcfunDefinition *definition)
{
  g_autoptr (GBytes) packed = NULL;
  g_autoptr (GBytes) encoded = NULL;
  Arguments arguments;

  arguments_init (&arguments, definition);
  for (guint i = 0; i < definition->n_args; i++)
    fill (&definition->args[i], arguments.values[i]);
  packed = pack (&arguments);
  encoded = encode (&arguments);
  assert_same (packed, encoded);
  check_unpacking (definition, packed);
  arguments_clear (&arguments);
}

static void
test_random (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    for (guint n = 0; n < count_random (); n++)
      check_random (all[i]);
}

/* Damaged bytes */

static guint8 *
damage (GBytes *bytes, gsize *size)
{
  gsize before;
  const guint8 *data = g_bytes_get_data (bytes, &before);
  guint8 *damaged;

  *size = before;
  if (g_test_rand_int_range (0, 4) == 0)
    *size = (gsize)g_test_rand_int_range (0, (gint)before + 9);
  damaged = g_malloc0 (MAX (*size, 1));
  if (before > 0)
    memcpy (damaged, data, MIN (before, *size));
  for (gint n = g_test_rand_int_range (0, 3); n > 0 && *size > 0; n--)
    damaged[g_test_rand_int_range (0, (gint)*size)]
        = (guint8)(g_test_rand_bit () ? g_test_rand_int_range (0, 8) : g_test_rand_int ());
  return damaged;
}

/* The reading of normal bytes by type.h. */
static gboolean
can_decode (Arguments *self, const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, size);
  g_autoptr (GVariant) variant = g_variant_ref_sink (
      g_variant_new_from_bytes (procfun_schema_get_variant_type (self->schema), bytes, TRUE));
  gboolean ok = TRUE;

  for (guint i = 0; i < self->definition->n_args && ok; i++)
    {
      g_autoptr (GVariant) child = g_variant_get_child_value (variant, i);

      ok = type_from_variant (&self->definition->args[i], child, NULL, self->values[i], NULL);
    }
  return ok;
}

static void
check_damaged (const ProcfunDefinition *definition, GBytes *bytes)
{
  gsize size;
  g_autofree guint8 *data = damage (bytes, &size);
  Arguments back, other;

  arguments_init (&back, definition);
  arguments_init (&other, definition);
  if (unpack (&back, data, size, NULL))
    {
      g_autoptr (GBytes) again = NULL;
      g_autoptr (GBytes) other_again = NULL;

      g_assert_true (wire_serialised_is_normal (back.schema, data, size));
      g_assert_true (can_decode (&other, data, size));
      again = encode (&back);
      other_again = encode (&other);
      assert_same (again, other_again);
    }
  else
    g_assert_false (wire_serialised_is_normal (other.schema, data, size)
                    && can_decode (&other, data, size));
  arguments_clear (&back);
  arguments_clear (&other);
}

static void
test_damaged (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    for (guint n = 0; n < count_random () / 10; n++)
      {
        g_autoptr (GBytes) packed = NULL;
        Arguments arguments;

        arguments_init (&arguments, all[i]);
        for (guint k = 0; k < all[i]->n_args; k++)
          fill (&all[i]->args[k], arguments.values[k]);
        packed = pack (&arguments);
        arguments_clear (&arguments);
        for (guint k = 0; k < count_random () / 8; k++)
          check_damaged (all[i], packed);
      }
}

/* Values that are refused */

static void
assert_is_left (const ProcfunDefinition *definition, gconstpointer value)
{
  g_autoptr (ProcfunSchema) schema = type_schema_arguments (definition->args, definition->n_args);
  gconstpointer values[] = { value };
  g_auto (Buffer) out = { 0 };
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_false (type_pack_arguments (definition->args, schema, values, &out));
  g_assert_null (type_arguments_to_variant (definition->args, 1, values, &fds, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
}

static void
test_refused (void)
{
  static const char *const bad_strv[] = { "good", "\xff", NULL };
  static const Tag tags[] = { { TRUE, (char *)"good", 1 }, { FALSE, NULL, 2 } };
  const char *none = NULL;
  const char *bad = "\xff";
  const char *const *strv = bad_strv;
  const ProcfunDoubles numbers = { NULL, 1, NULL };
  const ProcfunDoubles too_many = { (const double *)tags, G_MAXSIZE / 8, NULL };
  const TagArray array = { (Tag *)tags, 2 };
  const TagArray empty = { NULL, 1 };

  assert_is_left (DEFINITION (give_string), &none);
  assert_is_left (DEFINITION (give_string), &bad);
  assert_is_left (DEFINITION (give_maybe_string), &bad);
  assert_is_left (DEFINITION (give_strv), &none);
  assert_is_left (DEFINITION (give_strv), &strv);
  assert_is_left (DEFINITION (give_bytes), &none);
  assert_is_left (DEFINITION (give_doubles), &numbers);
  assert_is_left (DEFINITION (give_doubles), &too_many);
  assert_is_left (DEFINITION (give_tags), &array);
  assert_is_left (DEFINITION (give_tags), &empty);
}

static void
test_packable (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_assert_true (type_are_packable (all[i]->args, all[i]->n_args));
      g_assert_true (type_is_packable (&all[i]->result));
    }
  g_assert_false (type_are_packable ((DEFINITION (take_variant))->args, 1));
  g_assert_false (type_are_packable ((DEFINITION (take_descriptor))->args, 1));
  g_assert_false (type_are_packable ((DEFINITION (take_holders))->args, 1));
}

/* A double beyond a float stays a matter of type.h, which names it. */
static void
test_float (void)
{
  const double large = 1e300;
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE_DOUBLE);
  float number = 1;

  g_assert_false (type_unpack (&(DEFINITION (give_float))->result, schema, (const guint8 *)&large,
                               sizeof large, NULL, &number));
  g_assert_cmpfloat (number, ==, 0);
}

static void
test_not_copied (void)
{
  const gsize size = 1000;
  g_autoptr (GBytes) bytes = g_bytes_new_take (g_malloc0 (size), size);
  const ProcfunMember *member = &(DEFINITION (give_doubles))->result;
  g_autoptr (ProcfunSchema) schema = type_schema (member);
  g_auto (ProcfunDoubles) numbers = { NULL, 0, NULL };
  gconstpointer data = g_bytes_get_data (bytes, NULL);

  g_assert_true (type_unpack (member, schema, data, size, bytes, &numbers));
  g_assert_true (numbers.data == data);
  g_assert_cmpuint (numbers.length, ==, size / sizeof (double));
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/type/packed/all-but-variants-and-descriptors", test_packable);
  fixture_add_func ("/type/packed/bytes-are-those-of-gvariant", test_random);
  fixture_add_func ("/type/packed/damaged-bytes-are-refused", test_damaged);
  fixture_add_func ("/type/packed/faulty-values-are-refused", test_refused);
  fixture_add_func ("/type/packed/float-out-of-range-is-refused", test_float);
  fixture_add_func ("/type/packed/numbers-are-not-copied", test_not_copied);

  return fixture_run ();
}
