"""mutants.py list | random: do the tests notice when the code is wrong?

list: the mistakes of test/mutants/list.txt, each with the tests that must fail for it.
random: mistakes of a machine, COUNT of them by SEED, in LAYERS, or in the files that FILES (a
regular expression) matches: operators, constants and conditions are changed, calls left out. Those
that the compiler makes the same code of do not count, nor arrays made longer, which nothing can
see. All unit tests are run against each, and with E2E=1 against survivors the end-to-end ones.

It works on a copy of the tree, with sanitizers, one mistake at a time. Ends with 1 if one survived
that test/mutants/survivors.txt does not explain.
"""
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
BOARD = "host-asan"
TIMEOUT_S = 900


class Tree:
    """The copy, its build and its tests."""

    def __init__(self, folder):
        self.path = pathlib.Path(folder) / "tree"
        self.out = pathlib.Path(folder) / "out"
        shutil.copytree(ROOT, self.path, symlinks=True,
                        ignore=shutil.ignore_patterns("build", ".git", "__pycache__"))
        (ROOT / "build").mkdir(exist_ok=True)
        (self.path / "build").symlink_to(ROOT / "build")

    def make(self, *targets):
        """Its output, or None when it fails."""
        done = subprocess.run(["make", "-s", "-j2", "-C", self.path, "BOARD=" + BOARD,
                               "OUT=%s" % self.out, *targets],
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return done.stdout if done.returncode == 0 else None

    def target(self, *parts):
        return str(self.out.joinpath(BOARD, *parts))

    def passes(self, argv, **env):
        try:
            return subprocess.run(argv, cwd=self.path, timeout=TIMEOUT_S, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  env={**os.environ, **env}).returncode == 0
        except subprocess.TimeoutExpired:
            return False

    def unit(self, name):
        """None: it does not build."""
        program = self.target("test", name)
        return self.passes([program]) if self.make(program) is not None else None

    def e2e(self, file, select=""):
        """All of them without a file, but for those that need the machine for themselves."""
        argv = ["/usr/bin/python3", "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider",
                "test/e2e/" + file, *(["-k", select] if select else []),
                *([] if file else ["-n", "3", "--dist", "loadfile", "-m", "not alone"])]
        if self.make("all") is None:
            return None
        build = str(self.out / BOARD)
        return self.passes(argv, ADIT_BUILD=build, ADIT_GATEWAY_BUILD=build)

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
    """The object's code, without what says where it came from."""
    obj = tree.target("obj", str(path.with_suffix(".o")))
    if tree.make(obj) is None:
        return None
    return subprocess.run(["objdump", "-dr", "--no-show-raw-insn", obj], capture_output=True,
                          check=True).stdout


def unit_tests(tree, path):
    """All that may notice, first those that are named like the file, or begin as it does."""
    names = [p.stem[5:] for p in (tree.path / "test/unit").glob("test_*.c")]
    if path.parts[1] == "gateway":
        names = [n for n in names if (tree.path / "src/gateway" / (n + ".c")).exists()]
    stem = path.stem

    def distance(name):
        common = os.path.commonprefix([name, stem])
        alike = name.startswith(stem) or stem.startswith(name)
        return name != stem, not alike, -len(common), name
    return sorted(names, key=distance)


def killed(tree, path):
    """Who noticed it: a test's name, or None."""
    for name in unit_tests(tree, path):
        if tree.unit("test_" + name) is False:
            return name
    if os.environ.get("E2E") == "1" and tree.e2e("") is False:
        return "e2e"
    return None


def run_random(tree):
    seed, count = int(os.environ.get("SEED", "1")), int(os.environ.get("COUNT", "100"))
    layers = os.environ.get("LAYERS", "codec core net sys agent gateway").split()
    only = re.compile(os.environ.get("FILES", ""))
    known = (ROOT / "test/mutants/survivors.txt").read_text()
    chosen = [m for m in all_mutations(layers) if only.search(str(m[1]))]
    random.Random(seed).shuffle(chosen)
    score = {layer: [0, 0, 0] for layer in layers}
    tree.make("tests")
    if os.environ.get("E2E") == "1" and tree.e2e("") is not True:
        sys.exit("the end-to-end tests fail without a mistake")
    for layer, path, start, end, new in chosen:
        if sum(map(sum, score.values())) >= count:
            break
        file = tree.path / path
        text = file.read_text()
        before = code(tree, path)
        file.write_text(text[:start] + new + text[end:])
        after = code(tree, path)
        if after is not None and after != before:
            line = "%s: %s" % (path, shown(text, start, end, new))
            by = killed(tree, path)
            kind = 0 if by else 1 if line in known else 2
            score[layer][kind] += 1
            print("%s %s  (%s)" % (("killed", "known", "SURVIVED")[kind], line, by), flush=True)
        file.write_text(text)
    for layer, (dead, explained, alive) in score.items():
        print("%-8s %4d killed, %d explained, %d survived" % (layer, dead, explained, alive))
    return not sum(alive for _, _, alive in score.values())


def main():
    with tempfile.TemporaryDirectory() as folder:
        tree = Tree(folder)
        good = run_list(tree) if sys.argv[1:] == ["list"] else run_random(tree)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
