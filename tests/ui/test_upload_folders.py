"""What a killed server leaves of uploads goes at the next start, and what a living one has stays."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from pruning_explorer.ui.upload_folders import PREFIX, UploadFolders, remove_abandoned

SERVER = """
import sys
from pathlib import Path
from pruning_explorer.ui.upload_folders import FOLDERS
held = FOLDERS.new()
Path(held.name, "model.safetensors").write_bytes(bytes(1000))
print(held.name, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def start(place: Path) -> tuple["subprocess.Popen[str]", Path]:
    """A process that holds an upload, and where it lies."""
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER],
        env={**os.environ, "TMPDIR": str(place)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_left_goes_and_what_a_living_one_has_stays(place: Path) -> None:
    killed, its_upload = start(place)
    living, other_upload = start(place)
    mine = UploadFolders()
    my_upload = Path(mine.new().name)
    try:
        assert remove_abandoned() == 0  # all three live
        killed.kill()
        killed.communicate()
        assert (its_upload / "model.safetensors").is_file()
        assert remove_abandoned() == 1
        assert not its_upload.parent.exists()
        assert (other_upload / "model.safetensors").is_file()
        assert my_upload.parent.is_dir()
    finally:
        living.communicate("")
        mine.remove_all()
    assert list(place.iterdir()) == []  # one that ends by itself leaves nothing


def test_what_is_not_ours_is_left_alone(place: Path) -> None:
    theirs = place / "theirs"
    (theirs / "work").mkdir(parents=True)
    (place / f"{PREFIX}link").symlink_to(theirs)
    (place / f"{PREFIX}file").write_text("kept")
    (place / "pruning-explorer-notes").mkdir()
    assert remove_abandoned() == 0
    assert (theirs / "work").is_dir()
    assert len(list(place.iterdir())) == 4


def test_a_folder_is_made_anew_where_somebody_has_cleaned_up(place: Path) -> None:
    folders = UploadFolders()
    shutil.rmtree(Path(folders.new().name).parent)
    again = folders.new()
    assert Path(again.name).is_dir()
    assert Path(again.name).stat().st_mode & 0o777 == 0o700
    assert remove_abandoned() == 0
    again.cleanup()
    folders.remove_all()
    assert list(place.iterdir()) == []
