# SPDX-License-Identifier: LGPL-2.1-or-later
# tool-interrupt.py SIGNAL COMMAND…: sends the signal when the function of the call has begun.
import re
import signal
import subprocess
import sys



def lives(pid):
    """Dead is enough: when the tool has ended, it is somebody else who reaps."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


number = getattr(signal, sys.argv[1])
# It is ignored where the tests run in the background.
tool = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                        preexec_fn=lambda: signal.signal(number, signal.SIG_DFL))
for line in tool.stderr:
    began = re.match(r"blocked in (\d+)\.", line)
    if began:
        break
else:
    sys.exit("it did not begin")
tool.send_signal(number)
output, messages = tool.communicate(timeout=60)
print(output, messages)
if lives(began.group(1)):
    sys.exit("its process is left behind")
print(f"status {tool.returncode}")
