/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* Parts of the library that read what others wrote, each to be given any bytes. fuzz.c gives them
 * those of libFuzzer, and test-fuzz.c those in the folder fuzz/NAME, its seeds. A target ends the
 * program by an assertion where a promise is broken. */
typedef struct
{
  const char *name;
  void (*run) (const guint8 *data, gsize size);
  void (*clear) (void); /* (nullable): what it keeps from run to run */
} FuzzTarget;

extern const FuzzTarget fuzz_targets[];
extern const gsize fuzz_n_targets;

/* (nullable) */
const FuzzTarget *fuzz_find_target (const char *name);

/* Takes numbers off the beginning of the bytes; 0 when there are none left. */
typedef struct
{
  const guint8 *data;
  gsize size;
} FuzzInput;

guint8 fuzz_take_byte (FuzzInput *self);
guint16 fuzz_take_short (FuzzInput *self);
guint64 fuzz_take_word (FuzzInput *self);

/* The first so many of what is left, or all of that; in memory of their own, so that a sanitizer
 * sees who reads behind them. */
GBytes *fuzz_take_bytes (FuzzInput *self, gsize size);

/* Up to the end of the line, which is taken, too. (transfer full) */
char *fuzz_take_line (FuzzInput *self);

/* Looks at each byte. */
void fuzz_touch (gconstpointer data, gsize size);

/* The targets, by file. fuzz-frames.c: */
void fuzz_socket (const guint8 *data, gsize size);
void fuzz_ring (const guint8 *data, gsize size);
void fuzz_ring_clear (void);
void fuzz_setup (const guint8 *data, gsize size);
void fuzz_error (const guint8 *data, gsize size);
void fuzz_sandbox (const guint8 *data, gsize size);

/* fuzz-values.c: */
void fuzz_json (const guint8 *data, gsize size);
void fuzz_gvariant (const guint8 *data, gsize size);
void fuzz_limits (const guint8 *data, gsize size);
void fuzz_hosts (const guint8 *data, gsize size);

/* fuzz-files.c: */
void fuzz_crash (const guint8 *data, gsize size);
void fuzz_elf (const guint8 *data, gsize size);
void fuzz_symbol (const guint8 *data, gsize size);
void fuzz_journal (const guint8 *data, gsize size);

/* fuzz-packets.c: */
void fuzz_packet (const guint8 *data, gsize size);
void fuzz_reply (const guint8 *data, gsize size);

/* fuzz-peers.c: */
void fuzz_hello (const guint8 *data, gsize size);
void fuzz_monitor (const guint8 *data, gsize size);
void fuzz_monitor_clear (void);
void fuzz_child (const guint8 *data, gsize size);
void fuzz_child_clear (void);
void fuzz_caller (const guint8 *data, gsize size);

G_END_DECLS
