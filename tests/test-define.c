/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Code that the macros generate. Conversion of values is in test-type.c, and calls in other
 * processes are in the tests of the executors. */

#include "tests/define-functions.h"
#include "tests/fixture.h"
#include "tests/thunk.h"

#include <elf.h>
#include <link.h>
#include <string.h>

PROCFUN_DEFINE_STRUCT (Point, (double, x), (double, y))

PROCFUN_DEFINE_FUNCTION (distance, double, (Point, a), (Point, b))
{
  return ABS (a.x - b.x) + ABS (a.y - b.y);
}

PROCFUN_DEFINE_STATIC_FUNCTION (answer, int) { return 42; }

static int n_rings;

PROCFUN_DEFINE_FUNCTION (ring, void) { n_rings++; }

PROCFUN_DEFINE_FUNCTION (twelve, char *, (int, a), (int, b), (int, c), (int, d), (int, e), (int, f),
                         (int, g), (int, h), (int, i), (int, j), (int, k), (const char *, l))
{
  return g_strdup_printf ("%d %d %d %d %d %d %d %d %d %d %d %s", a, b, c, d, e, f, g, h, i, j, k,
                          l);
}

PROCFUN_DEFINE_STATIC_FUNCTION_WITH_ERROR (fail, void, (const char *, message))
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, message);
}

PROCFUN_DEFINE_FUNCTION_WITH_ERROR (fail_at_once, GBytes *)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "no");
  return NULL;
}

/* Any name that the wrappers might like for themselves. */
PROCFUN_DEFINE_FUNCTION (clash, int, (int, error), (int, result), (int, values), (int, args),
                         (int, call), (int, cancellable), (int, callback), (int, user_data),
                         (int, async_result), (int, name))
{
  return error + result + values + args + call + cancellable + callback + user_data + async_result
         + name;
}

/* The compiler compares the types. */
static void
test_prototypes (void)
{
  double (*plain) (Point, Point) = distance;
  double (*process) (Point, Point, GError **) = distance_process;
  void (*async) (Point, Point, GCancellable *, GAsyncReadyCallback, gpointer)
      = distance_process_async;
  double (*finish) (GAsyncResult *, GError **) = distance_process_finish;
  ProcfunCall *(*call) (Point, Point) = distance_call;
  double (*run) (ProcfunCall *, GCancellable *, GError **) = distance_run;
  void (*run_async) (ProcfunCall *, GCancellable *, GAsyncReadyCallback, gpointer)
      = distance_run_async;
  double (*run_finish) (ProcfunCall *, GAsyncResult *, GError **) = distance_run_finish;
  double (*with) (Point, Point, ProcfunExecutor *, const ProcfunCallSettings *, GError **)
      = distance_process_with;
  void (*with_async) (Point, Point, ProcfunExecutor *, const ProcfunCallSettings *, GCancellable *,
                      GAsyncReadyCallback, gpointer)
      = distance_process_with_async;
  ProcfunFunction *(*function) (void) = distance_function;

  void (*void_plain) (void) = ring;
  gboolean (*void_process) (GError **) = ring_process;
  void (*void_async) (GCancellable *, GAsyncReadyCallback, gpointer) = ring_process_async;
  gboolean (*void_finish) (GAsyncResult *, GError **) = ring_process_finish;
  ProcfunCall *(*void_call) (void) = ring_call;
  gboolean (*void_run) (ProcfunCall *, GCancellable *, GError **) = ring_run;
  gboolean (*void_with) (ProcfunExecutor *, const ProcfunCallSettings *, GError **)
      = ring_process_with;

  void (*with_error) (const char *, GError **) = fail;
  GBytes *(*only_error) (GError **) = fail_at_once;
  Route (*declared) (const char *, ProcfunDoubles, GError **) = route_new;

  g_assert_true (plain && process && async && finish && call && run && function);
  g_assert_true (void_plain && void_process && void_async && void_finish && void_call && void_run);
  g_assert_true (with_error && only_error && declared);
  g_assert_true (run_async && run_finish && with && with_async && void_with);
}

static void
test_plain_calls (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *all = twelve (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "12");

  g_assert_cmpfloat (distance ((Point){ 1, 1 }, (Point){ 4, 5 }), ==, 7);
  g_assert_cmpint (answer (), ==, 42);
  g_assert_cmpstr (all, ==, "1 2 3 4 5 6 7 8 9 10 11 12");
  fail ("yes", &error);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static void
test_description (void)
{
  const ProcfunDefinition *self = &procfun_definition_of_distance;

  g_assert_cmpstr (self->name, ==, "distance");
  g_assert_cmpuint (self->n_args, ==, 2);
  g_assert_cmpstr (self->args[1].name, ==, "b");
  g_assert_true (self->args[1].info == procfun_info_of_Point);
  g_assert_cmpuint (self->result_size, ==, sizeof (double));
  g_assert_cmpuint (self->flags, ==, 0);
  g_assert_true (self->module == procfun_definition_of_ring.module);

  g_assert_cmpuint (procfun_definition_of_ring.result_size, ==, 0);
  g_assert_cmpuint (procfun_definition_of_ring.n_args, ==, 0);
  g_assert_cmpuint (procfun_definition_of_twelve.n_args, ==, 12);
  g_assert_cmpuint (procfun_definition_of_fail.flags, ==, PROCFUN_DEFINITION_WITH_ERROR);

  g_assert_cmpuint (procfun_info_of_Point->n_members, ==, 2);
  g_assert_cmpuint (procfun_info_of_Point->members[1].offset, ==, sizeof (double));
  g_assert_true (procfun_info_of_PointArray->element == procfun_info_of_Point);
}

static void
test_functions (void)
{
  g_assert_cmpstr (procfun_function_get_name (distance_function ()), ==, "distance");
  g_assert_cmpstr (procfun_function_get_signature (distance_function ()), ==,
                   "distance((dd)(dd))d");
  g_assert_cmpstr (procfun_function_get_signature (ring_function ()), ==, "ring()()");
  g_assert_cmpstr (procfun_function_get_signature (fail_function ()), ==, "fail(s)()");
  g_assert_cmpstr (procfun_function_get_signature (twelve_function ()), ==,
                   "twelve(iiiiiiiiiiis)s");
  g_assert_cmpstr (procfun_function_get_argument_name (clash_function (), 0), ==, "error");
  g_assert_cmpstr (procfun_function_get_signature (route_new_function ()), ==,
                   "route_new(sad)(sa(dd))");
  g_assert_true (answer_function () == answer_function ());
}

static void
test_thunks (void)
{
  int numbers[12] = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 };
  const char *text = "end";
  gconstpointer args[12];
  g_autofree char *result = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) nothing = NULL;
  int number;

  for (gsize i = 0; i < G_N_ELEMENTS (args); i++)
    args[i] = &numbers[i];
  g_assert_true (thunk_call (&procfun_definition_of_clash, args, &number, NULL));
  g_assert_cmpint (number, ==, 55);
  g_assert_true (thunk_call (&procfun_definition_of_answer, NULL, &number, NULL));
  g_assert_cmpint (number, ==, 42);

  args[11] = &text;
  g_assert_true (thunk_call (&procfun_definition_of_twelve, args, &result, NULL));
  g_assert_cmpstr (result, ==, "1 2 3 4 5 6 7 8 9 10 11 end");

  n_rings = 0;
  g_assert_true (thunk_call (&procfun_definition_of_ring, NULL, NULL, NULL));
  g_assert_cmpint (n_rings, ==, 1);

  args[0] = &text;
  g_assert_false (thunk_call (&procfun_definition_of_fail, args, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpstr (error->message, ==, "end");
  g_assert_false (thunk_call (&procfun_definition_of_fail_at_once, NULL, &nothing, NULL));
  g_assert_null (nothing);
}

static ProcfunCall *
in_this_process (ProcfunCall *call)
{
  g_autoptr (ProcfunExecutor) executor = PROCFUN_EXECUTOR (procfun_inline_new ());

  procfun_call_set_executor (call, executor);
  return call;
}

static void
test_run (void)
{
  g_autoptr (ProcfunCall) call = in_this_process (distance_call ((Point){ 1, 1 }, (Point){ 4, 5 }));
  g_autoptr (ProcfunCall) void_call = in_this_process (ring_call ());
  g_autoptr (ProcfunCall) failing = in_this_process (fail_call ("why"));
  g_autoptr (GError) error = NULL;

  g_assert_cmpfloat (distance_run (call, NULL, &error), ==, 7);
  g_assert_no_error (error);
  g_assert_true (ring_run (void_call, NULL, &error));
  g_assert_no_error (error);
  g_assert_false (fail_run (failing, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
}

static void
on_finished (GObject *source, GAsyncResult *result, gpointer user_data)
{
  *(GAsyncResult **)user_data = g_object_ref (result);
}

static void
test_run_async (void)
{
  g_autoptr (ProcfunCall) call
      = in_this_process (twelve_call (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, "!"));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  g_autofree char *text = NULL;

  twelve_run_async (call, NULL, on_finished, &result);
  while (result == NULL)
    g_main_context_iteration (NULL, TRUE);
  text = twelve_run_finish (call, result, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, "1 2 3 4 5 6 7 8 9 10 11 !");
}

static guint
count_notes (const struct dl_phdr_info *info, const ElfW (Phdr) * header, const char *text)
{
  const char *at = (const char *)(info->dlpi_addr + header->p_vaddr);
  const char *end = at + header->p_memsz;
  guint count = 0;

  while (at < end)
    {
      const ElfW (Nhdr) *note = (gconstpointer)at;
      const char *owner = at + sizeof *note;
      const char *its_text = owner + (note->n_namesz + 3) / 4 * 4;

      if (strcmp (owner, "procfun") == 0 && note->n_type == 1 && strcmp (its_text, text) == 0)
        count++;
      at = its_text + (note->n_descsz + 3) / 4 * 4;
    }
  return count;
}

static int
find_note (struct dl_phdr_info *info, gsize size, gpointer text)
{
  guint count = 0;

  for (gsize i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_NOTE && info->dlpi_phdr[i].p_align <= 4)
      count += count_notes (info, &info->dlpi_phdr[i], text);
  return count == 0 ? -1
                    : (int)count; /* the program itself is the first; not 0, which would go on */
}

static void
test_notes (void)
{
  g_assert_cmpint (dl_iterate_phdr (find_note, (gpointer) "distance"), ==, 1);
  g_assert_cmpint (dl_iterate_phdr (find_note, (gpointer) "answer"), ==, 1);
  g_assert_cmpint (dl_iterate_phdr (find_note, (gpointer) "route_new"), ==, 1);
  g_assert_cmpint (dl_iterate_phdr (find_note, (gpointer) "n_rings"), ==, -1);
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/define/prototypes-are-as-documented", test_prototypes);
  fixture_add_func ("/define/function-is-called-as-plain-c", test_plain_calls);
  fixture_add_func ("/define/description-has-names-and-types", test_description);
  fixture_add_func ("/define/all-types-are-described", test_functions);
  fixture_add_func ("/define/thunks-convert-and-call", test_thunks);
  fixture_add_func ("/define/run-gives-result-or-error", test_run);
  fixture_add_func ("/define/run-async-gives-result-or-error", test_run_async);
  fixture_add_func ("/define/notes-name-each-function", test_notes);

  return fixture_run ();
}
