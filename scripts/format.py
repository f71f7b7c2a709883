"""format.py FILE...: are these spaced and indented as .clang-format says?

Where a line is broken is the writer's: a table stays a table. What clang-format would do to spaces
within a line, to the indentation of a statement and to statements that share a line is said.
"""
import re
import subprocess
import sys

TOKEN = re.compile(r'(\s*)("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|/\*.*?\*/|//[^\n]*|\w+'
                   r"|->|\+\+|--|&&|\|\||<<=?|>>=?|[-+*/%&|^=!<>]=|\.\.\.|##|.)", re.S)


def tokens(text):
    """(space before it, itself)"""
    # Macros, which are in no language that it could know, are left out.
    text = re.sub(r"^#(?:.*\\\n)*.*", lambda match: "\n" * match.group().count("\n"), text,
                  flags=re.M)
    return [(gap, re.sub(r"\s+", " ", token) if token.startswith("/*") else token)
            for gap, token in TOKEN.findall(text.rstrip())]


def column(gap):
    return len(gap) - gap.rindex("\n") - 1


def differences(ours, theirs):
    line, before = 1, ";"
    for (gap, token), (their_gap, _) in zip(ours, theirs):
        line += gap.count("\n")
        broken, theirs_broken = "\n" in gap, "\n" in their_gap
        if not broken and not theirs_broken and bool(gap) != bool(their_gap):
            yield line, "%s a space before %s" % ("without" if gap else "with", token)
        elif before in (";", "}") and theirs_broken and not broken and token != "}":
            yield line, "a line of its own for %s" % token
        elif before in (";", "{", "}") and broken and theirs_broken and \
                not token.startswith("/*") and column(gap) != column(their_gap):
            yield line, "%s at column %d" % (token, column(their_gap))
        line += token.count("\n")
        before = token


def main():
    for path in sys.argv[1:]:
        with open(path) as file:
            ours = tokens(file.read())
        theirs = tokens(subprocess.run(["clang-format-14", path], check=True, text=True,
                                       stdout=subprocess.PIPE).stdout)
        if [token for _, token in ours] != [token for _, token in theirs]:
            print("%s: clang-format takes it apart" % path)
            continue
        for line, what in differences(ours, theirs):
            print("%s:%d: %s" % (path, line, what))


main()
