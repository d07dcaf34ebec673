/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <glib.h>
#include <sys/types.h>

/* A process that leads a session and process group of its own. Reaping it is left to others. */
typedef struct _Process Process;

/* Asks the reaping party for the wait status, once the process has died. FALSE: not known. */
typedef gboolean (*ProcessStatusFunc) (gpointer user_data, int *wait_status);

/* @status is asked when the kernel does not tell the status; @user_data is owned. */
Process *process_new (pid_t pid, ProcessStatusFunc status, gpointer user_data,
                      GDestroyNotify destroy);

/* The same for a process that is held already: takes @pidfd. */
Process *process_new_for_pidfd (pid_t pid, int pidfd, ProcessStatusFunc status, gpointer user_data,
                                GDestroyNotify destroy);
void process_free (Process *self);

pid_t process_get_pid (Process *self);

/* Whether this process started it, and not one that has forked this one. A process of another one
 * is neither signalled nor killed. */
gboolean process_is_own (Process *self);

/* Number of the process of @pidfd in this namespace; 0: unknown. A number from another process may
 * be one of another namespace. */
pid_t process_find_number (int pidfd);

/* Kills it and all its descendants, also those that left its group. As long as it lives, it adopts
 * orphans, so that all descendants are found below it. */
void process_kill_all (Process *self);

/* Stops them all before, so that none is born while they are killed. FALSE: some are not stopped
 * yet, and have to be looked at again. */
gboolean process_stop_all (Process *self);

/* The first remembers those of its descendants that have left its group and would be out of sight
 * if it died, and is FALSE if there are too many; the second kills them. */
gboolean process_note_descendants (Process *self);
void process_kill_noted (Process *self);
void process_forget_noted (Process *self);

/* A pidfd, readable when the process has died; -1 where the kernel has none. */
int process_get_pidfd (Process *self);
gboolean process_has_died (Process *self);

/* A debugger has it, or the kernel writes its core: then its end takes as long as it takes. */
gboolean process_is_examined (Process *self);

/* Signals the whole group, as far as it can be proven to be this process's. */
void process_signal (Process *self, int signum);

/* Signals the process, and none of those that it started. */
void process_signal_alone (Process *self, int signum);

/* FALSE: it has the rights of another user. */
gboolean process_may_be_signalled (Process *self);

/* Status of a process that has died. FALSE: nobody knows it. */
gboolean process_get_status (Process *self, int *wait_status);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Process, process_free)
