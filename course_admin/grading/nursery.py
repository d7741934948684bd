"""The warm process inside the sandbox: it has the libraries loaded and forks one kernel a submission.

It runs no student code and knows nothing but what an order says. Each child gets namespaces of its own (processes, mounts,
network, IPC), fresh private folders, a user of its own, the limits, no privilege, no descriptor, and only then becomes a
kernel. Within the child, process 1 reaps; when the kernel ends, or process 1 is killed, everything in there is gone.

    python nursery.py DESCRIPTOR            one JSON order a line on that socket
    python nursery.py --probe FOLDER        make a world and leave

The course's package is not in the sandbox, so this file imports nothing of it.
"""

from __future__ import annotations

import ctypes
import fcntl
import gc
import json
import os
import random
import resource
import signal
import socket
import struct
import sys
from typing import Any

NEWNS, NEWUTS, NEWIPC, NEWPID, NEWNET = 0x00020000, 0x04000000, 0x08000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT, MS_BIND = 1, 2, 4, 8, 32, 4096
MS_REC, MS_PRIVATE = 16384, 1 << 18
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS = 1, 4, 24, 38
PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 47, 4
CAPABILITY_VERSION_3 = 0x20080522
libc = ctypes.CDLL(None, use_errno=True)


def main() -> None:
    """Serve orders until the other end closes."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    namespace = os.open("/proc/self/ns/pid", os.O_RDONLY)
    if sys.argv[1] == "--probe":
        order = {"folder": sys.argv[2], "limits": {"file_mb": 1}, "probe": True}
        pid = _child(order, namespace)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    control = socket.socket(fileno=int(sys.argv[1]))
    warm_up()
    gc.collect()
    gc.freeze()  # children then copy fewer pages
    control.sendall(b'{"ready": true}\n')
    living: set[int] = set()
    lines = control.makefile("r", encoding="utf-8")
    for line in lines:
        order = json.loads(line)
        if order["op"] == "start":
            pid = _child(order, namespace)
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


def _child(order: dict[str, Any], namespace: int) -> int:
    _check(libc.unshare(NEWPID), "unshare")  # for the next child; this process stays where it is
    pid = os.fork()
    if pid == 0:
        _first_process(order)
    _check(libc.setns(namespace, NEWPID), "setns")
    return pid


def warm_up() -> None:
    """Load what submissions load, once. No thread may be running when a child is forked."""
    import importlib

    for name in (
        "numpy", "torch", "matplotlib.pyplot", "matplotlib_inline.backend_inline", "IPython", "ipykernel.kernelapp",
        "ipykernel.zmqshell", "course_utils.checking.servant", "course_utils.plotting", "course_utils.training",
    ):  # fmt: skip
        try:
            importlib.import_module(name)
        except ImportError:
            continue  # another version of a library: the kernel will import what it needs itself
    import torch

    torch.set_num_threads(1)
    parameter = torch.zeros(1, requires_grad=True)
    torch.optim.Adam([parameter])  # its first use loads much of torch


# A submission's own world --------------------------------------------------------------------------------------------


def _first_process(order: dict[str, Any]) -> None:
    """Process 1 of a new PID namespace: make the world, start the kernel in it, reap, end with it."""
    status = 1
    try:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        _close_descriptors(keep=set())
        _check(libc.unshare(NEWNS | NEWIPC | NEWNET | NEWUTS), "unshare")
        _mounts(order["folder"], order["limits"]["file_mb"])
        _loopback_up()
        if os.geteuid() != 0:  # in a user namespace of ours: no further one below it
            with open("/proc/sys/user/max_user_namespaces", "w") as most:
                most.write("0")
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
    size = f"mode=1777,size={file_mb}m,nr_inodes=50000".encode()
    for path in (b"/tmp", b"/dev/shm"):
        _check(libc.mount(b"tmpfs", path, b"tmpfs", MS_NOSUID | MS_NODEV, size), f"mount {path!r}")
    if not parent.startswith("/tmp/"):
        _check(
            libc.mount(b"tmpfs", parent.encode(), b"tmpfs", MS_NOSUID | MS_NODEV, b"mode=755,size=64k"),
            "mount folder",
        )
    os.makedirs(own, 0o755)
    _check(libc.mount(f"/proc/self/fd/{folder}".encode(), own.encode(), None, MS_BIND, None), "bind folder")
    os.close(folder)
    os.mkdir("/tmp/work")
    os.chmod("/tmp/work", 0o777)


def _loopback_up() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        flags_up = struct.pack("16sh14x", b"lo", 0x1 | 0x40)  # IFF_UP, IFF_RUNNING
        fcntl.ioctl(any_socket, 0x8914, flags_up)  # SIOCSIFFLAGS


def _become_kernel(order: dict[str, Any]) -> None:
    """Give up every privilege, then run ipykernel; never returns."""
    try:
        os.setsid()
        _give_up_privileges(order.get("uid"))
        _limit(order["limits"])
        os.chdir("/tmp/work")
        os.umask(0o022)
        null = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(null, descriptor)
        os.close(null)
        _seed()
        _run_kernel(order["connection_file"])
    finally:
        os._exit(0)


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
    sys.argv = ["ipykernel_launcher", "-f", connection_file, "--HistoryManager.enabled=False"]
    sys.path[:] = [path for path in sys.path if path != os.path.dirname(__file__)]
    if sys.path[0] != "":
        sys.path.insert(0, "")
    from ipykernel.kernelapp import IPKernelApp

    IPKernelApp.launch_instance()


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
