# kind: break
# deserved: 4
# flag: true
# about: a cell that never ends and ignores interrupts
# right: tasks step

# %% cell scale
def scale(x, k):
    return 0


while True:
    try:
        while True:
            pass
    except BaseException:
        pass
