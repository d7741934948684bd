# kind: break
# deserved: 7
# flag: false
# about: waits for an answer at the keyboard
# right: tasks scale step

# %% before scale
input("continue? ")
