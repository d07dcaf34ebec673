/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "tests/fixture.h"
#include "tests/json-schemas.h"

#include "procfun/codecs/base64.h"
#include "procfun/codecs/json.h"
#include "procfun/procfun-error.h"
#include "procfun/values/schema.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Texts that are refused, and the message. */
static const struct
{
  const char *schema;
  const char *json;
  const char *message;
} errors[] = {
  /* out of range */
  { "y", "300", "/: 300 is out of range for a byte" },
  { "y", "-1", "/: -1 is out of range for a byte" },
  { "y", "256", "/: 256 is out of range for a byte" },
  { "n", "32768", "/: 32768 is out of range for an int16" },
  { "n", "-32769", "/: -32769 is out of range for an int16" },
  { "q", "65536", "/: 65536 is out of range for a uint16" },
  { "i", "2147483648", "/: 2147483648 is out of range for an int32" },
  { "i", "-2147483649", "/: -2147483649 is out of range for an int32" },
  { "u", "4294967296", "/: 4294967296 is out of range for a uint32" },
  { "u", "-1", "/: -1 is out of range for a uint32" },
  { "x", "9223372036854775808", "/: 9223372036854775808 is out of range for an int64" },
  { "x", "-9223372036854775809", "/: -9223372036854775809 is out of range for an int64" },
  { "x", "\"9223372036854775808\"", "/: 9223372036854775808 is out of range for an int64" },
  { "t", "18446744073709551616", "/: 18446744073709551616 is out of range for a uint64" },
  { "t", "\"18446744073709551616\"", "/: 18446744073709551616 is out of range for a uint64" },
  { "t", "\"-1\"", "/: -1 is out of range for a uint64" },
  { "i", "1e10", "/: 1e10 is out of range for an int32" },
  { "i", "1e999999999999", "/: 1e999999999999 is out of range for an int32" },
  { "d", "1e400", "/: 1e400 is out of range for a double" },
  { "d", "-1.8e308", "/: -1.8e308 is out of range for a double" },
  { "h", "-1", "/: -1 is out of range for a handle" },
  { "h", "2147483648", "/: 2147483648 is out of range for a handle" },

  /* places */
  { "distance", "[{\"x\": 300, \"y\": 0}, [0, 0], \"\"]", "/a/x: 300 is out of range for a byte" },
  { "distance", "{\"a\": [0, 300], \"b\": [0, 0], \"title\": \"\"}",
    "/a/y: 300 is out of range for a byte" },
  { "distance", "{\"b\": [0, 300], \"a\": [0, 0], \"title\": \"\"}",
    "/b/y: 300 is out of range for a byte" },
  { "Pixels", "[[0, 0], [0, 256]]", "/1/y: 256 is out of range for a byte" },
  { "aai", "[[1], [2, 3, true]]", "/1/2: expected an int32, found true" },
  { "a{sv}", "{\"a/b~c\": {\"type\": \"ay\", \"value\": [256]}}",
    "/a~1b~0c/value/0: 256 is out of range for a byte" },
  { "a{si}", "[[\"a\", true]]", "/0/1: expected an int32, found true" },
  { "a{is}", "{\"7\": 7}", "/7: expected a string, found a number" },
  { "(i(ss))", "[1, [\"\", 2]]", "/1/1: expected a string, found a number" },
  { "mmi", "[true]", "/0: expected an int32, found true" },

  /* types */
  { "b", "1", "/: expected true or false, found a number" },
  { "b", "\"true\"", "/: expected true or false, found a string" },
  { "i", "\"5\"", "/: expected an int32, found a string" },
  { "i", "null", "/: expected an int32, found null" },
  { "i", "[]", "/: expected an int32, found an array" },
  { "i", "{}", "/: expected an int32, found an object" },
  { "i", "1.5", "/: 1.5 is not an integer" },
  { "i", "1e-1", "/: 1e-1 is not an integer" },
  { "x", "\"1.0\"", "/: “1.0” is not an integer" },
  { "x", "\"1e2\"", "/: “1e2” is not an integer" },
  { "x", "\" 1\"", "/: “ 1” is not an integer" },
  { "x", "\"+1\"", "/: “+1” is not an integer" },
  { "x", "\"01\"", "/: “01” is not an integer" },
  { "x", "\"\"", "/: “” is not an integer" },
  { "x", "\"1x\"", "/: “1x” is not an integer" },
  { "d", "\"nan\"", "/: “nan” is not “NaN”, “Infinity”, “-Infinity” or a number" },
  { "d", "\"1.5\"", "/: “1.5” is not “NaN”, “Infinity”, “-Infinity” or a number" },
  { "d", "\"+Infinity\"", "/: “+Infinity” is not “NaN”, “Infinity”, “-Infinity” or a number" },
  { "s", "5", "/: expected a string, found a number" },
  { "s", "null", "/: expected a string, found null" },
  { "s", "\"a\\u0000b\"", "/: a string can't contain U+0000" },
  { "o", "\"a\"", "/: “a” is not an object path" },
  { "o", "\"/a/\"", "/: “/a/” is not an object path" },
  { "g", "\"(\"", "/: “(” is not a signature" },
  { "ay", "5", "/: expected a Base64 string or an array, found a number" },
  { "ay", "\"YQ\"", "/: the string is not Base64" },
  { "ay", "\"YQ=\"", "/: the string is not Base64" },
  { "ay", "\"YR==\"", "/: the string is not Base64" },
  { "ay", "\"YWJ=\"", "/: the string is not Base64" },
  { "ay", "\"YQ==YQ==\"", "/: the string is not Base64" },
  { "ay", "\"Y Q=\"", "/: the string is not Base64" },
  { "ay", "\"-_-_\"", "/: the string is not Base64" },
  { "ay", "\"====\"", "/: the string is not Base64" },
  { "ay", "\"A===\"", "/: the string is not Base64" },
  { "ay", "\"A\\u0000==\"", "/: the string is not Base64" },
  { "ay", "\"ü==\"", "/: the string is not Base64" },
  { "ai", "\"AA==\"", "/: expected an array, found a string" },
  { "ai", "{}", "/: expected an array, found an object" },
  { "a{sv}", "1", "/: expected an object or an array of pairs, found a number" },
  { "a{sv}", "{\"a\": 1}", "/a: expected an object with “type” and “value”, found a number" },
  { "a{si}", "[[\"a\"]]", "/0: 1 values instead of 2" },
  { "a{si}", "[[\"a\", 1, 2]]", "/0: more than 2 values" },
  { "a{si}", "[{\"a\": 1}]", "/0: expected an array, found an object" },
  { "mi", "\"\"", "/: expected an int32, found a string" },
  { "mmi", "5", "/: expected [] or [value], for a maybe in a maybe" },
  { "mmi", "[null]", "/0: expected an int32, found null" },
  { "(ii)", "[1]", "/: 1 values instead of 2" },
  { "(ii)", "[1, 2, 3]", "/: more than 2 values" },
  { "()", "[1]", "/: more than 0 values" },
  { "()", "null", "/: expected an array, found null" },
  { "(ii)", "{}", "/: expected an array, found an object" },
  { "Colour", "\"pink\"", "/: the enumeration has no “pink”" },
  { "Colour", "\"red\\u0000\"", "/: the enumeration has no “red\\u0000”" },
  { "Colour", "null", "/: expected a nick or a number, found null" },
  { "Colour", "2147483648", "/: 2147483648 is out of range for an int32" },

  /* names */
  { "Point", "{\"x\": 1, \"y\": 2, \"z\": 3}", "/: “z” is not known here" },
  { "Point", "{\"X\": 1}", "/: “X” is not known here" },
  { "Point", "{\"x\\u0000\": 1}", "/: “x\\u0000” is not known here" },
  { "Point", "{\"\": 1}", "/: “” is not known here" },
  { "Point", "{\"xx\": 1}", "/: “xx” is not known here" },
  { "Point", "{\"x\": 1}", "/: “y” is missing" },
  { "Point", "{\"y\": 1}", "/: “x” is missing" },
  { "Point", "{}", "/: “x” is missing" },
  { "Point", "[1]", "/: “y” is missing" },
  { "Point", "[1, 2, 3]", "/: more than 2 values" },
  { "Point", "{\"x\": 1, \"x\": 1, \"y\": 2}", "/: “x” is there twice" },
  { "Point", "{\"y\": 1, \"y\": 1, \"x\": 2}", "/: “y” is there twice" },
  { "Point", "{\"x\": 1, \"y\": 2, \"\\u0078\": 2}", "/: “\\u0078” is there twice" },
  { "distance", "[[0, 0]]", "/: “b” is missing" },
  { "distance", "{\"a\": [0, 0], \"title\": \"\"}", "/: “b” is missing" },
  { "a{si}", "{\"a\": 1, \"b\": 2, \"a\": 3}", "/: “a” is there twice" },
  { "a{si}", "{\"a\": 1, \"\\u0061\": 2}", "/: “a” is there twice" },
  { "(a{si})", "[{\"\": 1, \"\": 2}]", "/0: “” is there twice" },
  { "a{is}", "{\"1\": \"\", \"1.0\": \"\"}", "/: a key is there twice" },
  { "a{is}", "{\"\": \"\"}", "/: “” is not an int32" },
  { "a{is}", "{\"1x\": \"\"}", "/1x: “1x” is not an int32" },
  { "a{is}", "{\"300000000000\": \"\"}",
    "/300000000000: 300000000000 is out of range for an int32" },
  { "a{oi}", "{\"a\": 1}", "/a: “a” is not an object path" },
  { "a{si}", "{\"a\\u0000\": 1}", "/a\\u0000: a string can't contain U+0000" },

  /* variants */
  { "v", "5", "/: expected an object with “type” and “value”, found a number" },
  { "v", "{\"type\": \"i\"}", "/: “value” is missing" },
  { "v", "{\"value\": 5}", "/: “type” is missing" },
  { "v", "{\"type\": \"i\", \"value\": 5, \"x\": 1}", "/: “x” is not known here" },
  { "v", "{\"type\": \"i\", \"type\": \"i\", \"value\": 5}", "/: “type” is there twice" },
  { "v", "{\"type\": 5, \"value\": 5}", "/type: a type is given as a string" },
  { "v", "{\"type\": \"\", \"value\": 5}", "/type: “” is not a type" },
  { "v", "{\"type\": \"ii\", \"value\": 5}", "/type: “ii” is not a type" },
  { "v", "{\"type\": \"a\", \"value\": 5}", "/type: “a” is not a type" },
  { "v", "{\"type\": \"*\", \"value\": 5}", "/type: “*” is not a type" },
  { "v", "{\"type\": \"a?\", \"value\": 5}", "/type: “a?” is not a type" },
  { "v", "{\"type\": \"r\", \"value\": 5}", "/type: “r” is not a type" },
  { "v", "{\"type\": \"i\\u0000\", \"value\": 5}", "/type: “i\\u0000” is not a type" },
  { "v", "{\"type\": \"a{vs}\", \"value\": 5}", "/type: “a{vs}” is not a type" },

  /* syntax */
  { "i", "", "line 1, column 1: expected an int32, found the end of the text" },
  { "i", "  ", "line 1, column 3: expected an int32, found the end of the text" },
  { "i", "5 6", "line 1, column 3: expected the end of the text, found “6”" },
  { "i", "5]", "line 1, column 2: expected the end of the text, found “]”" },
  { "i", "01", "line 1, column 2: expected the end of the text, found “1”" },
  { "i", "0x10", "line 1, column 2: expected the end of the text, found “x”" },
  { "i", "+1", "line 1, column 1: expected an int32, found “+”" },
  { "i", "-", "line 1, column 1: not a number that JSON knows" },
  { "i", "1.", "line 1, column 1: not a number that JSON knows" },
  { "d", "1e", "line 1, column 1: not a number that JSON knows" },
  { "d", ".5", "line 1, column 1: expected a double, found “.”" },
  { "d", "NaN", "line 1, column 1: expected a double, found “N”" },
  { "d", "Infinity", "line 1, column 1: expected a double, found “I”" },
  { "b", "tru", "line 1, column 1: this is not “true”" },
  { "b", "truee", "line 1, column 5: expected the end of the text, found “e”" },
  { "mi", "nul", "line 1, column 1: this is not “null”" },
  { "ai", "[1,\n 2,\n x]", "line 3, column 2: expected an int32, found “x”" },
  { "ai", "[1, 2", "line 1, column 6: expected “,” or “]”, found the end of the text" },
  { "ai", "[1, ]", "line 1, column 5: expected an int32, found “]”" },
  { "ai", "[1 2]", "line 1, column 4: expected “,” or “]”, found “2”" },
  { "ai", "[,1]", "line 1, column 2: expected an int32, found “,”" },
  { "ai", "[1}", "line 1, column 3: expected “,” or “]”, found “}”" },
  { "ai", "\xef\xbb\xbf[1]", "line 1, column 1: expected an array, found U+FEFF" },
  { "as", "[\"ü\",ü]", "line 1, column 6: expected a string, found “ü”" },
  { "as", "[\"a]", "line 1, column 5: the text ends within a string" },
  { "as", "[\"a\nb\"]", "line 1, column 4: a control character within a string" },
  { "as", "[\"\\x\"]", "line 1, column 3: not an escape that JSON knows" },
  { "as", "[\"\\u12\"]", "line 1, column 3: not an escape that JSON knows" },
  { "as", "[\"\\u12g4\"]", "line 1, column 3: not an escape that JSON knows" },
  { "as", "[\"\\ud800\"]", "line 1, column 3: half of a surrogate pair" },
  { "as", "[\"\\ud800\\u0041\"]", "line 1, column 3: half of a surrogate pair" },
  { "as", "[\"\\udc00\"]", "line 1, column 3: half of a surrogate pair" },
  { "as", "[\"\xff\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xc0\xaf\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xed\xa0\x80\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xf4\x90\x80\x80\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\"\xe2\x82\"]", "line 1, column 3: invalid UTF-8" },
  { "as", "[\xff]", "line 1, column 2: invalid UTF-8" },
  { "as", "['a']", "line 1, column 2: expected a string, found “'”" },
  { "Point", "{x: 1}", "line 1, column 2: expected a name in quotes, found “x”" },
  { "Point", "{\"x\" 1}", "line 1, column 6: expected “:”, found “1”" },
  { "Point", "{\"x\": 1,}", "line 1, column 9: expected a name in quotes, found “}”" },
  { "Point", "{\"x\": 1", "line 1, column 8: expected “,” or “}”, found the end of the text" },
  { "Point", "{\"y\": [1, {\"a\": nul}], \"x\": 1}", "line 1, column 17: this is not “null”" },
  { "a{si}", "{\"a\": 1,}", "line 1, column 9: expected a name in quotes, found “}”" },
  { "mmi", "[1", "line 1, column 3: expected “]”, found the end of the text" },
  { "mmi", "[1, 2]", "line 1, column 3: expected “]”, found “,”" },
};

static void
test_errors (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (errors); i++)
    {
      g_autoptr (ProcfunSchema) schema = schemas_new (errors[i].schema);

      g_test_message ("%s: %s", errors[i].schema, errors[i].json);
      schemas_assert_refused (schema, errors[i].json, strlen (errors[i].json), errors[i].message);
    }
}

static void
test_nul (void)
{
  g_autoptr (ProcfunSchema) schema = schemas_new ("as");

  schemas_assert_refused (schema, "[\0]", 3, "line 1, column 2: expected a string, found U+0000");
  schemas_assert_refused (schema, "[\"a\0b\"]", 7,
                          "line 1, column 4: a control character within a string");
  schemas_assert_refused (schema, "[]\0", 3,
                          "line 1, column 3: expected the end of the text, found U+0000");
}

static void
test_long_names (void)
{
  g_autoptr (ProcfunSchema) schema = schemas_new ("a{si}");

  for (guint i = 0; i < 4; i++)
    {
      /* cut within any of the four bytes */
      g_autofree char *name = g_strnfill (i, 'a');
      g_autofree char *others = schemas_repeat ("𝄞", "", "", 1000);
      g_autofree char *json = g_strdup_printf ("{\"%s%s\": true}", name, others);
      g_autoptr (GError) error = NULL;

      g_assert_null (wire_json_read (schema, json, strlen (json), &error));
      g_assert_cmpuint (strlen (error->message), <, 150);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
    }
}

/* A message is one line of text, whatever the name. */
static void
test_control_names (void)
{
  g_autoptr (ProcfunSchema) schema = schemas_new ("a{sh}");
  g_autoptr (GVariant) value = schemas_parse_value (schema, "{'a\\n\\u007f': -1}");
  g_autoptr (GError) error = NULL;

  g_assert_null (wire_json_write (schema, value, &error));
  g_assert_cmpstr (error->message, ==, "/a\\u000a\\u007f: a handle can't be -1");
}

static void
test_brackets (void)
{
  static const char *const types[]
      = { "i", "ai", "aai", "v", "a{sv}", "mmi", "mai", "as", "ay", "(i)", "Point", "distance" };
  static const char *const opens[] = {
    "[",       "{\"\":", "{\"value\":", "{\"type\":\"v\",\"value\":", "{\"value\":[", "[{\"y\":",
    "{\"y\":", "\"",     "\\"
  };

  for (guint i = 0; i < G_N_ELEMENTS (types); i++)
    for (guint j = 0; j < G_N_ELEMENTS (opens); j++)
      {
        g_autoptr (ProcfunSchema) schema = schemas_new (types[i]);
        g_autofree char *open = schemas_repeat (opens[j], "", "", 100000);

        schemas_assert_refused (schema, open, strlen (open), NULL);
      }
}

/* Text that ends where memory does: a byte read beyond it ends the program. */
static const struct
{
  const char *type;
  const char *json;
  const char *message; /* (nullable): it is right */
} cut[] = {
  { "s", "\"\\u00e4\"", NULL },
  { "s", "\"\\ud834\\udd1e\"", NULL },
  { "s", "\"\\ud834\\udd1e", "the text ends within a string" },
  { "s", "\"\\ud834\\udd1", "half of a surrogate pair" },
  { "s", "\"\\ud834\\", "half of a surrogate pair" },
  { "s", "\"\\ud834\"", "half of a surrogate pair" },
  { "s", "\"\\udd1e\"", "half of a surrogate pair" },
  { "s", "\"\\u00e", "not an escape that JSON knows" },
  { "s", "\"\\u", "not an escape that JSON knows" },
  { "s", "\"\\", "not an escape that JSON knows" },
  { "s", "\"", "the text ends within a string" },
  { "s", "\"\x1f\"", "a control character within a string" },
  { "s", "\"\x20\"", NULL },
  { "b", "true", NULL },
  { "b", "tru", "this is not “true”" },
  { "b", "fals", "this is not “false”" },
  { "t", "18446744073709551615", NULL },
  { "t", "18446744073709551616", "" },
  { "t", "-", "not a number that JSON knows" },
  { "d", "1.", "not a number that JSON knows" },
  { "d", "1e", "not a number that JSON knows" },
  { "d", "12345678", NULL },
};

static void
test_cut (void)
{
  const gsize page = (gsize)sysconf (_SC_PAGESIZE);
  char *memory = mmap (NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  g_assert_true (memory != MAP_FAILED);
  g_assert_no_errno (mprotect (memory + page, page, PROT_NONE));
  for (guint i = 0; i < G_N_ELEMENTS (cut); i++)
    {
      g_autoptr (ProcfunSchema) schema = schemas_new (cut[i].type);
      const gsize length = strlen (cut[i].json);
      char *text = memory + page - length;
      g_autoptr (GError) error = NULL;
      g_autoptr (GVariant) value = NULL;

      memcpy (text, cut[i].json, length);
      value = wire_json_read (schema, text, length, &error);
      g_assert_cmpint (value != NULL, ==, cut[i].message == NULL);
      if (cut[i].message != NULL)
        g_assert_nonnull (strstr (error->message, cut[i].message));
    }
  munmap (memory, 2 * page);
}

/* Each character below the space is escaped, and no other one. */
static void
test_control_bounds (void)
{
  static const char *const names[]
      = { "\\b", "\\t", "\\n", "\\u000b", "\\f", "\\r" }; /* from 8 on */
  g_autoptr (ProcfunSchema) schema = schemas_new ("s");

  for (guint8 c = 1; c <= 0x7f; c++)
    {
      const char text[] = { (char)c, '\0' };
      g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_string (text));
      g_autoptr (GBytes) json = wire_json_write (schema, value, NULL);
      g_autofree char *expected = c >= 8 && c <= 13       ? g_strdup_printf ("\"%s\"", names[c - 8])
                                  : c < 0x20              ? g_strdup_printf ("\"\\u%04x\"", c)
                                  : c == '"' || c == '\\' ? g_strdup_printf ("\"\\%c\"", c)
                                                          : g_strdup_printf ("\"%c\"", c);

      g_assert_cmpmem (g_bytes_get_data (json, NULL), g_bytes_get_size (json), expected,
                       strlen (expected));
    }
}

/* Groups of four, of which the last may be padded, with no bits in the padding. */
static void
test_base64 (void)
{
  static const struct
  {
    const char *text;
    gsize size; /* G_MAXSIZE: it is refused */
  } cases[] = { { "", 0 },
                { "AA==", 1 },
                { "AB==", G_MAXSIZE },
                { "AAA=", 2 },
                { "AAB=", G_MAXSIZE },
                { "AAAA", 3 },
                { "AAA", G_MAXSIZE },
                { "AAAAAA", G_MAXSIZE },
                { "AA=A", G_MAXSIZE },
                { "AA==AAAA", G_MAXSIZE },
                { "AAAAAA==", 4 } };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      guint8 data[12];
      gsize size;
      const gboolean ok = wire_base64_decode (data, &size, cases[i].text, strlen (cases[i].text));

      g_assert_cmpint (ok, ==, cases[i].size != G_MAXSIZE);
      if (ok)
        g_assert_cmpuint (size, ==, cases[i].size);
    }
}

/* Though what is behind it would do. */
static void
test_cut_base64 (void)
{
  for (gsize length = 1; length <= 8; length++)
    {
      guint8 data[12];
      gsize size;

      g_assert_cmpint (wire_base64_decode (data, &size, "YWJjZGVmYWJj", length), ==,
                       length % 4 == 0);
    }
}

int
main (int argc, char *argv[])
{
  fixture_init (&argc, &argv);

  fixture_add_func ("/json-errors/messages-name-the-place", test_errors);
  fixture_add_func ("/json-errors/a-nul-is-refused", test_nul);
  fixture_add_func ("/json-errors/long-names-are-cut", test_long_names);
  fixture_add_func ("/json-errors/control-characters-are-escaped", test_control_names);
  fixture_add_func ("/json-errors/open-brackets-are-refused", test_brackets);
  fixture_add_func ("/json-errors/base64-has-one-form", test_base64);
  fixture_add_func ("/json-errors/base64-is-whole", test_cut_base64);
  fixture_add_func ("/json-errors/text-is-read-no-further-than-its-end", test_cut);
  fixture_add_func ("/json-errors/control-characters-are-escaped-and-no-others",
                    test_control_bounds);

  return fixture_run ();
}
