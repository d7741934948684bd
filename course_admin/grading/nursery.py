"""The warm process inside the sandbox: it has the libraries loaded and forks one kernel a submission.

It runs no student code and knows nothing but what an order says. Each child gets namespaces of its own (processes, mounts,
network, IPC), fresh private folders, a user of its own, the limits, no privilege, no descriptor, and only then becomes a
kernel. Within the child, process 1 reaps; when the kernel ends, or process 1 is killed, everything in there is gone.

    python nursery.py DESCRIPTOR            one JSON order a line on that socket
    python nursery.py --probe FOLDER        make a world and leave

The course's package is not in the sandbox, so this file imports nothing of it.
"""

from __future__ import annotations

import ast
import ctypes
import errno
import fcntl
import gc
import json
import os
import random
import resource
import select
import signal
import socket
import struct
import sys
import warnings
import zlib
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND = 2, 4, 8, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
NEWUSER = 0x10000000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 24, 38
PR_SET_NAME = 15
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAPABILITY_VERSION_3 = 0x20080522
# Machine → its number for audits, seccomp, clone, clone3; refused: unshare, setns, add_key, request_key, keyctl, memfd_create,
# memfd_secret.
SYSTEM_CALLS = {
    "x86_64": (0xC000003E, 317, 56, 435, (272, 308, 248, 249, 250, 319, 447)),
    "aarch64": (0xC00000B7, 277, 220, 435, (97, 268, 217, 218, 219, 279, 447)),
}
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Serve orders until the other end closes."""
    name_process("cw-nursery")
    die_with_parent()
    namespace, own_life = os.open("/proc/self/ns/pid", os.O_RDONLY), os.pidfd_open(os.getpid())
    if sys.argv[1] == "--probe":
        order = {"folder": sys.argv[2], "limits": {"file_mb": 1}, "probe": True}
        pid = _child(order, namespace, own_life)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    control = socket.socket(fileno=int(sys.argv[1]))
    gc.disable()  # a third of the time that loading takes
    warm_up()
    gc.collect()
    gc.freeze()  # children then copy fewer pages
    gc.enable()
    control.sendall(b'{"ready": true}\n')
    living: set[int] = set()
    lines = control.makefile("r", encoding="utf-8")
    for line in lines:
        order = json.loads(line)
        if order["op"] == "start":
            pid = _child(order, namespace, own_life)
            living.add(pid)
            descriptor = os.pidfd_open(pid)
            socket.send_fds(control, [json.dumps({"pid": pid}).encode() + b"\n"], [descriptor])
            os.close(descriptor)
        elif order["op"] == "clear":  # whatever still lives of earlier submissions ends here
            for pid in living:
                os.kill(pid, signal.SIGKILL)
            for pid in living:
                os.waitpid(pid, 0)
            living.clear()
            control.sendall(b'{"cleared": true}\n')


def name_process(name: str) -> None:
    """What `top` and `ps` call this process and its forks: at most 15 letters."""
    if sys.platform == "linux":
        libc.prctl(PR_SET_NAME, name.encode(), 0, 0, 0)


def die_with_parent() -> None:
    """Have this process killed when the one that started it ends."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _child(order: dict[str, Any], namespace: int, own_life: int) -> int:
    _check(libc.unshare(NEWPID), "unshare")  # for the next child; this process stays where it is
    pid = os.fork()
    if pid == 0:
        _first_process(order, own_life)
    _check(libc.setns(namespace, NEWPID), "setns")
    return pid


def warm_up() -> None:
    """Load what submissions load and use it once, so that no submission pays for it. No thread may be running afterwards."""
    import importlib

    sys.modules["debugpy"] = None  # type: ignore[assignment]  # a debugger that ipykernel would load for every kernel
    for name in (
        "numpy", "numpy.ma", "torch", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "IPython", "ipykernel.kernelapp",
        "ipykernel.zmqshell", "ipykernel.debugger", "tornado.platform.asyncio", "tornado.queues", "IPython.core.completerlib",
        "IPython.extensions.storemagic", "encodings.idna", "faulthandler", "course_utils.checking",
        "course_utils.checking.servant", "course_utils.plotting", "course_utils.training",
    ):  # fmt: skip
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # another version of a library: the kernel will import what it needs itself
    warm_torch()
    from matplotlib.figure import Figure

    from course_utils.figures import to_png

    figure = Figure()
    figure.add_subplot().plot([0, 1], label="$x_t$")
    to_png(figure)  # fonts


def warm_torch() -> None:
    """Use once what a first use loads: layers, a backward pass, an optimizer, linear algebra."""
    import torch

    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Tanh())
    rows = torch.zeros(2, 3, 3)
    for layer in (torch.nn.RNN(3, 4), torch.nn.LSTM(3, 4), torch.nn.GRU(3, 4)):
        (layer(rows)[0].sum() + model(rows).square().mean()).backward()  # on a CPU autograd starts no thread
    torch.optim.Adam(model.parameters()).step()
    torch.linalg.svdvals(torch.nn.init.orthogonal_(torch.empty(4, 4)))


# A submission's own world --------------------------------------------------------------------------------------------


def _first_process(order: dict[str, Any], parents_life: int) -> None:
    """Process 1 of a new PID namespace: make the world, start the kernel in it, reap, end with it."""
    status = 1
    try:
        die_with_parent()
        if select.select([parents_life], [], [], 0)[0]:
            os._exit(1)  # the nursery ended before it could be asked to take this one along
        _close_descriptors(keep=set())
        _check(libc.unshare(NEWNS | NEWIPC | NEWNET | NEWUTS), "unshare")
        _mounts(order["folder"], order["limits"]["file_mb"])
        _loopback_up()
        _bound_shared_memory(order["limits"]["file_mb"])
        kernel = os.fork()
        if kernel == 0:
            os._exit(0) if order.get("probe") else _become_kernel(order)
        gc.disable()
        while True:
            pid, code = os.wait()
            if pid == kernel:
                status = os.waitstatus_to_exitcode(code) & 0xFF
                break
    except BaseException as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def _mounts(own: str, file_mb: int) -> None:
    """Fresh private folders and /proc; of all submissions' folders only its own."""
    _check(libc.mount(None, b"/", None, MS_REC | MS_PRIVATE, None), "mount private")
    _check(libc.mount(b"proc", b"/proc", b"proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, None), "mount /proc")
    folder = os.open(own, os.O_PATH)
    parent = os.path.dirname(own)
    library = {path: os.open(path, os.O_PATH) for path in _mounted_below("/tmp") if path != parent}
    size = f"mode=1777,size={file_mb}m,nr_inodes=50000".encode()
    for path in (b"/tmp", b"/dev/shm"):
        _check(libc.mount(b"tmpfs", path, b"tmpfs", MS_NOSUID | MS_NODEV, size), f"mount {path!r}")
    if not parent.startswith("/tmp/"):
        _check(
            libc.mount(b"tmpfs", parent.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=755,size=64k"),
            "mount folder",
        )
    # A course that itself lies in /tmp; the copy of a read-only mount is read-only.
    for name, place in library.items():
        os.makedirs(name, 0o755)
        origin = f"/proc/self/fd/{place}".encode()
        _check(libc.mount(origin, name.encode(), None, MS_BIND | MS_REC, None), f"bind {name}")
        os.close(place)
    os.makedirs(own, 0o755)
    _check(libc.mount(f"/proc/self/fd/{folder}".encode(), own.encode(), None, MS_BIND, None), "bind folder")
    os.close(folder)
    os.mkdir("/tmp/work")
    os.chmod("/tmp/work", 0o777)


def _mounted_below(folder: str) -> list[str]:
    """What the outer wall mounted below a folder, outermost only."""
    found: list[str] = []
    with open("/proc/self/mounts", encoding="utf-8") as lines:
        paths = sorted(
            line.split()[1].encode().decode("unicode_escape") for line in lines
        )  # "\\040" is a blank
    for path in paths:
        if path.startswith(f"{folder}/") and not any(path.startswith(f"{outer}/") for outer in found):
            found.append(path)
    return found


def _bound_shared_memory(file_mb: int) -> None:
    """System V segments belong to no process: whoever watches processes does not see them."""
    try:
        with open("/proc/sys/kernel/shmall", "w") as most:
            most.write(str(file_mb * 2**20 // resource.getpagesize()))
    except OSError:
        return  # an older system lets only the first user namespace say so


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags_up = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, flags_up)  # SIOCSIFFLAGS


def _become_kernel(order: dict[str, Any]) -> None:
    """Give up every privilege, then run ipykernel; never returns."""
    try:
        name_process("cw-kernel")
        os.setsid()
        if order.get("uid") is None:
            _own_user_namespace()
        _give_up_privileges(order.get("uid"))
        _limit(order["limits"])
        _refuse_calls()
        os.chdir("/tmp/work")
        os.umask(0o022)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.close(null)
        _seed()
        _run_kernel(order["connection_file"])
    except OSError as error:  # into the nursery's log, as long as this is still its standard error
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(0)


def _own_user_namespace() -> None:
    """Where no user can be had for each submission: a namespace in which this one is nobody in particular, and none below it."""
    _check(libc.unshare(NEWUSER), "unshare user")
    for name, text in (("setgroups", "deny"), ("uid_map", "1000 0 1"), ("gid_map", "1000 0 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)
    with open("/proc/sys/user/max_user_namespaces", "w") as most:
        most.write("0")


def _give_up_privileges(uid: int | None) -> None:
    for capability in range(64):
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) != 0:
            break  # the first number that the system does not know
    libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    if uid is not None:
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    header = struct.pack("Ii", CAPABILITY_VERSION_3, 0)
    _check(libc.capset(header, bytes(24)), "capset")
    _check(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs")
    libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0)  # else /proc/self would belong to root


def _refuse_calls() -> None:
    """A filter on system calls: no user namespace (with one come new mounts without a limit), no key that outlives its
    owner in a keyring, no file in memory that belongs to no folder."""
    machine = os.uname().machine
    if machine not in SYSTEM_CALLS:
        return  # namespaces, users and limits hold without it
    architecture, install, clone, clone3, refused = SYSTEM_CALLS[machine]
    number, arch, first_argument = 0, 4, 16  # offsets in struct seccomp_data; little endian
    load, equal, reach, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, no, unknown = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
    steps = [(load, 0, 0, arch), (equal, 1, 0, architecture), (answer, 0, 0, unknown), (load, 0, 0, number)]
    steps += [(reach, 0, 1, 0x40000000), (answer, 0, 0, unknown)]  # x32, a second set of numbers
    for call in refused:
        steps += [(equal, 0, 1, call), (answer, 0, 0, no)]
    steps += [(equal, 0, 1, clone3), (answer, 0, 0, unknown)]  # its flags lie in memory; libc then uses clone
    steps += [
        (equal, 0, 3, clone),
        (load, 0, 0, first_argument),
        (any_bit, 0, 1, NEWUSER),
        (answer, 0, 0, no),
    ]
    steps += [(answer, 0, 0, allow)]
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("HxxxxxxQ", len(steps), ctypes.addressof(program)))
    # Flag 4: the filter is no reason to slow the processor down against side channels.
    if libc.syscall(install, 1, 4, header) != 0:
        _check(libc.prctl(PR_SET_SECCOMP, 2, header, 0, 0), "seccomp")


def _limit(limits: dict[str, Any]) -> None:
    mebibyte = 2**20
    for what, most in (
        (resource.RLIMIT_AS, limits["address_space_mb"] * mebibyte),
        (resource.RLIMIT_CPU, int(50 * limits["cell_cpu_s"])),
        (resource.RLIMIT_FSIZE, limits["file_mb"] * mebibyte),
        (resource.RLIMIT_NPROC, limits["processes"]),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (most, most))


def _seed() -> None:
    """Every submission starts from the same random state."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(0)


def _run_kernel(connection_file: str) -> None:
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(__file__)]
    if sys.path[0] != "":
        sys.path.insert(0, "")
    from ipykernel.kernelapp import IPKernelApp
    from traitlets.config import Config

    class Application(IPKernelApp):
        """One whose settings stand in `settings` alone: to look for others takes a quarter of the start."""

        def parse_command_line(self, argv: Any = None) -> None:
            return

        def load_config_file(self, *_: Any, **__: Any) -> None:
            return

    settings = Config()
    settings.IPKernelApp.connection_file = connection_file
    settings.HistoryManager.enabled = False
    # A tip is drawn from the random numbers each time that someone asks whether the kernel is there.
    settings.InteractiveShell.enable_tip = False
    # Python's own traceback: one with the code around each line takes twenty times as long to write.
    settings.InteractiveShell.xmode = "Plain"
    _lighten_cells()
    Application.launch_instance([], config=settings)


def _lighten_cells() -> None:
    """Leave out what IPython does around each cell and a plain one does not need."""
    from ipykernel import compiler
    from ipykernel.iostream import OutStream
    from IPython.core.inputtransformer2 import TransformerManager

    transform, flush = TransformerManager.transform_cell, OutStream.flush

    def transform_other(self: TransformerManager, cell: str) -> str:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                ast.parse(cell)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return transform(self, cell)  # magics and the like
        return cell if cell.endswith("\n") else cell + "\n"

    def flush_written(self: OutStream) -> None:
        if getattr(self, "_buffers", True):
            flush(self)

    setattr(TransformerManager, "transform_cell", transform_other)  # noqa: B010  (mypy: no assignment to a method)
    setattr(OutStream, "flush", flush_written)  # noqa: B010
    # The name of a cell's file: theirs goes through the text byte by byte, in Python.
    compiler.murmur2_x86 = lambda text, seed: zlib.crc32(text.encode("utf-8", "replace"), seed)


# Small tools ---------------------------------------------------------------------------------------------------------


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def _close_descriptors(keep: set[int]) -> None:
    for name in os.listdir("/proc/self/fd"):
        if int(name) > 2 and int(name) not in keep:
            try:
                os.close(int(name))
            except OSError:
                continue


if __name__ == "__main__":
    main()
