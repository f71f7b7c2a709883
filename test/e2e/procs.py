"""Processes under test: started with a deadline, their log followed, ended by their own pid."""
import contextlib
import os
import re
import shlex
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ADIT_BUILD", ROOT / "build/host")).resolve()
# What runs the binaries of another board, as "qemu-mips-static -cpu 24Kc".
RUNNER = shlex.split(os.environ.get("ADIT_RUNNER", ""))
# The gateway is a server program: always this machine's, whatever the agent's board.
GATEWAY_BUILD = Path(os.environ.get("ADIT_GATEWAY_BUILD", ROOT / "build/host")).resolve()

ADIT = [*RUNNER, str(BUILD / "adit")]
GATEWAY = [str(GATEWAY_BUILD / "adit-gateway")]

# A program that counts what it runs writes the counts at its end, which the filter would forbid.
UNFILTERED = ["--seccomp=no"] if BUILD.name.startswith("host-cov") else []

# Far beyond what any step takes on a busy machine: reaching it is the failure.
DEADLINE = 20.0

# Built with AddressSanitizer and UBSan.
SANITIZED = BUILD.name.startswith("host-asan")
# The search for leaks at the end is a thread, which the programs' filters forbid, and there is no
# heap. The status is none that a program has of its own.
os.environ.setdefault("ASAN_OPTIONS", "detect_leaks=0:exitcode=99")
REPORT = re.compile(r"Sanitizer|runtime error:")


def check_report(log):
    """What is printed by a sanitizer is a failure of whatever test has provoked it."""
    assert not REPORT.search(log), log


def clean_env(**more):
    """Nothing of the caller's ADIT_ variables reaches a program under test."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("ADIT_")}
    return {**env, **more}


def wait_until(condition, what, timeout=DEADLINE):
    """Polls; returns the condition's first true value."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, "gave up waiting for " + what
        time.sleep(0.01)


class Proc:
    """A running program whose standard error (and output) is gathered line by line. It ends with
    the test that started it, at the latest; with the run, where `shared`."""

    started = []
    shared = False

    def __init__(self, argv, env=None, cwd=None, stdin=subprocess.DEVNULL, pass_fds=()):
        self.argv = [str(a) for a in argv]
        self.lines = []
        self.news = threading.Condition()
        self.child = subprocess.Popen(self.argv, env=env or clean_env(), cwd=cwd,
                                      stdin=stdin, pass_fds=pass_fds, stdout=subprocess.PIPE,
                                      stderr=subprocess.STDOUT)
        Proc.started.append(self)
        self.reader = threading.Thread(target=self.follow, daemon=True)
        self.reader.start()

    def follow(self):
        for raw in self.child.stdout:
            with self.news:
                self.lines.append(raw.decode("utf-8", "replace").rstrip("\n"))
                self.news.notify_all()
        self.child.stdout.close()

    @property
    def pid(self):
        return self.child.pid

    def log(self, since=0):
        with self.news:
            return "\n".join(self.lines[since:])

    def mark(self):
        """A place in the log, for wait_for_log's `since`."""
        with self.news:
            return len(self.lines)

    def wait_for_log(self, pattern, since=0, timeout=DEADLINE):
        """The first match of the pattern in a line from `since` on."""
        regex, end, at = re.compile(pattern), time.monotonic() + timeout, since
        with self.news:
            while True:
                while at < len(self.lines):
                    match = regex.search(self.lines[at])
                    if match:
                        return match
                    at += 1
                left = end - time.monotonic()
                if left <= 0 or (self.child.poll() is not None and not self.reader.is_alive()):
                    break
                self.news.wait(min(left, 0.2))
        raise AssertionError("no line /%s/ from %s; its log:\n%s"
                             % (pattern, self.argv[0], self.log(since)))

    def running(self):
        return self.child.poll() is None

    def send(self, number):
        self.child.send_signal(number)

    def wait(self, timeout=DEADLINE):
        """Its exit status, its log complete."""
        status = self.child.wait(timeout)
        self.reader.join(timeout)
        return status

    def stop(self, number=signal.SIGTERM):
        """Ends it and returns the exit status."""
        if self.running():
            self.send(number)
        try:
            status = self.wait(8)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError("%s did not end on signal %d" % (self.argv[0], number)) from None
        self.check_log()
        return status

    def stop_well(self):
        status = self.stop()
        assert status == 0, "ended with %d; its log:\n%s" % (status, self.log()[-3000:])

    def kill(self):
        if self.running():
            self.child.kill()
        self.wait()
        self.check_log()

    def check_log(self):
        """Called when it has ended."""
        check_report(self.log())

    def status(self, field):
        """A number of /proc/PID/status, as VmRSS (kB)."""
        text = Path("/proc/%d/status" % self.pid).read_text()
        return int(re.search(r"^%s:\s+(\d+)" % field, text, re.M).group(1))

    def cpu_seconds(self):
        fields = Path("/proc/%d/stat" % self.pid).read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(argv, timeout=DEADLINE, env=None, stdin=b""):
    """To the end: (status, output, errors)."""
    done = subprocess.run([str(a) for a in argv], input=stdin, env=env or clean_env(),
                          capture_output=True, timeout=timeout, check=False)
    check_report(done.stderr.decode())
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def kill_all(procs):
    """The youngest first; one that fails to end keeps none of the others."""
    with contextlib.ExitStack() as ends:
        for proc in procs:
            ends.callback(proc.kill)
