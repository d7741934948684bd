# kind: break
# deserved: 7
# flag: true
# about: leaves a process behind that outlives the cell
# right: tasks scale step

# %% before scale
import subprocess

left = subprocess.Popen(["sleep", "1000"], start_new_session=True)
