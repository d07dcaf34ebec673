/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Records that a crashed process leaves behind, and files that it names; and words that one wrote
 * into the journal of a map. */

#include "tests/fuzz-targets.h"

#include "procfun/map/journal.h"
#include "procfun/platform/fds.h"
#include "procfun/platform/symbols.h"
#include "procfun/process/crash-report.h"
#include "procfun/process/places.h"
#include "procfun/values/schema.h"
#include <string.h>
#include <sys/mman.h>

/* Bound of the text of a frame, in bytes. */
#define TEXT_MAX 8192

static void
check_line (const char *line)
{
  g_assert_true (g_utf8_validate (line, -1, NULL));
  g_assert_cmpuint (strlen (line), <=, TEXT_MAX);
  for (const char *at = line; *at != '\0'; at++)
    g_assert_false (g_ascii_iscntrl (*at));
}

static void
check_failure (ProcfunFailure *failure)
{
  const char *const *backtrace = procfun_failure_get_backtrace (failure);
  g_autofree char *text = procfun_failure_to_string (failure);

  g_assert_true (g_utf8_validate (text, -1, NULL));
  for (gsize i = 0; backtrace != NULL && backtrace[i] != NULL; i++)
    check_line (backtrace[i]);
  if (failure->place != NULL)
    check_line (failure->place);
}

void
fuzz_crash (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const guint8 flags = fuzz_take_byte (&input);
  g_autoptr (GBytes) report = fuzz_take_bytes (&input, fuzz_take_short (&input));
  g_autoptr (GBytes) words = fuzz_take_bytes (&input, fuzz_take_byte (&input));
  g_autofree char *last_words
      = g_strndup (g_bytes_get_data (words, NULL), g_bytes_get_size (words));
  g_autoptr (GBytes) names = fuzz_take_bytes (&input, G_MAXSIZE);
  g_autoptr (ProcfunFailure) failure = procfun_failure_new (PROCFUN_CAUSE_CRASHED, "fuzzed");
  G_GNUC_UNUSED g_autoptr (Naming) naming = crash_report_new_naming (report, 0, NULL);
  CrashFacts facts;

  crash_report_has_stacks (g_bytes_get_data (report, NULL), g_bytes_get_size (report));
  crash_report_has_death (g_bytes_get_data (report, NULL), g_bytes_get_size (report));
  crash_report_parse (report, NULL, (flags & 1) != 0 ? names : NULL, failure, &facts);
  crash_report_read_words (last_words, failure);
  check_failure (failure);
}

static int
make_file (GBytes *content)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (content, &size);
  int fd = memfd_create ("fuzz", MFD_CLOEXEC);

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (pwrite (fd, data, size, 0), ==, size);
  return fd;
}

void
fuzz_elf (const guint8 *data, gsize size)
{
  FuzzInput input = { data, size };
  const gboolean has_build_id = fuzz_take_byte (&input) != 0;
  const guint64 address = fuzz_take_word (&input);
  g_autoptr (GBytes) build_id = fuzz_take_bytes (&input, has_build_id ? 20 : 0);
  g_autoptr (GBytes) file = fuzz_take_bytes (&input, G_MAXSIZE);
  guint64 budget = 4 * 1024 * 1024;
  g_autoptr (Symbols) symbols = NULL;

  symbols_prepare (FALSE);
  symbols = symbols_new (make_file (file), has_build_id ? build_id : NULL, &budget);
  for (guint64 i = 0; symbols != NULL && i < 16; i++)
    {
      g_autofree char *name = symbols_find (symbols, address + i * 16);

      if (name != NULL)
        check_line (name);
    }
}

void
fuzz_symbol (const guint8 *data, gsize size)
{
  g_autofree char *name = g_strndup ((const char *)data, size);
  g_autofree char *readable = NULL;

  symbols_prepare (TRUE);
  readable = symbols_demangle (name);
  g_assert_true (g_utf8_validate (readable, -1, NULL));
  g_assert_cmpuint (strlen (readable), <=, TEXT_MAX);
}

void
fuzz_journal (const guint8 *data, gsize size)
{
  static const char *const types[] = { "s", "i", "d", "(sv)", "as", "y", "(ii)", "mv", "a{sv}" };
  FuzzInput input = { data, size };
  const char *type = types[fuzz_take_byte (&input) % G_N_ELEMENTS (types)];
  const gsize n = fuzz_take_byte (&input);
  g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (type));
  g_autoptr (GBytes) content = fuzz_take_bytes (&input, G_MAXSIZE);
  Journal journal = { .fd = make_file (content), .room = JOURNAL_ENOUGH };
  g_autoptr (GVariant) results = NULL;
  g_autoptr (GError) error = NULL;
  JournalHead head;

  if (ftruncate (journal.fd, (off_t)(JOURNAL_RESULTS + journal.room)) == 0
      && journal_read_head (&journal, n, schema, &head))
    {
      results = journal_read_results (&journal, &head, schema, &error);
      g_assert_true ((results == NULL) == (error != NULL));
      g_assert_true (results == NULL || g_variant_n_children (results) == head.n_done);
    }
  fd_clear (&journal.fd);
}
