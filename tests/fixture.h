/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* Main part of every test program, instead of g_test_init() and its like. After each test no
 * process, descriptor, thread, shared memory or temporary file may be left that was not there
 * before, and a test that hangs fails. Warnings are fatal, in children too. tests/test-fixture-
 * used.sh checks that every program uses it. */

void fixture_init (int *argc, char ***argv);
void fixture_add_func (const char *path, GTestFunc func);
void fixture_add_data_func (const char *path, gconstpointer data, GTestDataFunc func);
int fixture_run (void);

/* How long to wait for what ends moments after a test. */
void fixture_set_patience (gint64 usec);

/* Number of open descriptors of this process. */
guint fixture_count_descriptors (void);

/* Takes all descriptors up to the limit but @n. (transfer full) (element-type int) */
GArray *fixture_take_descriptors (guint n);
void fixture_give_descriptors_back (GArray *taken);

/* Number of processes that this one started, directly or not, and that live or were not reaped. */
guint fixture_count_processes (void);

/* A process that the program forks, whose assertions count, too: 0 in it, which ends by
 * fixture_exit_fork(), and the other waits for that. */
pid_t fixture_fork (void);
void fixture_exit_fork (gboolean succeeded);
void fixture_wait_for_fork (pid_t pid);

/* Whether the tests are built with any sanitizer, or with that of addresses or of threads: some
 * things cannot be tried then. */
gboolean fixture_has_sanitizers (void);
gboolean fixture_has_address_sanitizer (void);
gboolean fixture_has_thread_sanitizer (void);

/* Whether the kernel has them, which valgrind 3.19 hides. */
gboolean fixture_has_pidfds (void);

G_END_DECLS
