# kind: break
# deserved: 4
# flag: true
# about: prints without end
# right: tasks step

# %% cell scale
while True:
    print("x" * 1000)
