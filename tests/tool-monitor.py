# SPDX-License-Identifier: LGPL-2.1-or-later
# tool-monitor.py KEYS WORD PID COMMAND…: the command on a terminal, whose user types KEYS when there is WORD on it;
# with “end” process PID is sent SIGTERM instead. Prints what was on it, the exit status, and whether it is as before.
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios

keys, word, pid, command = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3]), sys.argv[4:]


def take_terminal():
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 60, 0, 0))
before = termios.tcgetattr(theirs)
process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, preexec_fn=take_terminal)
text = b""
while word not in text:
    text += os.read(ours, 4096)
if keys == "end":
    os.kill(pid, signal.SIGTERM)
else:
    os.write(ours, keys.encode().decode("unicode_escape").encode())
while not text.endswith(b"\x1b[?1049l") and b"procfun:" not in text:
    text += os.read(ours, 4096)
process.wait(timeout=60)
os.set_blocking(ours, False)
try:
    text += os.read(ours, 4096)
except BlockingIOError:
    pass
print(ascii(text.decode()))
print("status", process.returncode)
print("terminal", "as before" if termios.tcgetattr(theirs) == before else "changed")
