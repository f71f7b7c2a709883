"""A pytest plugin (-p net_table): what the cases of net_faults.py measured, as a table at the end.
"""
TITLES = ["", "found s", "back s", "lost", "agent kB", "fds", "gateway kB", "fds"]


def pytest_terminal_summary(terminalreporter):
    rows = [value for reports in terminalreporter.stats.values() for report in reports
            for key, value in getattr(report, "user_properties", ())
            if key == "net fault" and report.when == "call"]
    if not rows:
        return
    rows = [row[1:] for row in sorted(rows)]
    widths = [max(len(row[i]) for row in [TITLES, *rows]) for i in range(len(TITLES))]
    terminalreporter.write_line("")
    for row in [TITLES, *rows]:
        terminalreporter.write_line("  ".join(
            [row[0].ljust(widths[0]), *(c.rjust(n) for c, n in zip(row[1:], widths[1:]))]).rstrip())
