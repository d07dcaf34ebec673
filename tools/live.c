/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "tools/live.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define PERIOD_S 1

/* To another screen, without a cursor; and back. */
#define ENTER "\033[?1049h\033[?25l"
#define LEAVE "\033[?25h\033[?1049l"
#define HOME "\033[H"
#define CLEAR_LINE "\033[K"
#define CLEAR_BELOW "\033[J"

static const int ends[] = { SIGINT, SIGTERM, SIGHUP };

static struct
{
  gboolean has_keys;
  struct termios terminal; /* as it was */
  sigset_t waiting;        /* the signals that are blocked while it waits */
} live;

static volatile sig_atomic_t received; /* 0: none yet */

static void
on_end (int signum)
{
  received = signum;
}

/* It only interrupts the waiting: there is another size to fill. */
static void
on_resize (int signum)
{
}

static void
handle_signals (void)
{
  struct sigaction end = { .sa_handler = on_end };
  struct sigaction resize = { .sa_handler = on_resize };
  sigset_t ours;

  sigemptyset (&ours);
  for (gsize i = 0; i < G_N_ELEMENTS (ends); i++)
    {
      sigaddset (&ours, ends[i]);
      sigaction (ends[i], &end, NULL);
    }
  sigaddset (&ours, SIGWINCH);
  sigaction (SIGWINCH, &resize, NULL);
  sigprocmask (SIG_BLOCK, &ours, &live.waiting);
}

static void
take_keys (void)
{
  struct termios terminal;

  live.has_keys = isatty (STDIN_FILENO) && tcgetattr (STDIN_FILENO, &live.terminal) == 0;
  if (!live.has_keys)
    return;
  terminal = live.terminal;
  terminal.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
  terminal.c_cc[VMIN] = 1;
  terminal.c_cc[VTIME] = 0;
  tcsetattr (STDIN_FILENO, TCSANOW, &terminal);
}

void
live_begin (void)
{
  handle_signals ();
  take_keys ();
  fputs (ENTER, stdout);
}

static void
show_line (const char *line, guint n_columns)
{
  g_autofree char *part
      = g_utf8_substring (line, 0, MIN ((glong)n_columns, g_utf8_strlen (line, -1)));

  printf ("%s" CLEAR_LINE, part);
}

void
live_show (const char *text)
{
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  struct winsize size = { 0 };
  guint n_rows, n_columns;

  ioctl (STDOUT_FILENO, TIOCGWINSZ, &size);
  n_rows = size.ws_row > 0 ? size.ws_row : 24;
  n_columns = size.ws_col > 0 ? size.ws_col : 80;
  fputs (HOME, stdout);
  for (guint i = 0; lines[i] != NULL && i < n_rows; i++)
    {
      fputs (i > 0 ? "\r\n" : "", stdout);
      show_line (lines[i], n_columns);
    }
  fputs (CLEAR_BELOW, stdout);
  fflush (stdout);
}

gboolean
live_wait (void)
{
  struct pollfd keys = { .fd = live.has_keys ? STDIN_FILENO : -1, .events = POLLIN };
  const struct timespec period = { .tv_sec = PERIOD_S };
  char key;

  if (ppoll (&keys, 1, &period, &live.waiting) > 0
      && (read (STDIN_FILENO, &key, 1) <= 0 || strchr ("qQ\003\004", key) != NULL))
    return FALSE;
  return received == 0;
}

int
live_end (void)
{
  fputs (LEAVE, stdout);
  fflush (stdout);
  if (live.has_keys)
    tcsetattr (STDIN_FILENO, TCSANOW, &live.terminal);
  return received;
}
