"""A few of the cases of faults.py, which `make test-faults` runs in full."""
import pytest

from faults import PROGRAMS, filter_calls, FAULTS, one_fault, pytestmark, usual


@pytest.mark.parametrize("program", PROGRAMS)
def test_no_call_is_forgotten(program):
    assert set(filter_calls(*PROGRAMS[program][1])) <= set(FAULTS)


@pytest.mark.parametrize("program, call, error, when", [
    ("agent", "getrandom", "EINTR", 2),
    ("agent", "connect", "ECONNREFUSED", 1),
    ("agent", "socket", "EMFILE", 2),
    ("gateway", "accept4", "EMFILE", 2),
])
def test_fault(tmp_path, certs, origin, usual, program, call, error, when):
    assert one_fault(tmp_path, certs, origin, usual, program, call, error, when)
