/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "procfun/codecs/json-scanner.h"
#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"
#include "procfun/procfun-schema.h"
#include "tests/fixture.h"

#include <string.h>

/* Texts that RFC 8259 accepts are read, and texts that it refuses are refused. The rules are in the
 * order of N. Seriot's collection (“Parsing JSON is a minefield”); the texts are our own. */

#define LEVELS 128

typedef struct
{
  const char *name;
  const char *text;
  gsize length;
} Text;

#define TEXT(name, text)                                                                           \
  {                                                                                                \
    name, text, sizeof (text) - 1                                                                  \
  }

static const Text accepted[] = {
  TEXT ("array/empty", "[]"),
  TEXT ("array/spaces", "[ [ ] , [] ]"),
  TEXT ("array/of-empty-string", "[\"\"]"),
  TEXT ("array/newline-behind", "[\"x\"]\n"),
  TEXT ("array/newline-within", "[7\n]"),
  TEXT ("array/space-before", " [7]"),
  TEXT ("array/space-behind", "[7] "),
  TEXT ("array/literals", "[true,false,null]"),
  TEXT ("array/mixed", "[null,7,\"x\",{},[],1.5]"),
  TEXT ("array/nulls", "[null,7,null,null,8]"),
  TEXT ("number/integer", "[42]"),
  TEXT ("number/negative", "[-42]"),
  TEXT ("number/zero", "[0]"),
  TEXT ("number/minus-zero", "[-0]"),
  TEXT ("number/zero-exponent", "[0e3]"),
  TEXT ("number/zero-plus-exponent", "[0e+3]"),
  TEXT ("number/space-before", "[ 42]"),
  TEXT ("number/fraction", "[42.125]"),
  TEXT ("number/close-to-zero", "[-0.00000000000000000000000000000000000000000000000000000007]"),
  TEXT ("number/exponent", "[42e7]"),
  TEXT ("number/capital-exponent", "[4E22]"),
  TEXT ("number/capital-negative-exponent", "[4E-2]"),
  TEXT ("number/capital-positive-exponent", "[4E+2]"),
  TEXT ("number/fraction-exponent", "[42.125e17]"),
  TEXT ("number/negative-exponent", "[4e-2]"),
  TEXT ("number/positive-exponent", "[4e+2]"),
  TEXT ("number/many-digits", "[31415926535897932384626433832795028841971.69399375105820974944]"),
  TEXT ("number/huge-exponent", "[1.5e+99999]"),
  TEXT ("number/tiny-exponent", "[7e-99999]"),
  TEXT ("object/empty", "{}"),
  TEXT ("object/one", "{\"k\":7}"),
  TEXT ("object/two", "{\"k\":\"v\", \"l\":[]}"),
  TEXT ("object/name-twice", "{\"k\":7,\"k\":8}"),
  TEXT ("object/empty-name", "{\"\":7}"),
  TEXT ("object/escaped-nul-in-name", "{\"k\\u0000l\":7}"),
  TEXT ("object/extreme-numbers", "{ \"least\": -1.5e+28, \"most\": 1.5e+28 }"),
  TEXT ("object/long-string",
        "{\"k\":[{\"id\": \"0123456789012345678901234567890123456789012345678\"}]}"),
  TEXT ("object/escaped-letters", "{\"\\u043f\\u0440\":\"\\u0438\\u0432\"}"),
  TEXT ("object/newlines", "{\n\"k\" :\n7\r\n}"),
  TEXT ("string/one-two-three-bytes", "[\"\\u0070\\u013b\\u23ab\"]"),
  TEXT ("string/surrogate-pair", "[\"\\ud83d\\ude03\"]"),
  TEXT ("string/surrogate-pairs", "[\"\\ud83D\\uDe03\\uD834\\udd1E\"]"),
  TEXT ("string/last-surrogates", "[\"\\uDBFF\\uDFFF\"]"),
  TEXT ("string/all-escapes", "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\"]"),
  TEXT ("string/escaped-backslash-u", "[\"\\\\u0041\"]"),
  TEXT ("string/escaped-quote", "[\"\\\"\"]"),
  TEXT ("string/comment-within", "[\"k/*l*/m//n\"]"),
  TEXT ("string/escaped-backslash", "[\"\\\\k\"]"),
  TEXT ("string/escaped-control", "[\"\\u0013\"]"),
  TEXT ("string/escaped-noncharacter", "[\"\\uFFFE\\uFDD2\"]"),
  TEXT ("string/escaped-nul", "[\"\\u0000\"]"),
  TEXT ("string/escaped-newline", "[\"k\\u000Al\"]"),
  TEXT ("string/escaped-no-break-space", "[\"k\\u00A0l\"]"),
  TEXT ("string/escaped-supplementary-noncharacter", "[\"\\uD83F\\uDFFF\\uDBFF\\uDFFE\"]"),
  TEXT ("string/escaped-invisible", "[\"\\u200C\\u2063\"]"),
  TEXT ("string/space-before", "[ \"k\"]"),
  TEXT ("string/noncharacters", "[\"\xef\xbf\xbf\xf4\x8f\xbf\xbf\xf0\x9b\xbf\xbf\"]"),
  TEXT ("string/letters", "[\"\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\"]"),
  TEXT ("string/line-separators", "[\"\xe2\x80\xa8\xe2\x80\xa9\"]"),
  TEXT ("string/delete", "[\"k\x7fl\"]"),
  TEXT ("string/space", "\" \""),
  TEXT ("alone/false", "false"),
  TEXT ("alone/true", "true"),
  TEXT ("alone/null", "null"),
  TEXT ("alone/integer", "42"),
  TEXT ("alone/negative-real", "-0.25"),
  TEXT ("alone/string", "\"k\""),
  TEXT ("alone/empty-string", "\"\""),
  TEXT ("alone/newline-behind", "7\n"),
  TEXT ("alone/white-space", " \t\r\n[] \t\r\n"),
};

static const Text refused[] = {
  TEXT ("array/no-comma", "[7 true]"),
  TEXT ("array/invalid-utf8", "[k\xe5]"),
  TEXT ("array/colon-for-comma", "[\"k\":7]"),
  TEXT ("array/comma-behind", "[7],"),
  TEXT ("array/comma-first", "[,7]"),
  TEXT ("array/two-commas", "[7,,8]"),
  TEXT ("array/two-commas-last", "[\"k\",,]"),
  TEXT ("array/closed-twice", "[7]]"),
  TEXT ("array/comma-last", "[7,]"),
  TEXT ("array/not-closed", "[7"),
  TEXT ("array/letter", "[k"),
  TEXT ("array/arrays-without-comma", "[8[7]]"),
  TEXT ("array/byte", "[\xff]"),
  TEXT ("array/semicolon", "[7;8]"),
  TEXT ("array/just-comma", "[,]"),
  TEXT ("array/just-minus", "[-]"),
  TEXT ("array/no-value", "[   , \"\"]"),
  TEXT ("array/newlines-not-closed", "[\"k\",\n7\n,8"),
  TEXT ("array/commas-last", "[7,,]"),
  TEXT ("array/vertical-tab", "[\v7]"),
  TEXT ("array/form-feed", "[7\f]"),
  TEXT ("array/star", "[*]"),
  TEXT ("array/comma-not-closed", "[7,"),
  TEXT ("array/object-not-closed", "[{}"),
  TEXT ("word/fals", "[fals]"),
  TEXT ("word/nul", "[nul]"),
  TEXT ("word/tru", "[tru]"),
  TEXT ("word/true-alone-cut", "tru"),
  TEXT ("word/capital", "[True]"),
  TEXT ("word/all-capitals", "NULL"),
  TEXT ("word/longer", "[nulls]"),
  TEXT ("word/undefined", "[undefined]"),
  TEXT ("number/then-zeros", "42 00"),
  TEXT ("number/plus-plus", "[++7]"),
  TEXT ("number/plus", "[+7]"),
  TEXT ("number/plus-inf", "[+Inf]"),
  TEXT ("number/leading-zero-negative", "[-07]"),
  TEXT ("number/leading-zero", "[07]"),
  TEXT ("number/point-twice", "[-7.0.]"),
  TEXT ("number/two-points", "[0.5.2]"),
  TEXT ("number/negative-ends-with-point", "[-7.]"),
  TEXT ("number/ends-with-point", "[7.]"),
  TEXT ("number/minus-nan", "[-NaN]"),
  TEXT ("number/point-minus", "[.-7]"),
  TEXT ("number/begins-with-point", "[.7]"),
  TEXT ("number/begins-with-point-exponent", "[.7e-3]"),
  TEXT ("number/negative-begins-with-point", "[-.7]"),
  TEXT ("number/exponent-plus-cut", "[0.7e+]"),
  TEXT ("number/exponent-cut", "[0.7e]"),
  TEXT ("number/no-fraction-exponent", "[0.e7]"),
  TEXT ("number/zero-exponent-plus-cut", "[0E+]"),
  TEXT ("number/zero-exponent-cut", "[0e]"),
  TEXT ("number/exponent-minus-cut", "[7.5e-]"),
  TEXT ("number/space-within", "[7 000.0]"),
  TEXT ("number/exponent-twice", "[7eE2]"),
  TEXT ("number/no-fraction-positive-exponent", "[7.e+3]"),
  TEXT ("number/no-fraction-negative-exponent", "[7.e-3]"),
  TEXT ("number/inf", "[Inf]"),
  TEXT ("number/nan", "[NaN]"),
  TEXT ("number/infinity", "[Infinity]"),
  TEXT ("number/minus-infinity", "[-Infinity]"),
  TEXT ("number/full-width-digit", "[\xef\xbc\x97]"),
  TEXT ("number/expression", "[7+8]"),
  TEXT ("number/hexadecimal", "[0x7]"),
  TEXT ("number/hexadecimal-two", "[0x42]"),
  TEXT ("number/exponent-plus-minus", "[0e+-7]"),
  TEXT ("number/letters-behind-real", "[-42.125foo]"),
  TEXT ("number/invalid-utf8-behind", "[42\xe5]"),
  TEXT ("number/invalid-utf8-in-exponent", "[7e1\xe5]"),
  TEXT ("number/invalid-utf8-after-zero", "[0\xe5]"),
  TEXT ("number/minus-letters", "[-foo]"),
  TEXT ("number/minus-space", "[- 7]"),
  TEXT ("number/letters-behind-negative", "[-7x]"),
  TEXT ("number/letter-after-exponent", "[7ea]"),
  TEXT ("number/invalid-utf8-after-exponent", "[7e\xe5]"),
  TEXT ("number/letters-behind", "[7.5a]"),
  TEXT ("number/word-behind", "[7true]"),
  TEXT ("number/underscore", "[7_000]"),
  TEXT ("object/bad-value", "[\"k\", truth]"),
  TEXT ("object/bracket-as-name", "{[: \"k\"}\n"),
  TEXT ("object/comma-for-colon", "{\"k\", null}"),
  TEXT ("object/two-colons", "{\"k\"::\"l\"}"),
  TEXT ("object/emoji", "{\xf0\x9f\x8e\x88\xf0\x9f\x8e\x89}"),
  TEXT ("object/behind-value", "{\"k\":\"l\" 42}"),
  TEXT ("object/apostrophes", "{k: 'l'}"),
  TEXT ("object/continuation-byte-as-name", "{\"\xb9\":\"0\",}"),
  TEXT ("object/no-colon", "{\"k\" l}"),
  TEXT ("object/no-name", "{:\"l\"}"),
  TEXT ("object/no-value", "{\"k\":"),
  TEXT ("object/colon-only-missing", "{\"k\""),
  TEXT ("object/number-as-name", "{7:7}"),
  TEXT ("object/huge-number-as-name", "{9999E9999:7}"),
  TEXT ("object/null-as-name", "{null:null,null:null}"),
  TEXT ("object/commas-last", "{\"k\":0,,,,}"),
  TEXT ("object/apostrophe-name", "{'k':0}"),
  TEXT ("object/comma-last", "{\"k\":0,}"),
  TEXT ("object/comment-behind", "{\"k\":\"l\"}/**/"),
  TEXT ("object/comment-opened-behind", "{\"k\":\"l\"}/**//"),
  TEXT ("object/line-comment-behind", "{\"k\":\"l\"}//"),
  TEXT ("object/slash-behind", "{\"k\":\"l\"}/"),
  TEXT ("object/two-commas", "{\"k\":\"l\",,\"m\":\"n\"}"),
  TEXT ("object/bare-name", "{k: \"l\"}"),
  TEXT ("object/string-not-closed", "{\"k\":\"l"),
  TEXT ("object/string-alone", "{ \"k\" : \"l\", \"m\" }"),
  TEXT ("object/hash-behind", "{\"k\":\"l\"}#"),
  TEXT ("string/surrogate-then-escape", "[\"\\uD834\\\"]"),
  TEXT ("string/surrogate-then-u", "[\"\\uD834\\u\"]"),
  TEXT ("string/surrogate-then-digit", "[\"\\uD834\\u1\"]"),
  TEXT ("string/surrogate-then-letter", "[\"\\uD834\\u1x\"]"),
  TEXT ("string/no-quotes", "[\xc3\xa9]"),
  TEXT ("string/backslash-nul", "[\"\\\0\"]"),
  TEXT ("string/escape-x", "[\"\\x41\"]"),
  TEXT ("string/three-backslashes", "[\"\\\\\\\"]"),
  TEXT ("string/escaped-tab", "[\"\\\t\"]"),
  TEXT ("string/escaped-emoji", "[\"\\\xf0\x9f\x8c\x80\"]"),
  TEXT ("string/escape-cut", "[\"\\\"]"),
  TEXT ("string/hex-cut", "[\"\\u004\"]"),
  TEXT ("string/second-surrogate-cut", "[\"\\uD834\\uDd\"]"),
  TEXT ("string/second-surrogate-invalid", "[\"\\uD834\\uD834\\x\"]"),
  TEXT ("string/invalid-utf8-in-hex", "[\"\\u\xe5\"]"),
  TEXT ("string/escape-a", "[\"\\a\"]"),
  TEXT ("string/hex-letters", "[\"\\uqqqq\"]"),
  TEXT ("string/invalid-utf8-after-escape", "[\"\\\xe5\"]"),
  TEXT ("string/escape-before", "[\\u0020\"k\"]"),
  TEXT ("string/escape-alone", "[\\n]"),
  TEXT ("string/quote-alone", "\""),
  TEXT ("string/apostrophes", "['k']"),
  TEXT ("string/letters-alone", "klm"),
  TEXT ("string/not-closed", "[\"\\"),
  TEXT ("string/control", "[\"k\x01l\"]"),
  TEXT ("string/nul", "[\"k\0l\"]"),
  TEXT ("string/newline", "[\"k\nl\"]"),
  TEXT ("string/tab", "[\"\t\"]"),
  TEXT ("string/capital-u", "\"\\U0041\""),
  TEXT ("string/behind", "\"\"x"),
  TEXT ("text/empty", ""),
  TEXT ("text/space", " "),
  TEXT ("text/word-joiner", "[\xe2\x81\xa0]"),
  TEXT ("text/bom-alone", "\xef\xbb\xbf"),
  TEXT ("text/bom-cut", "\xef\xbb{}"),
  TEXT ("text/angles", "<.>"),
  TEXT ("text/angles-null", "[<null>]"),
  TEXT ("text/letter-behind-array", "[7]x"),
  TEXT ("text/hash-behind-array", "[7]#"),
  TEXT ("text/string-not-closed", "[\"kl]"),
  TEXT ("text/letter", "\xc3\xa5"),
  TEXT ("text/closing-bracket", "7]"),
  TEXT ("text/comma-for-brace", "{\"k\":true,"),
  TEXT ("text/two-arrays", "[][]"),
  TEXT ("text/closing-alone", "]"),
  TEXT ("text/byte", "\xe5"),
  TEXT ("text/opening-alone", "["),
  TEXT ("text/nul-outside", "[\0]"),
  TEXT ("text/at-behind-number", "7@"),
  TEXT ("text/object-closed-twice", "{}}"),
  TEXT ("text/object-no-value", "{\"\":"),
  TEXT ("text/comment-within", "{\"k\":/*l*/\"m\"}"),
  TEXT ("text/string-behind-object", "{\"k\": true} \"l\""),
  TEXT ("text/apostrophe", "['"),
  TEXT ("text/comma", "[,"),
  TEXT ("text/string-open", "[\"k"),
  TEXT ("text/string-in-array-open", "[\"k\""),
  TEXT ("text/brace", "{"),
  TEXT ("text/brace-bracket", "{]"),
  TEXT ("text/brace-comma", "{,"),
  TEXT ("text/brace-array", "{["),
  TEXT ("text/brace-string-open", "{\"k"),
  TEXT ("text/brace-apostrophes", "{'k'"),
  TEXT ("text/escapes", "[\"\\{[\"\\{[\"\\{[\"\\{"),
  TEXT ("text/byte-e9", "\xe9"),
  TEXT ("text/star", "*"),
  TEXT ("text/hash-string", "{\"k\":\"l\"}#{}"),
  TEXT ("text/escaped-newline-before", "[\\u000A\"\"]"),
  TEXT ("text/not-closed", "[7"),
  TEXT ("text/false-cut", "[ false, fals"),
  TEXT ("text/true-cut", "[ false, tru"),
  TEXT ("text/null-cut", "[ false, nul"),
  TEXT ("text/object-not-closed", "{\"kl\":\"m\""),
  TEXT ("text/form-feed", "[\f]"),
  TEXT ("text/no-break-space", "[\xc2\xa0]"),

  /* The RFC leaves these to us. */
  TEXT ("ours/bom", "\xef\xbb\xbf{}"),
  TEXT ("ours/first-surrogate-alone", "[\"\\uDADA\"]"),
  TEXT ("ours/second-surrogate-alone", "[\"\\uDFAA\"]"),
  TEXT ("ours/surrogates-swapped", "[\"\\uDd1e\\uD834\"]"),
  TEXT ("ours/surrogate-then-letter", "[\"\\uD800k\"]"),
  TEXT ("ours/surrogate-then-newline", "[\"\\uD800\\n\"]"),
  TEXT ("ours/surrogate-in-name", "{\"\\uDFAA\":0}"),
  TEXT ("ours/invalid-utf8", "[\"\xff\"]"),
  TEXT ("ours/overlong-slash", "[\"\xc0\xaf\"]"),
  TEXT ("ours/overlong-nul", "[\"\xc0\x80\"]"),
  TEXT ("ours/overlong-six-bytes", "[\"\xfc\x83\xbf\xbf\xbf\xbf\"]"),
  TEXT ("ours/utf8-surrogate", "[\"\xed\xa0\x80\"]"),
  TEXT ("ours/continuation-alone", "[\"\x81\"]"),
  TEXT ("ours/cut-sequence", "[\"\xe0\xff\"]"),
  TEXT ("ours/beyond-unicode", "[\"\xf4\xbf\xbf\xbf\"]"),
  TEXT ("ours/latin-1", "[\"\xe9\"]"),
  TEXT ("ours/utf16", "\xff\xfe[\0\"\0k\0\"\0]\0"),
  TEXT ("ours/utf16-no-bom", "\0[\0\"\0k\0\"\0]"),
};

static void
test_accepted (gconstpointer data)
{
  const Text *test = data;
  g_autofree char *tight = g_memdup2 (test->text, test->length);
  g_autoptr (GError) error = NULL;

  g_assert_true (wire_json_check (tight, test->length, LEVELS, &error));
  g_assert_no_error (error);
}

/* Not as JSON at all, so neither as a value of whatever type. */
static void
test_refused (gconstpointer data)
{
  static const char *const types[]
      = { "b",     "i",        "t",    "d",     "s",   "v",   "h",   "ay",    "ai",
          "ab",    "ad",       "as",   "mi",    "ms",  "av",  "ami", "a{si}", "a{sv}",
          "a{is}", "a{s(ii)}", "(ss)", "(iii)", "mmi", "aas", "ams", "a{sas}" };
  const Text *test = data;
  g_autofree char *copy = g_memdup2 (test->text, test->length);
  const char *tight = copy != NULL ? copy : "";
  g_autoptr (GError) error = NULL;

  g_assert_false (wire_json_check (tight, test->length, LEVELS, &error));
  g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (types[i]));
      g_autoptr (GVariant) value = NULL;

      g_clear_error (&error);
      value = wire_json_read (schema, tight, test->length, &error);
      g_assert_null (value);
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

/* RFC 8259, sections 4 and 8.2: accepted as JSON, but not as a value of ours. */
static void
test_refused_as_value (void)
{
  static const struct
  {
    const char *type;
    const char *text;
  } cases[] = { { "a{si}", "{\"k\":7,\"k\":7}" },
                { "a{si}", "{\"k\\u0000l\":7}" },
                { "s", "\"\\u0000\"" },
                { "ad", "[1.5e+99999]" },
                { "ai", "[99999999999999999999]" } };

  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (ProcfunSchema) schema = procfun_schema_new (G_VARIANT_TYPE (cases[i].type));
      g_autoptr (GError) error = NULL;

      g_assert_true (wire_json_check (cases[i].text, strlen (cases[i].text), LEVELS, NULL));
      g_assert_null (wire_json_read (schema, cases[i].text, strlen (cases[i].text), &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
    }
}

static void
test_levels (void)
{
  static const char *const opens[] = { "[", "{\"\":", "[{\"\":" };

  for (guint i = 0; i < G_N_ELEMENTS (opens); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autoptr (GError) error = NULL;

      for (guint j = 0; j < 100000; j++)
        g_string_append (text, opens[i]);
      g_assert_false (wire_json_check (text->str, text->len, LEVELS, &error));
      g_assert_error (error, PROCFUN_ERROR, PROCFUN_ERROR_DECODE);
    }

  for (guint n = LEVELS - 1; n <= LEVELS + 1; n++)
    {
      g_autofree char *open = g_strnfill (n, '[');
      g_autofree char *close = g_strnfill (n, ']');
      g_autofree char *text = g_strconcat (open, close, NULL);

      g_assert_cmpint (wire_json_check (text, strlen (text), LEVELS, NULL), ==, n <= LEVELS);
    }
}

static void
add_texts (const char *prefix, const Text *texts, guint n, GTestDataFunc test)
{
  for (guint i = 0; i < n; i++)
    {
      g_autofree char *path = g_strdup_printf ("/json-corpus/%s/%s", prefix, texts[i].name);

      fixture_add_data_func (path, &texts[i], test);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  add_texts ("accepted", accepted, G_N_ELEMENTS (accepted), test_accepted);
  add_texts ("refused", refused, G_N_ELEMENTS (refused), test_refused);
  fixture_add_func ("/json-corpus/invalid-is-refused-as-value", test_refused_as_value);
  fixture_add_func ("/json-corpus/levels-are-bounded", test_levels);

  return fixture_run ();
}
