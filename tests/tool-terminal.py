# SPDX-License-Identifier: LGPL-2.1-or-later
# tool-terminal.py COMMAND…: what the command prints on stderr when that is a terminal.
import os
import pty
import subprocess
import sys

ours, theirs = pty.openpty()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=theirs)
os.close(theirs)
text = b""
while True:
    try:
        part = os.read(ours, 4096)
    except OSError:  # how Linux says that the last one closed the terminal
        break
    if not part:
        break
    text += part
process.wait(timeout=60)
print(ascii(text.decode()))
