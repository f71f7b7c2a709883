"""The quick ones of net_faults.py, which `make test-faults` runs in full."""
import pytest

from net_faults import net_certs, path_tool, pytestmark, run_case, selected

# pytest finds fixtures by their names here.
__all__ = ["net_certs", "path_tool", "pytestmark", "test_net_fault"]


@pytest.mark.parametrize("case", selected(quick=True))
def test_net_fault(tmp_path, net_certs, path_tool, case):
    # Others run at the same time.
    run_case(case, tmp_path, net_certs, path_tool, print, slack=6)
