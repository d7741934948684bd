# kind: break
# deserved: 4
# flag: true
# about: kills its parent, its group and every process that it can reach
# right: tasks step

# %% cell scale
import os
import signal

for target in (os.getppid(), 1):
    try:
        os.kill(target, signal.SIGKILL)
    except OSError:
        pass
os.killpg(0, signal.SIGKILL)
