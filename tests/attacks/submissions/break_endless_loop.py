# kind: break
# deserved: 4
# flag: false
# about: never returns
# right: tasks step

# %% cell scale
def scale(x, k):
    while True:
        pass
