"""A project as one file, and back."""

import io
import json
import stat
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app import cli, project_folder, project_pack
from app.layers import new_layer
from recon.errors import FormatError, InputError, ReconError
from recon.formats import native
from tests.app.test_project_folder import assert_same, document, mesh, square


@pytest.fixture
def project(tmp_path):
    """A project with slices, a file that it reads from elsewhere, an unused layer file and a run."""
    away = tmp_path / "away" / "bone.npz"
    away.parent.mkdir()
    native.write(away, mesh(4))
    referenced = new_layer("Bone", mesh(4), source=project_folder.source_of(away, {}, is_embedded=False))
    path = tmp_path / "Scän" / "Scän.isokiln"
    project_folder.save(path, document(new_layer("Old", mesh(7))))
    project_folder.save(path, document(new_layer("Slices", square()), referenced))
    for name in (
        "run.json",
        "checkpoints/a.npz",
        "previews/latest.npz",
        "results/solid.npz",
        ".status.1.json",
    ):
        file = path.parent / "runs" / "r1" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(name.encode() * 1000)
    raw = json.loads(path.read_bytes())
    path.write_text(json.dumps({**raw, "x_theirs": [1, None]}))
    return path


def test_a_packed_project_opens_elsewhere_with_everything_and_an_identity_of_its_own(project, tmp_path):
    packed = project_pack.pack(project.parent, tmp_path / "out" / "gift")
    assert packed.name == "gift.isokilnz"
    assert packed.stat().st_size == pytest.approx(project_pack.packed_size(project), rel=0.4)
    before = project_folder.open_project(project).document
    (tmp_path / "away").rename(tmp_path / "gone")
    manifest = project_pack.unpack(packed, tmp_path / "there" / "New")
    opened = project_folder.open_project(manifest)
    assert_same(before, opened.document)
    assert opened.notes == () and manifest.name == "Scän.isokiln"
    assert opened.document.manifest.uuid != before.manifest.uuid
    assert opened.document.manifest.lineage == [before.manifest.uuid]
    assert json.loads(manifest.read_bytes())["x_theirs"] == [1, None]
    files = {p.relative_to(manifest.parent).as_posix() for p in manifest.parent.rglob("*") if p.is_file()}
    runs = {name for name in files if name.startswith("runs")}
    assert runs == {"runs/r1/run.json", "runs/r1/results/solid.npz"}
    assert sum(name.startswith("layers/") for name in files) == 1 and not any(
        ".bak" in name for name in files
    )


def test_checkpoints_go_along_when_asked(project, tmp_path):
    packed = project_pack.pack(project, tmp_path / "a.isokilnz", with_checkpoints=True)
    with zipfile.ZipFile(packed) as archive:
        assert "runs/r1/checkpoints/a.npz" in archive.namelist()
        assert all(entry.compress_type == zipfile.ZIP_STORED for entry in archive.infolist())
    small = project_pack.packed_size(project)
    assert project_pack.packed_size(project, with_checkpoints=True) == small + 1000 * len("checkpoints/a.npz")


def hostile(name: str, content: bytes = b"x", **entry) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(
            "A.isokiln", json.dumps({"format": "isokiln.project", "schema": 1, "uuid": "a", "revision": "b"})
        )
        info = zipfile.ZipInfo("x")
        info.filename = name
        for key, value in entry.items():
            setattr(info, key, value)
        archive.writestr(info, content)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        *(
            hostile(name)
            for name in (
                "../evil", "/etc/evil", "layers/../../evil", "C:/evil", "layers\\..\\evil", "layers/./x", "a//b",
                ".bashrc", "layers/nul.npz", "B.isokiln", "a.ISOKILN".replace("a", "A"), "dir/", "x" * 2000, "layers/x. ",
            )
        ),
        hostile("layers/link", b"/etc/passwd", external_attr=(stat.S_IFLNK | 0o777) << 16),
        hostile("layers/bomb.npz", bytes(10**6), compress_type=zipfile.ZIP_DEFLATED),
        b"PK\x05\x06" + bytes(18),
        b"not a zip",
        b"",
    ],
)  # fmt: skip
def test_a_hostile_pack_is_refused_and_writes_nothing(content, tmp_path):
    path = tmp_path / "in" / "evil.isokilnz"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(FormatError, match="no sound project pack"):
        project_pack.unpack(path, tmp_path / "in" / "deep" / "out")
    assert {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*")} <= {
        "in", "in/evil.isokilnz", "isokiln-home",
    }  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    cut=st.integers(0, 3000), flips=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), max_size=3)
)
def test_damaged_packs_open_or_say_what_is_wrong(tmp_path_factory, cut, flips):
    folder = tmp_path_factory.mktemp("pack")
    path = folder / "P" / "P.isokiln"
    project_folder.save(path, document(new_layer("A", square())))
    packed = project_pack.pack(path, folder / "p.isokilnz")
    content = bytearray(packed.read_bytes())
    for place, change in flips:
        content[place % len(content)] ^= change
    packed.write_bytes(content[: len(content) - cut] if cut < len(content) else content)
    try:
        project_folder.open_project(project_pack.unpack(packed, folder / "out"))
    except ReconError:
        assert not any(p.name.startswith(".out") for p in folder.iterdir())


def test_unpacking_over_something_is_refused(project, tmp_path):
    packed = project_pack.pack(project, tmp_path / "a.isokilnz")
    with pytest.raises(InputError, match="not empty"):
        project_pack.unpack(packed, project.parent)
    empty = tmp_path / "empty"
    empty.mkdir()
    assert project_pack.unpack(packed, empty).exists()


def test_packing_and_unpacking_on_the_command_line_need_no_qt(project, tmp_path, capsys):
    assert cli.main(["pack", str(project.parent)], lambda _: 1) == 0
    packed = Path(capsys.readouterr().out.strip())
    assert packed == tmp_path / "Scän.isokilnz"
    assert cli.main(["unpack", str(packed), "-o", str(tmp_path / "B")], lambda _: 1) == 0
    assert Path(capsys.readouterr().out.strip()) == tmp_path / "B" / "Scän.isokiln"
    assert cli.main(["unpack", str(packed), "-o", str(tmp_path / "B")], lambda _: 1) == 1
    import subprocess

    script = "import sys, app.cli_projects; sys.exit(any(m.startswith(('PySide6', 'vtk', 'torch')) for m in sys.modules))"
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", script], cwd=root, check=False).returncode == 0
