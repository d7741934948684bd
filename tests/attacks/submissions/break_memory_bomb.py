# kind: break
# deserved: 4
# flag: true
# about: takes memory without end
# right: tasks step
# stock: no

# %% cell scale
hoard = []
while True:
    hoard.append(bytearray(b"x" * 50_000_000))
