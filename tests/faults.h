/* SPDX-License-Identifier: LGPL-2.1-or-later */

#pragma once

#include <glib.h>

/* System calls of the calling thread that fail on purpose: a program that is made with faults.c
 * makes them through it, and so do the libraries that it is linked with. Its children do not, for
 * nothing is set there. */

typedef struct
{
  const char *call; /* a function of the C library; "pidfd_open"; "pidfd_send_signal", of a group */
  int error;        /* an errno */
  int first;        /* which one fails, from 1 on */
  gboolean onward;  /* and all that follow */
  int n_seen;       /* how many there were */
  void (*meanwhile) (void); /* (nullable): what another thread does before the first one */
} Fault;

/* @faults: up to one without a name, or NULL for none. */
void faults_set (Fault *faults);
