"""What this machine offers: tools, processors, and who else is using it."""

import os
import platform
import shutil
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Tools:
    """Paths of the tools that are used, or None: then our own take their place."""

    wrk: str | None
    nginx: str | None
    server_cpus: frozenset[int]
    load_cpus: frozenset[int]

    def describe(self) -> str:
        load = "wrk" if self.wrk else "our own client (no wrk)"
        upstream = "nginx" if self.nginx else "our own server (no nginx)"
        pinning = "nothing is pinned"
        if self.server_cpus != self.load_cpus:
            pinning = (
                f"the server under test on {shown(self.server_cpus)}, all else on "
                f"{shown(self.load_cpus)}"
            )
        return f"Load: {load}. Upstream: {upstream}. Processors: {pinning}."


def find_tools(*, plain: bool) -> Tools:
    """`plain` leaves wrk and nginx aside even where they are installed."""
    cpus = usable_cpus()
    servers, load = cpus, cpus
    if len(cpus) > 1:
        servers = frozenset({min(cpus)})
        load = cpus - servers
    if plain:
        return Tools(None, None, servers, load)
    # Debian keeps nginx in /usr/sbin, which is not on everybody's PATH.
    path = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin"
    return Tools(shutil.which("wrk"), shutil.which("nginx", path=path), servers, load)


def usable_cpus() -> frozenset[int]:
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset()


def pin(pid: int, cpus: frozenset[int]) -> None:
    """Let a process, and what it starts from now on, run on these only. 0: this one."""
    if cpus and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, cpus)


def facts() -> dict[str, object]:
    """For the results file: numbers of two machines are not to be compared."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "cpus": len(usable_cpus()) or os.cpu_count(),
        "load_average": os.getloadavg() if hasattr(os, "getloadavg") else None,
    }


def shown(cpus: frozenset[int]) -> str:
    return ",".join(str(cpu) for cpu in sorted(cpus))
