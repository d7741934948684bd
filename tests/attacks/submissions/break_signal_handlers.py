# kind: break
# deserved: 4
# flag: true
# about: ignores every signal that may be ignored, and never returns
# right: tasks step

# %% cell scale
import signal

for number in signal.valid_signals():
    try:
        signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [number])
    except (OSError, ValueError):
        pass


def scale(x, k):
    while True:
        pass
