# kind: break
# deserved: 7
# flag: true
# about: prints 30 megabytes at once
# right: tasks scale step

# %% before scale
print("x" * 30_000_000)
