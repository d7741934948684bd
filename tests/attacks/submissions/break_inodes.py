# kind: break
# deserved: 7
# flag: true
# about: makes empty files until no more can be made
# right: tasks scale step
# stock: no

# %% before scale
import os


def fill(folder):
    try:
        for number in range(100_000):
            os.close(os.open(f"{folder}/empty-{number}", os.O_CREAT | os.O_WRONLY))
    except OSError:
        pass


connection = get_ipython().config["IPKernelApp"]["connection_file"]
for folder in (".", "/dev/shm", os.path.dirname(connection)):
    fill(folder)
