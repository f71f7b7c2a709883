"""Network namespaces of a test's own, and the path between two of them (test/tools/path.c).

A namespace lives as long as a process that does nothing in it, and goes with that. Sockets stay in
the namespace that they were made in, so that a test can serve and visit in it by itself.
"""
import contextlib
import ctypes
import os
import re
import shutil
import subprocess

from procs import Proc, clean_env, wait_until

os.environ["PATH"] += ":/usr/sbin:/sbin"
LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNET = 0x40000000


def may():
    """Can this process make network namespaces, with devices in them?"""
    return (os.geteuid() == 0 and os.path.exists("/dev/net/tun") and shutil.which("ip") is not None
            and subprocess.run(["unshare", "--net", "--mount", "true"], check=False,
                               stderr=subprocess.DEVNULL).returncode == 0)


def setns(fd):
    if LIBC.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


class Namespace:
    """With `etc`, a folder, programs in it see that as /etc."""

    def __init__(self, etc=None):
        self.holder = Proc(["unshare", "--net", "--mount", "sleep", "infinity"])
        self.path = "/proc/%d/ns/net" % self.holder.pid
        self.mounts = "/proc/%d/ns/mnt" % self.holder.pid
        # It is in its namespaces, and what is mounted there is seen nowhere else, once it sleeps.
        wait_until(self.sleeps, "a namespace")
        if etc:
            self.run("mount", "--bind", etc, "/etc")
        self.run("ip", "link", "set", "lo", "up")

    def sleeps(self):
        with open("/proc/%d/comm" % self.holder.pid) as f:
            return f.read() == "sleep\n"

    def argv(self, *command):
        return ["nsenter", "--net=" + self.path, "--mount=" + self.mounts, *map(str, command)]

    def run(self, *command):
        return subprocess.run(self.argv(*command), check=True, env=clean_env(),
                              stdout=subprocess.PIPE).stdout.decode()

    def start(self, *command):
        return Proc(self.argv(*command))

    def set(self, **sysctl):
        """As net_ipv4_ip_forward=1."""
        for name, value in sysctl.items():
            self.run("sh", "-c", "echo %s > /proc/sys/%s" % (value, name.replace("__", "/")))

    @contextlib.contextmanager
    def inside(self):
        """Sockets that this thread makes meanwhile are in the namespace."""
        own, its = os.open("/proc/thread-self/ns/net", os.O_RDONLY), os.open(self.path, os.O_RDONLY)
        try:
            setns(its)
            yield
        finally:
            setns(own)
            os.close(own)
            os.close(its)

    def listens(self, port):
        return ":%04X " % port in "".join(
            line for line in self.run("cat", "/proc/net/tcp", "/proc/net/tcp6").splitlines(True)
            if " 0A " in line)

    def wait_listen(self, port):
        wait_until(lambda: self.listens(port), "port %d" % port)


def path_tool(folder):
    """The program: $PATH_TOOL, or built here."""
    if "PATH_TOOL" in os.environ:
        return os.environ["PATH_TOOL"]
    program = folder / "path"
    source = os.path.join(os.path.dirname(__file__), "../tools/path.c")
    subprocess.run(["cc", "-std=c11", "-D_GNU_SOURCE", "-O2", "-o", program, source], check=True)
    return program


class LongPath(Proc):
    """Packets from `there` to `back` and back, on a device "path" in each."""

    def __init__(self, program, there, back, **values):
        super().__init__([program, there.path, back.path, *words(values)], stdin=subprocess.PIPE)
        self.wait_for_log("ready")

    def set(self, **values):
        """At once; when it was done, as time.monotonic() counts."""
        since = self.mark()
        self.child.stdin.write((" ".join(words(values)) + "\n").encode())
        self.child.stdin.flush()
        return float(self.wait_for_log("done at (.*)", since).group(1))

    def wait_cut(self, since=0):
        """When it was cut by itself (after=N)."""
        return float(self.wait_for_log("^cut at (.*)", since).group(1))

    def check_log(self):
        assert not re.search("^path: ", self.log(), re.M), self.log()


def words(values):
    return ["%s=%d" % item for item in values.items()]
