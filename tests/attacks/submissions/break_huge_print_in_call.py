# kind: break
# deserved: 7
# flag: false
# about: prints 300 megabytes at once when called
# right: tasks step

# %% cell scale
def scale(x, k):
    print("x" * 300_000_000)
    return np.asarray(x) * k
