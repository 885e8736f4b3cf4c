"""What only the Linux kernel can promise: children that die with their parent, orphans that come back, one capability.

On other systems the functions do nothing; the supervisor's records of pids then do the work alone.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_SET_CHILD_SUBREAPER = 36
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2

LINUX = sys.platform == "linux"
libc = ctypes.CDLL(None, use_errno=True)


def adopt_orphans() -> None:
    """Grandchildren whose parent died become our children, so that none is ever lost."""
    if LINUX:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def prepare(death: signal.Signals, user: str | None, may_search: bool) -> Callable[[], None]:
    """What a child does between fork and exec: drop to ``user``, and ask to be sent ``death`` when we die.

    With ``may_search`` the user may pass through folders that are closed to it (a checkout below ``/root``).
    """
    account = pwd.getpwnam(user) if user else None

    def run() -> None:
        if account:
            drop_to(account.pw_uid, account.pw_gid, may_search=may_search and LINUX)
        if LINUX:
            libc.prctl(PR_SET_PDEATHSIG, int(death), 0, 0, 0)

    return run


def drop_to(uid: int, gid: int, *, may_search: bool) -> None:
    """Become another user for good; ``may_search`` keeps the one capability to read and search any folder."""
    if may_search:
        # Else the kernel takes the capability away on setuid, and from access(2), which PostgreSQL asks about itself.
        libc.prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    if may_search and not keep(CAP_DAC_READ_SEARCH):
        keep(CAP_DAC_OVERRIDE)  # Containers usually grant only this one.


def keep(capability: int) -> bool:
    """Carry ``capability``, and no other, through the coming exec; says whether the kernel agreed."""
    mask = 1 << capability
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    # Two triples of effective, permitted and inheritable: capabilities 0 to 31, then 32 to 63.
    data = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
    if libc.capset(header, data) != 0:
        return False
    return bool(libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0) == 0)
