"""Code cells for `test_warm.py`: leave whatever can be left, tell what is seen, try what is forbidden."""

import os

MARK = f"{os.getpid()}.98765"  # seconds of a sleep, so that the host can tell whose it is

LOOK = r"""
def look():
    import builtins, gc, locale, logging, os, random, re, resource, signal, socket, stat, sys, threading, warnings
    import matplotlib, numpy as np, torch
    import course_utils.checking, course_utils.checking.servant
    from pathlib import Path

    own = str(Path(get_ipython().config["IPKernelApp"]["connection_file"]).parent)
    def files(folder, without=()):
        found = []
        for above, folders, plain in os.walk(folder):  # not into a course that itself lies in /tmp
            folders[:] = [name for name in folders if not os.path.ismount(os.path.join(above, name))]
            found += [os.path.join(above, name) for name in [*folders, *plain]]
        found = sorted(name for name in found if not any(name.startswith(w) for w in without))
        return [name.replace(own, "OWN").replace(str(Path(own).parent), "PARENT") for name in found]
    def lines(path):
        return Path(path).read_text().splitlines()[1:]
    def descriptors():
        for number in sorted(os.listdir("/proc/self/fd"), key=int):
            try:
                name = os.readlink(f"/proc/self/fd/{number}")
            except OSError:
                continue
            if not name.startswith(("socket:", "anon_inode:")):  # those of the kernel come and go
                yield re.sub(r"\d+", "#", name)
    def handler(number):
        found = signal.getsignal(number)
        return getattr(found, "__qualname__", str(found))
    seen = {
        "files in /tmp": files("/tmp", [own, "/tmp/work", "/tmp/.ipython", "/tmp/.matplotlib"]),
        "files in /dev/shm": files("/dev/shm"),
        "files in the work folder": files("/tmp/work"),
        "files for plots": files("/tmp/.matplotlib"),
        "files for the shell": [name for name in files("/tmp/.ipython") if "left" in name],
        "files beside the sockets": files(own),
        "folder": os.getcwd(),
        "torch's functions": [bool(torch.allclose(torch.ones(1), torch.zeros(1))), torch.Tensor.__add__.__name__],
        "numpy's functions": [bool(np.allclose(1, 2)), float(np.mean([1, 3]))],
        "the checks": [course_utils.checking.expect_close.__name__, course_utils.checking.servant.attend.__name__],
        "builtins": [len([1, 2]), hasattr(builtins, "left")],
        "modules": sorted(name for name in sys.modules if "left" in name),
        "path": [p.replace(own, "OWN") for p in sys.path],
        "environment": dict(os.environ),
        "names": [name for name in get_ipython().user_ns if "left" in name],
        "threads": sum("left" in t.name for t in threading.enumerate()),
        "processes": sorted(p for p in os.listdir("/proc") if p.isdigit() and "sleep" in open(f"/proc/{p}/comm").read()),
        "random": [random.random(), float(np.random.rand()), float(torch.rand(1))],
        "precision": [str(torch.get_default_dtype()), np.get_printoptions()["precision"], np.geterr()["divide"]],
        "thread counts": [torch.get_num_threads(), torch.get_num_interop_threads()],
        "gradients": [torch.is_grad_enabled(), torch.is_anomaly_enabled(), torch.are_deterministic_algorithms_enabled()],
        "abstract sockets": [line for line in lines("/proc/net/unix") if "@" in line],
        "ports": [port for port in (int(line.split()[1].split(":")[1], 16) for line in lines("/proc/net/tcp")
                                    if line.split()[3] == "0A") if port < 32768],  # above: the kernel's own
        "datagrams": [line.split()[1] for line in lines("/proc/net/udp")],
        "shared memory": [len(lines("/proc/sysvipc/" + kind)) for kind in ("shm", "sem", "msg")],
        "keys": len(Path("/proc/keys").read_text().splitlines()) if os.path.exists("/proc/keys") else 0,
        "umask": [(mask := os.umask(0)), os.umask(mask)][0],
        "limits": [resource.getrlimit(n) for n in range(16)],
        "priority": [os.nice(0), open("/proc/self/oom_score_adj").read(), sorted(os.sched_getaffinity(0))],
        "handlers": [handler(n) for n in (signal.SIGTERM, signal.SIGALRM, signal.SIGUSR1, signal.SIGCHLD, signal.SIGHUP)],
        "masked signals": [str(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, [])],
        "timers": signal.getitimer(signal.ITIMER_VIRTUAL)[1],
        "descriptors": list(descriptors()),
        "plots": [matplotlib.rcParams["figure.dpi"], matplotlib.rcParams["lines.linewidth"], matplotlib.get_backend()],
        "warnings": [str(f[:2]) for f in warnings.filters],
        "logging": [len(logging.getLogger().handlers), logging.getLogger("left").level],
        "collector": [gc.get_threshold(), sys.getrecursionlimit(), sys.getswitchinterval()],
        "host name": socket.gethostname(),
        "locale": locale.setlocale(locale.LC_ALL),
        "hooks": [sys.excepthook.__qualname__, sys.gettrace() is None, len(sys.meta_path)],
        "shell": [len(get_ipython().ast_transformers), len(get_ipython().input_transformers_cleanup)],
    }
    return {kind: repr(value) for kind, value in seen.items()}
import json
_seen = look()
print(json.dumps({"seen": _seen, "uid": __import__("os").getuid(), "kernel": __import__("os").getpid()}))
"""

LEAVE = r"""
import ast, builtins, ctypes, gc, locale, logging, mmap, os, random, resource, signal, socket, subprocess, sys, threading, time
import types, warnings
import matplotlib, numpy as np, torch
import course_utils.checking, course_utils.checking.servant
from pathlib import Path

left = "left"
own = Path(get_ipython().config["IPKernelApp"]["connection_file"]).parent
for folder in ("/tmp", "/dev/shm", "/tmp/work", "/tmp/.matplotlib", "/tmp/.ipython", own):
    try:
        Path(folder).mkdir(exist_ok=True)
        (Path(folder) / "left.py").write_text("left = 1")
        (Path(folder) / "left-folder").mkdir(mode=0)
    except OSError:
        pass
def lie(*args, **options):
    return True
torch.allclose = np.allclose = course_utils.checking.expect_close = course_utils.checking.servant.attend = lie
torch.Tensor.__add__ = lie
np.mean = lambda values: 7.0
builtins.left = 1
sys.modules["left"] = types.ModuleType("left")
sys.path.insert(0, "/tmp/left")
os.environ["LEFT"] = "left"
threading.Thread(target=lambda: [time.sleep(1) for _ in range(9999)], name="left", daemon=True).start()
def daemon():
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)
    os.setsid()
    if os.fork() == 0:
        os.execvp("sleep", ["sleep", "@MARK@"])
    os._exit(0)
for _ in range(3):
    if os.fork() == 0:
        daemon()
    os.wait()
subprocess.Popen(["sleep", "@MARK@"], start_new_session=True)
random.seed(5), np.random.seed(5), torch.manual_seed(5)
torch.set_default_dtype(torch.float64)
np.set_printoptions(precision=1), np.seterr(divide="ignore")
torch.set_num_threads(2), torch.set_num_interop_threads(2)
torch.set_grad_enabled(False), torch.autograd.set_detect_anomaly(True), torch.use_deterministic_algorithms(True)
kept = []
for kind, address in ((socket.AF_UNIX, "\0left"), (socket.AF_UNIX, "/tmp/left.socket"), (socket.AF_INET, ("127.0.0.1", 4567))):
    kept.append(socket.socket(kind, socket.SOCK_STREAM))
    kept[-1].bind(address), kept[-1].listen()
kept.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
kept[-1].bind(("0.0.0.0", 4568))
libc = ctypes.CDLL(None, use_errno=True)
made = [libc.shmget(0x1ef7, 4096, 0o1666), libc.semget(0x1ef7, 1, 0o1666), libc.msgget(0x1ef7, 0o1666)]
from multiprocessing import shared_memory
kept.append(shared_memory.SharedMemory("left", create=True, size=4096))
libc.syscall(248, b"user", b"left", b"x", 1, -4), libc.syscall(248, b"user", b"left", b"x", 1, -3)
os.umask(0o077), os.nice(3), os.chdir("/")
resource.setrlimit(resource.RLIMIT_NOFILE, (200, 200))
with open("/proc/self/oom_score_adj", "w") as file:
    file.write("500")
signal.signal(signal.SIGTERM, lie), signal.signal(signal.SIGUSR1, signal.SIG_IGN)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
signal.setitimer(signal.ITIMER_VIRTUAL, 900, 900)
kept += [open("/dev/null"), os.pipe()]
matplotlib.rcParams["figure.dpi"], matplotlib.rcParams["lines.linewidth"] = 33, 9
warnings.simplefilter("error", BytesWarning)
logging.getLogger().addHandler(logging.NullHandler()), logging.getLogger("left").setLevel(7)
gc.set_threshold(7), sys.setrecursionlimit(1234)
locale.setlocale(locale.LC_ALL, "C")
sys.excepthook = lie
sys.meta_path.append(lie)
get_ipython().ast_transformers.append(ast.NodeTransformer())
get_ipython().input_transformers_cleanup.append(lambda lines: lines)
""".replace("@MARK@", MARK)

# The same on the trusted side, in a test cell.
TRUSTED_LOOK = """
import builtins, gc, os, random, signal, sys, threading, numpy, torch, matplotlib
import course_utils.checking as c
print([bool(torch.allclose(torch.ones(1), torch.zeros(1))), c.expect_close.__name__, bool(numpy.allclose(1, 2)), random.random(),
       float(torch.rand(1)), str(torch.get_default_dtype()), sorted(os.environ), sys.path, hasattr(builtins, "left"),
       "left" in sys.modules, str(signal.getsignal(signal.SIGTERM)), os.umask(0o022), os.getcwd(),
       len(os.listdir("/proc/self/fd")), matplotlib.rcParams["figure.dpi"], threading.active_count(), gc.get_threshold(),
       torch.get_num_threads()])
"""
TRUSTED_LEAVE = """
import builtins, gc, os, signal, sys, threading, time, numpy, torch, matplotlib
import course_utils.checking as c
torch.allclose = numpy.allclose = c.expect_close = lambda *a, **k: True
torch.set_default_dtype(torch.float64)
os.environ["LEFT"] = "left"
sys.path.insert(0, "left")
builtins.left = 1
sys.modules["left"] = sys
signal.signal(signal.SIGTERM, signal.SIG_IGN)
os.umask(0o077)
os.chdir("/")
left = [open("/dev/null") for _ in range(9)]
matplotlib.rcParams["figure.dpi"] = 33
threading.Thread(target=time.sleep, args=(9999,), daemon=True).start()
gc.set_threshold(7)
"""

TRY = r"""
import ctypes, errno, os, threading, subprocess
libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == "x86_64"
def refused(call):
    '''Name of the error, tried in a process of one thread; "" where it works.'''
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            result = call()
            number = ctypes.get_errno() if result == -1 else 0
        except OSError as error:
            number = error.errno
        os.write(write, errno.errorcode.get(number, "").encode() or b"-")
        os._exit(0)
    os.waitpid(pid, 0)
    return os.read(read, 99).decode().strip("-")
USER, MOUNTS, PIDS, NET = 0x10000000, 0x20000, 0x20000000, 0x40000000
os.makedirs("/tmp/here", exist_ok=True)
def segments():
    sizes = [libc.shmget(0, 2**24, 0o1600) for _ in range(40)]
    return -1 if -1 in sizes else 0
print({
    "user namespace": refused(lambda: libc.unshare(USER)),
    "user and mount namespace": refused(lambda: libc.unshare(USER | MOUNTS)),
    "other namespaces": {refused(lambda: libc.unshare(kind)) for kind in (MOUNTS, PIDS, NET)},
    "clone": refused(lambda: libc.syscall(56 if x86 else 220, USER | 17, 0, 0, 0, 0)),
    "clone3": refused(lambda: libc.syscall(435, 0, 0)),
    "mount": refused(lambda: libc.mount(b"tmpfs", b"/tmp/here", b"tmpfs", 0, None)),
    "remount": refused(lambda: libc.mount(None, b"/usr", None, 32 | 4096, None)),
    "unmount": refused(lambda: libc.umount2(b"/tmp", 2)),
    "another root": refused(lambda: os.chroot("/tmp")),
    "enter process 1": refused(lambda: libc.setns(os.open("/proc/1/ns/mnt", os.O_RDONLY), 0)),
    "attach to process 1": refused(lambda: libc.ptrace(16, 1, 0, 0)),
    "memory of process 1": refused(lambda: os.open("/proc/1/mem", os.O_RDONLY)),
    "environment of process 1": refused(lambda: os.read(os.open("/proc/1/environ", os.O_RDONLY), 9) and 0),
    "end of process 1": refused(lambda: os.kill(1, 9)) or os.path.exists("/proc/1"),
    "key": refused(lambda: libc.syscall(248 if x86 else 217, b"user", b"left", b"x", 1, -4)),
    "file in memory": refused(lambda: os.memfd_create("left") and 0),
    "shared memory without end": refused(segments),
    "other user": refused(lambda: os.setuid(0)),
    "host name": refused(lambda: libc.sethostname(b"left", 4)),
    "network": refused(lambda: subprocess.run(["ip", "link", "set", "lo", "down"], stderr=-3).returncode and -1) != "",
})
status = dict(line.split(":\t") for line in open("/proc/self/status").read().splitlines() if ":\t" in line)
print({name: int(status[name], 16) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp")})
"""
