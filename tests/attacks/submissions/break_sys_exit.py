# kind: break
# deserved: 7
# flag: true
# about: raises SystemExit in a cell and quits the kernel politely
# right: tasks scale step

# %% after step-test
import sys

sys.exit(1)

# %% after tasks-test
raise SystemExit
