"""A kernel inside bubblewrap: no network, a read-only system, private temporary folders, limits on what it uses.

The sandbox sees the Python installation and `course_utils`; not the course folder, the gradebook, other submissions or the
home folder. Started by root, the kernel runs as a user of its own that owns nothing; started by anyone else, in a user
namespace.
"""

import os
import random
import shutil
import site
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jupyter_client.provisioning import LocalProvisioner
from traitlets import Dict

import course_utils
from course_admin.grading.limits import Limits

ISOLATION = (
    "--unshare-pid --unshare-net --unshare-ipc --unshare-uts --unshare-cgroup-try "
    "--die-with-parent --new-session --hostname grading --clearenv"
)
PRIVILEGES = "--clear-groups --no-new-privs --bounding-set=-all"
FIRST_UID, UIDS = 1_000_000, 900_000_000
HIDDEN_MODELS = Path(__file__).with_name("hidden_models")


class SandboxUnavailable(RuntimeError):
    """Student code cannot be isolated on this machine; the message says why and what to do."""


@dataclass(frozen=True)
class Box:
    """What one sandbox is made of.

    Attributes:
        folder: host folder that holds the connection file and the sockets; writable inside under the same path.
        hide_models: put a refusal in the place of `course_utils.models`.
    """

    folder: Path
    limits: Limits
    hide_models: bool = True

    def command(self, kernel: list[str], uid: int | None = None) -> list[str]:
        """The `bwrap` command line that runs `kernel` inside.

        Args:
            uid: user to become; only root can, others stay who they are in a user namespace.
        """
        bwrap = shutil.which("bwrap")
        if bwrap is None:
            raise SandboxUnavailable(
                "bubblewrap is not installed. Install it (Debian, Ubuntu: apt install bubblewrap; Fedora: dnf install …) "
                "or grade with --unsafe if you trust every submission."
            )
        line = [bwrap, *ISOLATION.split()]
        if uid is None:
            line += ["--unshare-user"]
            line += ["--disable-userns"] if _knows(bwrap, "--disable-userns") else []
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
        if self.hide_models and (utils / "models").is_dir():
            line += ["--ro-bind", str(HIDDEN_MODELS), str(utils / "models")]
        line += ["--bind", str(self.folder), str(self.folder)]
        line += ["--perms", "0777", "--dir", "/tmp/work", "--chdir", "/tmp/work"]
        line += [
            "--remount-ro",
            "/",
        ]  # the root is a tmpfs without a limit, and a student's own without a uid
        for name, value in self.environment().items():
            line += ["--setenv", name, value]
        if uid is not None:
            line += ["setpriv", f"--reuid={uid}", f"--regid={uid}", *PRIVILEGES.split()]
        return [*line, *self._limits(), "--", *kernel]

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
            "COURSE_BUDGET": "quick",
            "COURSE_PROGRESS": "0",
        }

    def _limits(self) -> list[str]:
        total_cpu = int(50 * self.limits.cell_cpu_s)
        mebibyte = 2**20
        return [
            "prlimit",
            f"--as={self.limits.address_space_mb * mebibyte}",
            f"--cpu={total_cpu}",
            f"--fsize={self.limits.file_mb * mebibyte}",
            f"--nproc={self.limits.processes}",
            "--nofile=1024",
            "--core=0",
        ]


class SandboxProvisioner(LocalProvisioner):
    """Starts a kernel inside a `Box`. Named `course-sandbox` among jupyter_client's kernel provisioners."""

    box = Dict(help="folder, limits and hide_models of the Box, as plain values").tag(config=True)

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        kwargs = await super().pre_launch(**kwargs)
        box = Box(
            folder=Path(self.box["folder"]),
            limits=Limits.from_dict(self.box["limits"]),
            hide_models=self.box["hide_models"],
        )
        uid = None
        if os.geteuid() == 0:
            uid = FIRST_UID + random.SystemRandom().randrange(UIDS)
            for path in (box.folder, *box.folder.iterdir()):
                os.chown(path, uid, uid)
        kwargs["cmd"] = box.command(kwargs["cmd"], uid)
        kwargs["env"] = {}  # bwrap itself is process 1 inside, where /proc/1/environ could be read
        kwargs["stdin"] = kwargs["stdout"] = kwargs["stderr"] = subprocess.DEVNULL
        return kwargs


def probe() -> None:
    """Run `true` in a sandbox.

    Raises:
        SandboxUnavailable: it does not start; the message says why and what to do.
    """
    import tempfile

    if sys.platform != "linux":
        raise SandboxUnavailable(
            f"the sandbox needs Linux (this is {sys.platform}). Grade in a Linux virtual machine or container, "
            "or with --unsafe if you trust every submission."
        )
    with tempfile.TemporaryDirectory(prefix="cw-") as folder:
        uid = FIRST_UID if os.geteuid() == 0 else None
        command = Box(Path(folder), Limits()).command([sys.executable, "-c", "import encodings"], uid)
        result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    if result.returncode:
        raise SandboxUnavailable(
            f"bubblewrap does not start: {result.stderr.strip()[-300:]}. {remedy(result.stderr)}"
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
