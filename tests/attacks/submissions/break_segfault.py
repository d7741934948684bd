# kind: break
# deserved: 4
# flag: true
# about: crashes in native code
# right: tasks step

# %% cell scale
import ctypes


def scale(x, k):
    ctypes.string_at(8)
