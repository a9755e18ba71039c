"""Two never work where one must, and nobody goes on unwatched."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from crm_warehouse.errors import BuildFailed
from crm_warehouse.processes import only_one

# A process that holds the lock, starts a child that holds it too, says the child's id and waits to be killed.
PARENT = """
import pathlib, subprocess, sys
from crm_warehouse.errors import BuildFailed
from crm_warehouse.processes import die_with_parent, only_one
with only_one(pathlib.Path(sys.argv[1]), BuildFailed("busy")) as lock:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[lock], preexec_fn=die_with_parent)
    print(child.pid, flush=True)
    sys.stdin.read()
"""


def test_whoever_comes_second_is_refused_in_one_sentence_and_may_come_when_the_first_has_ended(tmp_path: Path) -> None:
    lock, refusal = tmp_path / "folder" / ".lock", BuildFailed("another one is running: wait until it ends")
    with only_one(lock, refusal), pytest.raises(BuildFailed, match="wait until it ends"), only_one(lock, refusal):
        pytest.fail("two hold one lock")
    with only_one(lock, refusal):
        pass


@pytest.mark.skipif(sys.platform != "linux", reason="PR_SET_PDEATHSIG is Linux'; elsewhere the child keeps the lock")
def test_a_child_ends_with_its_killed_parent_and_the_lock_is_free_again(tmp_path: Path) -> None:
    lock = tmp_path / ".lock"
    command = [sys.executable, "-c", PARENT, str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as parent:
        child = os.pidfd_open(int(parent.stdout.readline()))
        with pytest.raises(BuildFailed, match="busy"), only_one(lock, BuildFailed("busy")):
            pytest.fail("the lock was not held")
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert select.select([child], [], [], 10)[0], "the child outlived its parent"
    with only_one(lock, BuildFailed("busy")):
        pass
