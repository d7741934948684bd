"""The sandbox: what a nursery and the kernels that it forks can see and do.

Two walls. bubblewrap makes the outer one, once for many submissions: no network, a read-only system, no course folder, no
gradebook, no home folder. Inside it the nursery (`nursery.py`, our own code) gives each submission namespaces, private folders
and limits of its own, and takes every privilege away before student code runs. Started by root, each submission runs as a user
of its own that owns nothing; started by anyone else, as that user in a user namespace.
"""

import os
import random
import shutil
import site
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import course_utils
from course_admin.grading.limits import Limits
from course_admin.shipping import ANSWERS

ISOLATION = (
    "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try "
    "--die-with-parent --new-session --hostname grading --clearenv"
)
# What the nursery needs to make a submission's world; each submission gives all of it up.
PRIVILEGES = ("SYS_ADMIN", "SETUID", "SETGID", "SETPCAP", "NET_ADMIN", "SYS_RESOURCE", "SETFCAP", "KILL")
FIRST_UID, UIDS = 1_000_000, 900_000_000
REFUSAL = Path(__file__).with_name("refusal")
NURSERY = Path(__file__).with_name("nursery.py")
NURSERY_INSIDE = "/run/nursery.py"


class SandboxUnavailable(RuntimeError):
    """Student code cannot be isolated on this machine; the message says why and what to do."""


def own_uid() -> int | None:
    """A user for one submission, or None where only root could become another."""
    return FIRST_UID + random.SystemRandom().randrange(UIDS) if os.geteuid() == 0 else None


@dataclass(frozen=True)
class Box:
    """What the outer wall is made of.

    Attributes:
        folder: host folder, under the same path inside; in it each submission gets a folder for its sockets.
        withheld: parts of `course_utils` in whose place a refusal stands, as `course_admin.shipping` names them.
    """

    folder: Path
    limits: Limits
    withheld: tuple[str, ...] = ANSWERS

    def command(self, inside: list[str]) -> list[str]:
        """The `bwrap` command line that runs `inside`.

        Raises:
            SandboxUnavailable: there is no bwrap.
        """
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxUnavailable(
                "bubblewrap is not installed. Install it (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install …) "
                "or grade with --unsafe if you trust every submission."
            )
        line = [bwrap, *ISOLATION.split()]
        # In a user namespace the nursery is its root, or bubblewrap would put it into a second one, without rights in the first.
        line += ["--unshare-user", "--uid", "0", "--gid", "0"] if os.geteuid() != 0 else []
        for privilege in PRIVILEGES:
            line += ["--cap-add", f"CAP_{privilege}"]
        line += ["--proc", "/proc", "--dev", "/dev", "--perms", "0755", "--dir", "/etc"]
        for folder in ("/dev/shm", "/tmp"):  # before what may lie below them
            line += ["--perms", "1777", "--size", str(self.limits.file_mb * 2**20), "--tmpfs", folder]
        for path in _system_paths():
            kind, origin = ("--symlink", os.readlink(path)) if path.is_symlink() else ("--ro-bind", str(path))
            line += [*_parents(path), kind, origin, str(path)]
        utils = Path(course_utils.__file__).parent
        for path in _python_paths(utils):
            line += [*_parents(path), "--ro-bind", str(path), str(path)]
        for package in _private_packages():
            line += ["--perms", "0700", "--tmpfs", package]
        for name in self.withheld:
            part = utils / name
            if part.exists():
                refusal = REFUSAL if part.is_dir() else REFUSAL / "__init__.py"
                line += ["--ro-bind", str(refusal), str(part)]
        line += ["--perms", "0755", "--dir", "/run", "--ro-bind", str(NURSERY), NURSERY_INSIDE]
        line += [*_parents(self.folder), "--bind", str(self.folder), str(self.folder)]
        line += ["--remount-ro", "/"]  # the root is a tmpfs without a limit
        for name, value in self.environment().items():
            line += ["--setenv", name, value]
        return [*line, "--", *inside]

    def environment(self) -> dict[str, str]:
        """The whole environment inside."""
        return {
            "HOME": "/tmp",
            "USER": "student",
            "LOGNAME": "student",
            "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "OMP_NUM_THREADS": "1",
            "MKL_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "PYTHONPATH": str(
                Path(course_utils.__file__).parent.parent
            ),  # of which only course_utils is inside
            "MPLBACKEND": "module://matplotlib_inline.backend_inline",
            "MPLCONFIGDIR": "/tmp/.matplotlib",
            "PYTHONDONTWRITEBYTECODE": "1",
            "PYTHONHASHSEED": "0",  # equal submissions, equal results
            "COURSE_BUDGET": "quick",
            "COURSE_PROGRESS": "0",
        }


def probe() -> None:
    """Make both walls once, around nothing.

    Raises:
        SandboxUnavailable: it does not start; the message says why and what to do.
    """
    import tempfile

    if sys.platform != "linux":
        raise SandboxUnavailable(
            f"the sandbox needs Linux (this is {sys.platform}). Grade in a Linux virtual machine or container, "
            "or with --unsafe if you trust every submission."
        )
    ours, theirs = socket.socketpair()
    with tempfile.TemporaryDirectory(prefix="cw-") as folder, ours, theirs:
        own = Path(folder) / "probe"
        own.mkdir()
        inside = [sys.executable, NURSERY_INSIDE, "--probe", str(own), str(theirs.fileno())]
        command = Box(Path(folder), Limits()).command(inside)
        result = subprocess.run(
            command,
            capture_output=True,
            text=True,
            timeout=60,
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
        )
    if result.returncode:
        raise SandboxUnavailable(
            f"the sandbox (bubblewrap) does not start: {result.stderr.strip()[-300:]}. {remedy(result.stderr)}"
        )


def remedy(refusal: str) -> str:
    """What to do about what bubblewrap said."""
    if Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").exists() and _reads(
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"
    ):
        return (
            "AppArmor forbids user namespaces to ordinary programs here: run as an administrator `sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0`, or give bwrap a profile that allows `userns`."
        )
    if _reads("/proc/sys/kernel/unprivileged_userns_clone", "0") or _reads(
        "/proc/sys/user/max_user_namespaces", "0"
    ):
        return (
            "User namespaces are switched off: run as an administrator `sysctl -w kernel.unprivileged_userns_clone=1 "
            "user.max_user_namespaces=15000`."
        )
    if "Operation not permitted" in refusal or "No permissions" in refusal:
        return "In a container, allow it to make namespaces (Docker: --security-opt seccomp=unconfined --cap-add SYS_ADMIN)."
    return "`coursework doctor` tells more; --unsafe grades without a sandbox if you trust every submission."


def _reads(path: str, value: str) -> bool:
    try:
        return Path(path).read_text().strip() == value
    except OSError:
        return False


def _knows(bwrap: str, option: str) -> bool:
    return option in subprocess.run([bwrap, "--help"], capture_output=True, text=True).stdout


def _system_paths() -> list[Path]:
    names = [
        "/usr",
        "/bin",
        "/sbin",
        "/lib",
        "/lib32",
        "/lib64",
        "/etc/ld.so.cache",
        "/etc/fonts",
        "/etc/localtime",
    ]
    return [Path(name) for name in names if Path(name).exists()]


def _python_paths(utils: Path) -> list[Path]:
    """The interpreter's folders and `course_utils`, outermost first, none twice, none inside /usr."""
    wanted = {Path(sys.prefix), Path(sys.base_prefix), Path(sys.exec_prefix), utils}
    wanted |= {Path(os.path.realpath(sys.executable)).parent.parent}
    chosen: list[Path] = []
    for path in sorted(wanted, key=lambda p: len(p.parts)):
        if not any(path.is_relative_to(other) for other in [Path("/usr"), *chosen]):
            chosen.append(path)
    return chosen


def _private_packages() -> list[str]:
    """Where the instructor's package was installed by copy: covered, since the bank holds answers."""
    folders = [*site.getsitepackages(), site.getusersitepackages()]
    return [str(Path(f) / "course_admin") for f in folders if (Path(f) / "course_admin").is_dir()]


def _parents(path: Path) -> list[str]:
    line = []
    for parent in reversed(path.parents):
        if str(parent) not in ("/", "/usr", "/etc", "/tmp"):
            line += ["--perms", "0755", "--dir", str(parent)]
    return line
