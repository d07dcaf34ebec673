/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/thunk.h"

#include "procfun/values/type.h"
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

PROCFUN_DEFINE_ENUM (Mode, MODE_FAST, MODE_VERY_SLOW, (MODE_LAST, 77))
PROCFUN_DEFINE_ENUM (Loner, TEST_LONER_ONLY)
PROCFUN_DEFINE_ENUM (Apple, Boskoop, Elstar)
PROCFUN_DEFINE_ENUM (Size, SIZE, SIZE_XL)
PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))
PROCFUN_DEFINE_STRUCT (Label, (char *, text), (const char *, hint), (ProcfunMaybeString, link),
                       (Point, at))
PROCFUN_DEFINE_STRUCT (Drawing, (LabelArray, labels), (PointArray, points), (ModeArray, modes),
                       (GStrv, tags), (GBytes *, data), (GVariant *, extra),
                       (ProcfunDoubles, weights))
PROCFUN_DEFINE_STRUCT (Files, (ProcfunFd, first), (int, n), (ProcfunFd, second),
                       (GUnixFDList *, others))
PROCFUN_DEFINE_STRUCT (Floats, (int, n), (float, small))

PROCFUN_DEFINE_STATIC_FUNCTION (keep_drawing, Drawing, (Drawing, drawing), (Mode, mode))
{
  Drawing kept = { 0 };

  kept.labels.data = g_new0 (Label, drawing.labels.length);
  kept.labels.length = drawing.labels.length;
  for (gsize i = 0; i < drawing.labels.length; i++)
    {
      const Label *label = &drawing.labels.data[i];

      kept.labels.data[i] = (Label){ g_strdup (label->text), g_strdup (label->hint),
                                     g_strdup (label->link), label->at };
    }
  kept.points.data = g_memdup2 (drawing.points.data, drawing.points.length * sizeof (Point));
  kept.points.length = drawing.points.length;
  kept.modes.data = g_new (Mode, 1);
  kept.modes.data[0] = mode;
  kept.modes.length = 1;
  kept.tags = g_strdupv (drawing.tags);
  kept.data = g_bytes_ref (drawing.data);
  kept.extra = g_variant_new_int32 (g_variant_get_int32 (drawing.extra) + 1);
  kept.weights = procfun_doubles_new (drawing.weights.data, drawing.weights.length);
  return kept;
}

/* To be freed with Drawing_clear(). */
static Drawing
example (gsize n_labels)
{
  Drawing drawing = { 0 };

  drawing.labels.data = g_new0 (Label, n_labels);
  drawing.labels.length = n_labels;
  for (gsize i = 0; i < n_labels; i++)
    drawing.labels.data[i] = (Label){ g_strdup_printf ("text %" G_GSIZE_FORMAT, i),
                                      g_strdup ("ü"),
                                      i % 2 == 0 ? NULL : g_strdup ("link"),
                                      { i, -1 } };
  drawing.points.data = g_new0 (Point, 2);
  drawing.points.length = 2;
  drawing.points.data[1].y = 0.1;
  drawing.tags = g_strsplit ("a,b", ",", -1);
  drawing.data = g_bytes_new_static ("abc", 3);
  drawing.extra = g_variant_new_int32 (41);
  drawing.weights = procfun_doubles_new ((const double[]){ 1, 2 }, 2);
  return drawing;
}

static void
test_nested (void)
{
  for (gsize n_labels = 0; n_labels < 3; n_labels++)
    {
      g_auto (Drawing) drawing = example (n_labels);
      g_auto (Drawing) result = { 0 };
      Mode mode = MODE_LAST;
      gconstpointer args[] = { &drawing, &mode };
      GError *error = NULL;

      thunk_call (&procfun_definition_of_keep_drawing, args, &result, &error);
      g_assert_no_error (error);

      g_assert_cmpuint (result.labels.length, ==, n_labels);
      for (gsize i = 0; i < n_labels; i++)
        {
          g_assert_cmpstr (result.labels.data[i].text, ==, drawing.labels.data[i].text);
          g_assert_cmpstr (result.labels.data[i].hint, ==, "ü");
          g_assert_cmpstr (result.labels.data[i].link, ==, drawing.labels.data[i].link);
          g_assert_cmpfloat (result.labels.data[i].at.x, ==, i);
        }
      g_assert_cmpuint (result.points.length, ==, 2);
      g_assert_cmpfloat (result.points.data[1].y, ==, 0.1);
      g_assert_cmpuint (result.modes.length, ==, 1);
      g_assert_cmpint (result.modes.data[0], ==, MODE_LAST);
      g_assert_cmpstrv (result.tags, drawing.tags);
      g_assert_true (g_bytes_equal (result.data, drawing.data));
      g_assert_cmpint (g_variant_get_int32 (result.extra), ==, 42);
      g_assert_cmpuint (result.weights.length, ==, 2);
      g_assert_cmpfloat (result.weights.data[1], ==, 2);
    }
}

static void
test_schema (void)
{
  const ProcfunDefinition *definition = &procfun_definition_of_keep_drawing;
  g_autoptr (ProcfunSchema) schema = type_schema_arguments (definition->args, definition->n_args);
  ProcfunSchema *drawing = procfun_schema_get_child (schema, 0);
  ProcfunSchema *labels = procfun_schema_get_child (drawing, 0);
  ProcfunSchema *label = procfun_schema_get_child (labels, 0);
  g_autofree char *type = g_variant_type_dup_string (procfun_schema_get_variant_type (schema));

  g_assert_cmpstr (type, ==, "((a(ssms(dd))a(dd)aiasayvad)i)");
  g_assert_cmpint (procfun_schema_get_kind (schema), ==, PROCFUN_SCHEMA_ARGUMENTS);
  g_assert_cmpuint (procfun_schema_get_n_children (schema), ==, 2);
  g_assert_cmpstr (procfun_schema_get_child_name (schema, 0), ==, "drawing");
  g_assert_cmpstr (procfun_schema_get_child_name (schema, 1), ==, "mode");
  g_assert_cmpint (procfun_schema_get_kind (drawing), ==, PROCFUN_SCHEMA_STRUCT);
  g_assert_cmpstr (procfun_schema_get_child_name (drawing, 6), ==, "weights");
  g_assert_cmpint (procfun_schema_get_kind (labels), ==, PROCFUN_SCHEMA_PLAIN);
  g_assert_cmpint (procfun_schema_get_kind (label), ==, PROCFUN_SCHEMA_STRUCT);
  g_assert_cmpstr (procfun_schema_get_child_name (label, 3), ==, "at");
  g_assert_cmpint (procfun_schema_get_kind (procfun_schema_get_child (schema, 1)), ==,
                   PROCFUN_SCHEMA_ENUM);
}

/* As glib-mkenums has it, but that a name is never cut to nothing. */
static void
test_nicks (void)
{
  static const struct
  {
    const ProcfunTypeInfo *info;
    gint32 value;
    const char *nick;
  } cases[] = {
    { procfun_info_of_Mode, MODE_FAST, "fast" },
    { procfun_info_of_Mode, MODE_VERY_SLOW, "very-slow" },
    { procfun_info_of_Mode, 77, "last" },
    { procfun_info_of_Loner, TEST_LONER_ONLY, "only" },
    { procfun_info_of_Apple, Boskoop, "boskoop" },
    { procfun_info_of_Apple, Elstar, "elstar" },
    { procfun_info_of_Size, SIZE, "size" },
    { procfun_info_of_Size, SIZE_XL, "size-xl" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      ProcfunMember member = { NULL, cases[i].info, 0, cases[i].info->kind };
      g_autoptr (ProcfunSchema) schema = type_schema (&member);
      gint32 value;

      g_assert_cmpstr (procfun_schema_get_nick (schema, cases[i].value), ==, cases[i].nick);
      g_assert_true (procfun_schema_get_value (schema, cases[i].nick, &value));
      g_assert_cmpint (value, ==, cases[i].value);
    }
}

static void
assert_encode_fails (const Drawing *drawing, const char *message)
{
  const ProcfunDefinition *definition = &procfun_definition_of_keep_drawing;
  Mode mode = MODE_FAST;
  gconstpointer args[] = { drawing, &mode };
  GUnixFDList *fds = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GError) result_error = NULL;

  g_assert_null (type_arguments_to_variant (definition->args, 2, args, &fds, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_assert_cmpstr (error->message, ==, message);

  g_assert_null (type_to_variant (&definition->result, drawing, &fds, &result_error));
  g_assert_error (result_error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_assert_cmpstr (result_error->message, ==, message + strlen ("/drawing"));
}

static void
test_encode_errors (void)
{
  g_auto (Drawing) drawing = example (3);
  Drawing broken = drawing;
  const char *words[] = { "a", "b\xff", NULL };
  Label labels[] = { drawing.labels.data[0], drawing.labels.data[1] };

  broken.data = NULL;
  assert_encode_fails (&broken, "/drawing/data: is NULL");
  broken.tags = NULL;
  assert_encode_fails (&broken, "/drawing/tags: is NULL");
  broken.tags = (GStrv)words;
  assert_encode_fails (&broken, "/drawing/tags/1: is not valid UTF-8");

  broken = drawing;
  broken.extra = NULL;
  assert_encode_fails (&broken, "/drawing/extra: is NULL");
  broken.points.data = NULL;
  assert_encode_fails (&broken, "/drawing/points: is NULL");
  broken.labels.length = 2;
  broken.labels.data = labels;
  labels[1].hint = NULL;
  assert_encode_fails (&broken, "/drawing/labels/1/hint: is NULL");
  labels[1].hint = "";
  labels[1].link = (char *)"\x80";
  assert_encode_fails (&broken, "/drawing/labels/1/link: is not valid UTF-8");

  broken = drawing;
  broken.weights = (ProcfunDoubles){ NULL, 1, NULL };
  assert_encode_fails (&broken, "/drawing/weights: is NULL");
  broken.weights = (ProcfunDoubles){ drawing.weights.data, G_MAXSIZE, NULL };
  assert_encode_fails (&broken, "/drawing/weights: is too long");
}

PROCFUN_DEFINE_STATIC_FUNCTION (return_null, char *) { return NULL; }

static void
test_null_result (void)
{
  gconstpointer args[] = { NULL };
  char *result = (char *)"";
  g_autoptr (GError) error = NULL;

  g_assert_false (thunk_call (&procfun_definition_of_return_null, args, &result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_assert_cmpstr (error->message, ==, "is NULL");
  g_assert_null (result);
}

PROCFUN_DEFINE_STATIC_FUNCTION (floats, FloatsArray, (Floats, one), (FloatsArray, many),
                                (float, last))
{
  return (FloatsArray){ 0 };
}

static void
test_decode_errors (void)
{
  const ProcfunDefinition *definition = &procfun_definition_of_floats;
  static const char *const inputs[][2] = {
    { "(0, 1e39)", "/one/small: 1e+39 is out of range for a float" },
    { "[(0, 0.0), (1, -1e300)]", "/many/1/small: -1e+300 is out of range for a float" },
    { "3.5e38", "/last: 3.5e+38 is out of range for a float" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (inputs); i++)
    {
      g_autoptr (ProcfunSchema) schema = type_schema (&definition->args[i]);
      g_autoptr (GVariant) variant = g_variant_parse (procfun_schema_get_variant_type (schema),
                                                      inputs[i][0], NULL, NULL, NULL);
      FloatsArray value = { (Floats *)1, 1 }; /* the largest of the three */
      g_autoptr (GError) error = NULL;

      g_assert_false (type_from_variant (&definition->args[i], variant, NULL, &value, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
      g_assert_cmpstr (error->message, ==, inputs[i][1]);
      if (i == 1)
        g_assert_true (value.data == NULL && value.length == 0);
    }
}

PROCFUN_DEFINE_STATIC_FUNCTION (swap_files, Files, (Files, files), (ProcfunFd, extra))
{
  Files swapped = { dup (files.second), files.n, dup (files.first), g_unix_fd_list_new () };
  int n_others;
  const int *others = g_unix_fd_list_peek_fds (files.others, &n_others);

  g_unix_fd_list_append (swapped.others, extra, NULL);
  for (int i = 0; i < n_others; i++)
    g_unix_fd_list_append (swapped.others, others[i], NULL);
  return swapped;
}

static int
open_null (void)
{
  return open ("/dev/null", O_RDWR | O_CLOEXEC);
}

static int
open_zero (void)
{
  return open ("/dev/zero", O_RDWR | O_CLOEXEC);
}

static void
assert_same_file (int a, int b)
{
  struct stat a_status, b_status;

  g_assert_no_errno (fstat (a, &a_status));
  g_assert_no_errno (fstat (b, &b_status));
  g_assert_cmpint (a, !=, b);
  g_assert_true (a_status.st_rdev == b_status.st_rdev);
  g_assert_cmpint (fcntl (a, F_GETFD) & FD_CLOEXEC, ==, FD_CLOEXEC);
}

/* The lowest free number tells whether all of ours are closed. */
static void
test_descriptors (void)
{
  int lowest = open_null ();
  Files files = { lowest, 5, open_zero (), g_unix_fd_list_new () };
  ProcfunFd extra = open_zero ();
  gconstpointer args[] = { &files, &extra };
  Files result = { 0 };
  const int *others;
  int n_others;
  GError *error = NULL;

  g_unix_fd_list_append (files.others, lowest, NULL);
  thunk_call (&procfun_definition_of_swap_files, args, &result, &error);
  g_assert_no_error (error);
  g_assert_cmpint (result.n, ==, 5);
  assert_same_file (result.first, files.second);
  assert_same_file (result.second, files.first);
  others = g_unix_fd_list_peek_fds (result.others, &n_others);
  g_assert_cmpint (n_others, ==, 2);
  assert_same_file (others[0], extra);
  assert_same_file (others[1], files.first);

  Files_clear (&result);
  g_assert_cmpint (result.first, ==, -1);
  g_assert_cmpint (result.second, ==, -1);
  g_assert_null (result.others);
  Files_clear (&files);
  close (extra);
  g_assert_cmpint (open_null (), ==, lowest);
  close (lowest);
}

/* Not even where 0 is free: clearing a struct of zeroes must not close what is 0. */
static void
test_descriptor_zero (void)
{
  ProcfunMember member = { NULL, NULL, 0, PROCFUN_KIND_FD };
  g_auto (Files) untouched = { 0 };
  int input = dup (STDIN_FILENO);
  int fd = open_null ();
  int fds[] = { dup (fd), -1 };
  g_autoptr (GUnixFDList) list = g_unix_fd_list_new_from_array (fds, 1);
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_handle (0));
  ProcfunFd value = 0;

  close (STDIN_FILENO);
  g_assert_true (type_from_variant (&member, variant, list, &value, NULL));
  g_assert_cmpint (value, >, STDERR_FILENO);
  assert_same_file (value, fd);
  type_clear (&member, &value);
  g_assert_cmpint (value, ==, -1);

  g_assert_cmpint (dup2 (fd, STDIN_FILENO), ==, STDIN_FILENO);
  Files_clear (&untouched);
  g_assert_no_errno (fcntl (STDIN_FILENO, F_GETFD));
  if (input >= 0)
    dup2 (input, STDIN_FILENO);
  close (input);
  close (fd);
}

static void
test_descriptor_errors (void)
{
  const ProcfunDefinition *definition = &procfun_definition_of_swap_files;
  Files files = { -1, 5, 0, NULL };
  ProcfunFd extra = 0, closed = open_null (), result;
  gconstpointer args[] = { &files, &extra };
  g_autoptr (GUnixFDList) fds = NULL;
  g_autoptr (GVariant) variant = g_variant_ref_sink (g_variant_new_handle (1));
  g_autoptr (GError) error = NULL;

  g_assert_null (type_arguments_to_variant (definition->args, 2, args, &fds, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_assert_cmpstr (error->message, ==, "/files/first: -1 is no file descriptor");
  g_clear_error (&error);

  files.first = closed;
  close (closed);
  g_assert_null (type_arguments_to_variant (definition->args, 2, args, &fds, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_ENCODE);
  g_assert_true (g_str_has_prefix (error->message, "/files/first: can't pass file descriptor "));
  g_clear_error (&error);

  g_assert_false (type_from_variant (&definition->args[1], variant, NULL, &result, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
  g_assert_cmpstr (error->message, ==,
                   "/extra: there is no file descriptor 1, of 0 that were passed");
  g_assert_cmpint (result, ==, -1);
}

static void
test_clear (void)
{
  Drawing drawing = example (2);
  ModeArray modes = { g_new0 (Mode, 3), 3 };
  LabelArray labels = { g_new0 (Label, 1), 1 };
  Point point = { 1, 2 };

  g_variant_ref_sink (drawing.extra);
  Drawing_clear (&drawing);
  g_assert_null (drawing.labels.data);
  g_assert_cmpuint (drawing.labels.length, ==, 0);
  g_assert_null (drawing.weights.data);
  g_assert_null (drawing.extra);
  Drawing_clear (&drawing);

  ModeArray_clear (&modes);
  g_assert_null (modes.data);
  labels.data[0].text = g_strdup ("x");
  LabelArray_clear (&labels);
  g_assert_cmpuint (labels.length, ==, 0);
  Point_clear (&point);
  g_assert_cmpfloat (point.y, ==, 0);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/type/structs/nested-ones-survive", test_nested);
  fixture_add_func ("/type/structs/schema-has-names", test_schema);
  fixture_add_func ("/type/structs/nicks-lose-common-prefix", test_nicks);
  fixture_add_func ("/type/structs/clear-frees-everything", test_clear);
  fixture_add_func ("/type/errors/encode-names-the-place", test_encode_errors);
  fixture_add_func ("/type/errors/null-result-is-refused", test_null_result);
  fixture_add_func ("/type/errors/decode-names-the-place", test_decode_errors);
  fixture_add_func ("/type/descriptors/arrive-and-return", test_descriptors);
  fixture_add_func ("/type/descriptors/zero-is-unset", test_descriptor_zero);
  fixture_add_func ("/type/descriptors/wrong-ones-are-refused", test_descriptor_errors);

  return fixture_run ();
}
