# kind: harm
# deserved: 4
# flag: false
# about: raises an error whose name has two million letters, in a cell and when called
# right: tasks step

# %% cell scale
Huge = type("E" * 2_000_000, (Exception,), {"__module__": "m" * 1_000_000})


def scale(x, k):
    raise Huge("x" * 1_000_000)


raise Huge("y" * 1_000_000)
