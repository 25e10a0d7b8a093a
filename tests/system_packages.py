"""What the tests need of Debian: `python -m tests.system_packages` installs what is missing, as root.

Elsewhere it says the line to run, and the tests that need a program then fail with the same line.
"""

import os
import shutil
import subprocess
import sys

PROGRAMS = {
    "conmon": "conmon",
    "docker-registry": "docker-registry",
    "faketime": "faketime",
    "mmdebstrap": "mmdebstrap",
    "netavark": "netavark",
    "podman": "podman",
    "runc": "runc",
    "skopeo": "skopeo",
}
"""Which package has which program."""

OTHERS = ("aardvark-dns", "iptables")
"""Packages that podman's networks need beside those."""

FOLDERS = ("/usr/sbin", "/usr/lib/podman")
"""Where Debian keeps programs that are not on every PATH."""


def missing() -> list[str]:
    """Return the packages whose program is not here."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *FOLDERS])
    return [package for program, package in PROGRAMS.items() if shutil.which(program, path=path) is None]


def line() -> str:
    """Return the command that installs all of them."""
    packages = " ".join([*PROGRAMS.values(), *OTHERS])
    return f"sudo apt-get install --no-install-recommends {packages}"


def install() -> bool:
    """Install what is missing and may be; say whether everything is here now."""
    if missing() and os.geteuid() == 0 and shutil.which("apt-get"):
        install = ["apt-get", "install", "--yes", "--quiet", "--no-install-recommends"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["apt-get", "update", "--quiet"], [*install, *PROGRAMS.values(), *OTHERS]):
            subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    return not missing()


if __name__ == "__main__" and not install():
    sys.stderr.write(f"Some tests need {', '.join(missing())}, and will fail without. Run: {line()}\n")
