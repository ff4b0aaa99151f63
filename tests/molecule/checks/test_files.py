"""Files belong to the process's user and to nobody else."""

from __future__ import annotations

from tests.molecule.expected import Expected, Machine, Process
from tests.molecule.remote import host

_OTHERS = 0o007


def test_configuration_folder(process: Process) -> None:
    folder = host(process.machine).file(process.configuration.rpartition("/")[0])
    assert (folder.user, folder.group, oct(folder.mode)) == (process.engine, process.engine, oct(0o750))


def test_configuration_file_is_the_process_s_own(process: Process) -> None:
    file = host(process.machine).file(process.configuration)
    assert file.user == process.engine  # CONFIG REWRITE replaces it
    assert not file.mode & _OTHERS


def test_data_folder_is_closed(process: Process) -> None:
    folder = host(process.machine).file(process.data)
    assert folder.is_directory
    assert folder.user == process.engine
    assert not folder.mode & _OTHERS


def test_log_is_written_and_closed(process: Process) -> None:
    log = host(process.machine).file(process.log)
    assert log.user == process.engine
    assert log.size > 0
    assert not log.mode & _OTHERS


def test_nothing_is_world_readable(machine: Machine, expected: Expected) -> None:
    folders = " ".join(f"{top}/{expected.engine}" for top in ("/etc", "/var/lib", "/var/log"))
    found = host(machine).check_output(f"find {folders} -type f -perm /o=rwx -print")
    # The package brings its own example files; what the kit wrote lies one folder deeper.
    assert [path for path in found.splitlines() if path.count("/") > 3] == []
