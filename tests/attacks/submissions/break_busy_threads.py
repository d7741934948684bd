# kind: break
# deserved: 7
# flag: false
# about: leaves threads behind that compute without end
# right: tasks scale step

# %% before scale
import threading


def burn():
    while True:
        sum(range(10_000))


for _ in range(3):
    threading.Thread(target=burn, daemon=True).start()
