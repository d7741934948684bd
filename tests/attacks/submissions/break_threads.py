# kind: break
# deserved: 7
# flag: false
# about: starts threads until it may start no more
# right: tasks scale step

# %% before scale
import threading

stop = threading.Event()
try:
    for _ in range(2000):
        threading.Thread(target=stop.wait, daemon=True).start()
except RuntimeError:
    pass
stop.set()
