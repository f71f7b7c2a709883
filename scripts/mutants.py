"""mutants.py list | random: do the tests notice when the code is wrong?

list: the mistakes of test/mutants/list.txt, each with the tests that must fail for it.
random: mistakes of a machine, by SEED: operators, constants and conditions are changed, calls left
out. Those that the compiler makes the same code of do not count, nor arrays made longer, which
nothing can see. Unit tests have to notice it, of whose program the file is a part, those with a
name like its own first; with E2E=1 else those end-to-end tests that concern the file, and with
E2E=all after them the others.

    SEED=1 FROM=0 COUNT=100      a hundred of a shuffled list, where an earlier run has ended
    LAYERS='core net' FILES=RE   of these folders of src; of files that a regular expression finds
    AGAIN=FILE                   those that stand in a file, as printed

It works on a copy of the tree in build/mutants, with sanitizers, one mistake at a time. Ends with 1
if one survived that test/mutants/survivors.txt does not explain.
"""
import collections
import concurrent.futures
import contextlib
import filecmp
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOARD = "host-asan"
# Beyond what they take on a busy machine: a mistake that makes one turn for ever is noticed.
UNIT_TIMEOUT_S = 90
E2E_TIMEOUT_S = 900

# Which end-to-end files concern a file of src, and which cannot see the agent or the gateway.
CONCERN = [
    ("agent/(main|config|identity)", "options identity agent secrets"),
    ("agent/token", "secrets agent options"),
    ("agent/(agent|connect)", "agent addresses patience watchdog frozen sandbox"),
    ("agent/gateway_trust", "trust agent mtls"),
    ("agent/tunnel_io", "agent messages hostile frozen patience streams"),
    ("agent/(request|response|local|record)", "local reuse bodies upgrade patience broken agent"),
    ("gateway/(main|config|certificate)", "options certificate reload gateway sandbox mtls"),
    ("gateway/(gateway|turn|accept|limit|peers|cidr)",
     "limits options gateway fairness gone slow reload"),
    ("gateway/(conn|schedule|buffer)", "gateway gone fairness slow windows broken"),
    ("gateway/(request|stream|response|visitor)",
     "gateway smuggling bodies visitors broken streams upgrade"),
    ("gateway/(forward|cookie|date|page)", "fields gateway http_table"),
    ("gateway/tunnel",
     "foreign_agents gateway fairness limits windows plain streams hostile reload"),
    ("codec/(http|uri|ascii)|core/(http|relay)", "smuggling bodies http_table fields visitors"),
    ("codec/json", "json_check messages"),
    ("codec/ws", "ws_echo upgrade"),
    ("codec/(der|san)|net/(trust|tls|pem|signature|mtls)", "trust zoo mtls certificate records"),
    ("core/(exchange|upgrade)", "local reuse upgrade patience"),
    ("core/(visit|window|ring|wheel)", "gateway slow windows broken streams"),
    ("core/(session|link|credit)|codec/wire", "messages foreign_agents streams hostile plain"),
    ("net/(resol|origin|dial|sock)|codec/(ip|dns)", "addresses local agent"),
    ("sys", "options sandbox agent gateway"),
]
BLIND = {
    "agent": "certificate fixtures foreign_agents json_check tiny vectors visitors ws_echo zoo",
    "gateway": "addresses fixtures frozen identity json_check local messages reuse tiny trust "
               "vectors watchdog ws_echo zoo",
}
# What they run of a mistake's layer, where not all of them.
PROGRAMS = {"agent": ["adit"], "gateway": ["adit-gateway"]}


def run(argv, cwd, timeout=None, **env):
    """Whether it ended well in time, and what it said. Nothing that it has started is left."""
    with subprocess.Popen(argv, cwd=cwd, env={**os.environ, **env}, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors="replace", start_new_session=True) as child:
        try:
            said = child.communicate(timeout=timeout)[0]
        except subprocess.TimeoutExpired:
            child.kill()
            said = ""
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(child.pid, signal.SIGKILL)
    return child.returncode == 0, said


def copy_changed(source, target):
    """One that was another has a new time, so that make sees it."""
    if not os.path.exists(target):
        shutil.copy2(source, target)
    elif not filecmp.cmp(source, target, shallow=False):
        shutil.copy(source, target)


class Tree:
    """The copy, its build and its tests."""

    def __init__(self, folder):
        self.path, self.out = folder / "tree", folder / "out"
        for path in sorted(self.path.rglob("*"), reverse=True):
            same = ROOT / path.relative_to(self.path)
            if not path.is_symlink() and not same.exists():
                path.rmdir() if path.is_dir() else path.unlink()
        shutil.copytree(ROOT, self.path, dirs_exist_ok=True, copy_function=copy_changed,
                        ignore=shutil.ignore_patterns("build", ".git", "__pycache__", ".*_cache"))
        if not (self.path / "build").exists():
            (self.path / "build").symlink_to(ROOT / "build")

    def make(self, *targets):
        """Whether it builds."""
        return run(["make", "-s", "-j2", "-C", self.path, "BOARD=" + BOARD, "OUT=%s" % self.out,
                    *targets], self.path)[0]

    def target(self, *parts):
        return str(self.out.joinpath(BOARD, *parts))

    def object(self, path):
        """Of a source."""
        return pathlib.Path(self.target("obj", str(path.with_suffix(".o"))))

    def pytest(self, *argv):
        """Which tests have failed; one without a name where there was another end."""
        build = str(self.out / BOARD)
        good, said = run(["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                          *argv], self.path, E2E_TIMEOUT_S,
                         ADIT_BUILD=build, ADIT_GATEWAY_BUILD=build)
        return [] if good else re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", said, re.M) or [""]

    def unit(self, name):
        """None: it does not build."""
        program = self.target("test", name)
        return run([program], self.path, UNIT_TIMEOUT_S)[0] if self.make(program) else None

    def e2e(self, file, select=""):
        if not self.make("all"):
            return None
        return not self.pytest("test/e2e/" + file, *(["-k", select] if select else []))

    def run(self, test):
        kind, name, *select = test.split(" ", 2)
        return self.unit(name) if kind == "unit" else self.e2e(name, *select)


# ---- a list of mistakes ----

def read_list():
    for block in (ROOT / "test/mutants/list.txt").read_text().split("\n\n"):
        lines = [line for line in block.splitlines() if not line.startswith("#")]
        if not lines:
            continue
        field = dict(line.split(" ", 1) for line in lines[1:4])
        yield lines[0], field["file"], field["-"], field["+"], lines[4:]


def run_list(tree):
    """Each test must pass without any mistake, and fail with its own."""
    mutants = list(read_list())
    tests = sorted({test for mutant in mutants for test in mutant[4]})
    bad = [test for test in tests if tree.run(test) is not True]
    for test in bad:
        print("not ok - without a mistake:", test, flush=True)
    for name, file, old, new, tests in mutants:
        path = tree.path / file
        text = path.read_text()
        if text.count(old) != 1:
            bad.append(name)
            print("not ok - %s: its text stands %d times in %s" % (name, text.count(old), file))
            continue
        path.write_text(text.replace(old, new))
        for test in tests:
            result = tree.run(test)
            word = {None: "does not build", True: "survives", False: "killed by"}[result]
            if result is not False:
                bad.append(name)
            print("%sok - %s: %s %s" % ("" if result is False else "not ", name, word, test),
                  flush=True)
        path.write_text(text)
    print("%d mistakes, %d not noticed" % (len(mutants), len(bad)))
    return not bad


# ---- mistakes of a machine ----

SWAPS = {"==": ["!="], "!=": ["=="], "<": ["<="], "<=": ["<"], ">": [">="], ">=": [">"],
         "+": ["-"], "-": ["+"], "&&": ["||"], "||": ["&&"], "+=": ["-="], "-=": ["+="],
         "true": ["false"], "false": ["true"], "++": ["--"], "--": ["++"]}
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/'
                   r"|->|\+\+|--|<<=?|>>=?|[=!<>+-]=|&&|\|\||[A-Za-z_]\w*|\d\w*|\s+|.", re.S)
CALL = re.compile(r"^ {4,}([a-z_]\w*\([^;{}]*\));$", re.M)
CONDITION = re.compile(r"\b(if|while) \((?=\S)")
ARRAY = re.compile(r"^ *(?:static |const )*(?:struct )?\w+ \*?\w+\[\d+\](?:\[\d+\])*(?:;| =)", re.M)


def mutations(text):
    """All (start, end, new) of a file: of function bodies only."""
    body, depth = [], 0
    arrays = [match.span() for match in ARRAY.finditer(text)]
    for match in TOKEN.finditer(text):
        token = match.group()
        depth += (token == "{") - (token == "}")
        line_start = text.rfind("\n", 0, match.start()) + 1
        if depth > 0 and not text.startswith(("#", "_Static"), line_start):
            around = text[match.start() - 1:match.start()] == " " and \
                text[match.end():match.end() + 1] == " "
            for new in SWAPS.get(token, []):
                if token.isalpha() or token in ("++", "--") or around:
                    body.append((match.start(), match.end(), new))
            if re.fullmatch(r"\d+", token) and \
                    not any(a <= match.start() < b for a, b in arrays):
                body.append((match.start(), match.end(), str(int(token) + 1)))
    for match in CALL.finditer(text):
        body.append((match.start(1), match.end(1), "(void)0"))
    for match in CONDITION.finditer(text):
        body.append((match.end(), match.end(), "!"))
    return body


def all_mutations(layers):
    for layer in layers:
        for path in sorted((ROOT / "src" / layer).glob("*.c")):
            for mutation in mutations(path.read_text()):
                yield (layer, path.relative_to(ROOT), *mutation)


def shown(text, start, end, new):
    """The line before and after, as one of survivors.txt."""
    line_start = text.rfind("\n", 0, start) + 1
    line_end = text.find("\n", end)
    return "%s  =>  %s" % (text[line_start:line_end].strip(),
                           (text[line_start:start] + new + text[end:line_end]).strip())


def code(tree, path):
    """The object's code, without what says where it came from; None when it does not build."""
    if not tree.make(tree.object(path)):
        return None
    return subprocess.run(["objdump", "-dr", "--no-show-raw-insn", tree.object(path)],
                          capture_output=True, check=True).stdout.split(b"\n", 3)[3]


class Tests:
    """Which tests may notice a mistake in a file, and whether they do."""

    def __init__(self, tree):
        self.tree = tree
        self.uses = {}  # name of a program: the objects that it calls, and those that they call
        defined, wanted = collections.defaultdict(set), collections.defaultdict(set)
        objects = tree.object(pathlib.Path("src")).parent
        listed = subprocess.run(["nm", "-gA", *objects.rglob("*.o")], capture_output=True,
                                check=True, text=True).stdout
        for line in listed.splitlines():
            name, _, rest = line.partition(":")
            *_, kind, symbol = rest.split()
            (wanted if kind == "U" else defined)[os.path.relpath(name, objects)].add(symbol)
        home = {symbol: name for name, symbols in defined.items() if name.startswith("src/")
                for symbol in symbols}
        for name in [n for n in wanted if n.startswith(("test/unit/test_", "test/fuzz/fuzz_"))]:
            found, queue = set(), {name}
            while queue:
                one = queue.pop()
                found.add(one)
                queue |= {home[symbol] for symbol in wanted[one] - defined[name]
                          if symbol in home} - found
            self.uses[pathlib.Path(name).stem] = found

    def unit(self, path):
        """First those that are named like the file, or begin as it does."""
        stem = path.stem

        def distance(program):
            name = program[5:]
            alike = name.startswith(stem) or stem.startswith(name)
            return name != stem, not alike, -len(os.path.commonprefix([name, stem])), program
        part = str(path.with_suffix(".o").relative_to("."))
        return sorted((n for n, objects in self.uses.items() if part in objects), key=distance)

    def e2e(self, path):
        """Files that concern it, and the others that may see it."""
        first = next((names.split() for pattern, names in CONCERN
                      if re.match(pattern, "/".join(path.parts[1:]).removesuffix(".c"))), [])
        names = sorted(p.stem[5:] for p in (self.tree.path / "test/e2e").glob("test_*.py"))
        blind = first + BLIND.get(path.parts[1], "fixtures tiny vectors").split()
        rest = [name for name in names if name not in blind]
        return [["test/e2e/test_%s.py" % name for name in some] for some in (first, rest) if some]

    def failing_unit(self, path):
        """The name of one that fails, or None: a few at a time, then more."""
        names, some = self.unit(path), 2
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            while names:
                now, names, some = names[:some], names[some:], some * 2
                programs = [self.tree.target("test", name) for name in now]
                if not self.tree.make(*programs):
                    sys.exit("cannot link " + " ".join(now))
                jobs = [pool.submit(run, [program], self.tree.path, UNIT_TIMEOUT_S)
                        for program in programs]
                for name, job in zip(now, jobs):
                    if not job.result()[0]:
                        pool.shutdown(cancel_futures=True)
                        return name
        return None

    def failing_e2e(self, path):
        """A test that fails twice: on a busy machine one may fail by chance. Not those that need
        the machine for themselves."""
        programs = [self.tree.target(name) for name in PROGRAMS.get(path.parts[1], [])]
        if not self.tree.make(*programs or ["all"]):
            sys.exit("cannot link the programs")
        for files in self.e2e(path)[:1 if os.environ["E2E"] == "1" else 2]:
            for _ in range(3):
                failed = self.tree.pytest("-n", "3", "--dist", "loadfile", "-m", "not alone",
                                          *files)
                if not failed:
                    break
                again = [test for test in failed if not test or self.tree.pytest(test)]
                if again:
                    return again[0] or "no end"
        return None

    def failing(self, path):
        """(kind, name), or None."""
        name = self.failing_unit(path)
        if name:
            return "unit", name
        name = self.failing_e2e(path) if os.environ.get("E2E") else None
        return ("e2e", name) if name else None

    def healthy(self, killers):
        """Whether those that have failed for mistakes pass without one."""
        units = [self.tree.target("test", name) for kind, name in killers if kind == "unit"]
        ends = sorted(name for kind, name in killers if kind == "e2e" and name != "no end")
        return self.tree.make("all", *units) and \
            all(run([program], self.tree.path, UNIT_TIMEOUT_S)[0] for program in units) and \
            (not ends or not self.tree.pytest(*ends))


def chosen():
    """(layer, path, start, end, new) in the order in which they are tried."""
    layers = os.environ.get("LAYERS", "codec core net sys agent gateway").split()
    only = re.compile(os.environ.get("FILES", ""))
    every = [m for m in all_mutations(layers) if only.search(str(m[1]))]
    if "AGAIN" in os.environ:
        again = pathlib.Path(os.environ["AGAIN"]).read_text()
        return [m for m in every if line_of((ROOT / m[1]).read_text(), *m[1:]) in again]
    random.Random(int(os.environ.get("SEED", "1"))).shuffle(every)
    return every[int(os.environ.get("FROM", "0")):]


def line_of(text, path, *mutation):
    return "%s: %s" % (path, shown(text, *mutation))


def run_random(tree):
    count = int(os.environ.get("COUNT", "100"))
    known = (ROOT / "test/mutants/survivors.txt").read_text()
    if not tree.make("tests", "all"):
        sys.exit("does not build")
    tests, tried, killers = Tests(tree), 0, set()
    score = collections.defaultdict(collections.Counter)
    mutants = chosen()
    for layer, path, start, end, new in mutants:
        if sum(sum(c.values()) for c in score.values()) >= count:
            break
        tried += 1
        file, text, before = tree.path / path, (tree.path / path).read_text(), code(tree, path)
        whole = tree.object(path).read_bytes()
        file.write_text(text[:start] + new + text[end:])
        after = code(tree, path)
        if after is not None and after != before:
            line, by = line_of(text, path, start, end, new), tests.failing(path)
            word = by[0] if by else "explained" if line in known else "SURVIVED"
            score[layer][word] += 1
            killers |= {by} if by else set()
            print("%-9s %s  (%s)" % (word, line, by[1] if by else
                                     "line %d" % (text.count("\n", 0, start) + 1)), flush=True)
        file.write_text(text)
        tree.object(path).write_bytes(whole)
    for layer, counts in score.items():
        print("%-8s %4d made: %d killed by unit tests, %d by end-to-end tests, %d explained, "
              "%d survived" % (layer, sum(counts.values()), counts["unit"], counts["e2e"],
                               counts["explained"], counts["SURVIVED"]))
    print("the next is FROM=%d of %d" % (int(os.environ.get("FROM", "0")) + tried,
                                         int(os.environ.get("FROM", "0")) + len(mutants)))
    if not tests.healthy(killers):
        sys.exit("one of the tests fails without a mistake")
    return not sum(counts["SURVIVED"] for counts in score.values())


def main():
    folder = ROOT / "build/mutants"
    folder.mkdir(parents=True, exist_ok=True)
    tree = Tree(folder)
    sys.exit(0 if (run_list if sys.argv[1:] == ["list"] else run_random)(tree) else 1)


if __name__ == "__main__":
    main()
