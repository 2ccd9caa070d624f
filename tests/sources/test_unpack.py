from __future__ import annotations

import gzip
import io
import stat
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from porter.errors import PorterError
from porter.sources import unpack as limits
from porter.sources.unpack import unpack

Make = Callable[..., Path]

OUTSIDE = [
    "../evil.py",
    "a/../../evil.py",
    "/evil.py",
    "//evil.py",
    "C:/evil.py",
    "C:evil.py",
    "a\\..\\..\\evil.py",
    "\\evil.py",
]


def refusal(archive: Path, folder: Path) -> str:
    """The one line that unpacking ends with."""
    with pytest.raises(PorterError) as caught:
        unpack(archive, folder)
    line = str(caught.value)
    assert "\n" not in line
    assert line.startswith(f"{archive.name}: ")
    return line


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def tar(path: Path, *members: tarfile.TarInfo, content: bytes = b"x") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info in members:
            if info.isfile():
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
            else:
                archive.addfile(info)
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def zip_link(path: Path, name: str, target: str) -> Path:
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("real.py", "real")
        archive.writestr(info, target)
    return path


@pytest.fixture(params=["zip", "tar"])
def make(request: pytest.FixtureRequest, make_zip: Make, make_tar: Make, tmp_path: Path) -> Make:
    """Makes an archive of either format out of a mapping."""
    if request.param == "zip":
        return lambda files: make_zip(tmp_path / "some.whl", files)
    return lambda files: make_tar(tmp_path / "some.tar.gz", files)


def test_files_come_out_as_they_went_in(make: Make, tmp_path: Path) -> None:
    files = {"a.py": b"one\r\n", "pack/b.py": b"\xff\xfe", "pack/deep/empty": b""}
    unpack(make(files), tmp_path / "out")
    assert contents(tmp_path / "out") == files


def test_empty_and_dot_parts_of_a_name_are_dropped(make: Make, tmp_path: Path) -> None:
    unpack(make({"./a//./b.py": b"x"}), tmp_path / "out")
    assert contents(tmp_path / "out") == {"a/b.py": b"x"}


@pytest.mark.parametrize("name", OUTSIDE)
def test_a_name_that_leads_outside(make: Make, tmp_path: Path, name: str) -> None:
    line = refusal(make({"good.py": "", name: "evil"}), tmp_path / "out")
    assert repr(name) in line
    assert "refused" in line
    assert "evil" not in {path.stem for path in tmp_path.rglob("*")}


def test_a_name_given_twice(make: Make, tmp_path: Path) -> None:
    line = refusal(make({"a.py": "1", "./a.py": "2"}), tmp_path / "out")
    assert "'./a.py'" in line
    assert "second member" in line


def test_a_name_that_is_both_a_file_and_a_folder(make: Make, tmp_path: Path) -> None:
    assert "'a/b.py'" in refusal(make({"a": "1", "a/b.py": "2"}), tmp_path / "out")


def test_a_folder_where_a_file_is(tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", member("a"), member("a", tarfile.DIRTYPE))
    assert "second member" in refusal(archive, tmp_path / "out")


def test_a_file_where_a_folder_is(tmp_path: Path) -> None:
    archive = tar(tmp_path / "x.tar.gz", member("a", tarfile.DIRTYPE), member("a"))
    assert "second member" in refusal(archive, tmp_path / "out")


def test_a_name_of_many_folders(make: Make, tmp_path: Path) -> None:
    assert "folders deep" in refusal(make({"a/" * 100 + "b.py": ""}), tmp_path / "out")


def test_a_name_that_the_file_system_has_no_room_for(make: Make, tmp_path: Path) -> None:
    name = "a" * 300 + ".py"
    line = refusal(make({name: ""}), tmp_path / "out")
    assert name in line
    assert "File name too long" in line


@pytest.mark.parametrize("target", ["../outside.py", "/etc/passwd", "sub/../../outside.py"])
def test_a_link_that_leads_outside(tmp_path: Path, target: str) -> None:
    (tmp_path / "outside.py").write_text("secret")
    links = [
        tar(tmp_path / "s.tar.gz", member("link.py", tarfile.SYMTYPE, target)),
        tar(tmp_path / "h.tar.gz", member("link.py", tarfile.LNKTYPE, target)),
        zip_link(tmp_path / "z.whl", "link.py", target),
    ]
    for archive in links:
        line = refusal(archive, tmp_path / f"out-{archive.name}")
        assert "'link.py': refused: a link to" in line


def test_a_link_beside_its_own_folder_leads_outside(tmp_path: Path) -> None:
    archive = tar(tmp_path / "s.tar.gz", member("a/link.py", tarfile.SYMTYPE, "../../x.py"))
    assert "leads out of the archive" in refusal(archive, tmp_path / "out")


def test_a_file_below_a_link_stays_inside(tmp_path: Path) -> None:
    archive = tar(tmp_path / "s.tar.gz", member("here", tarfile.SYMTYPE, "."), member("here/a.py"))
    unpack(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == {"here/a.py": b"x"}


def test_a_link_to_a_file_is_a_copy(tmp_path: Path) -> None:
    archive = tar(
        tmp_path / "s.tar.gz",
        member("p/chain.py", tarfile.SYMTYPE, "soft.py"),
        member("./p/soft.py", tarfile.SYMTYPE, "../real.py"),
        member("hard.py", tarfile.LNKTYPE, "real.py"),
        member("real.py"),
    )
    unpack(archive, tmp_path / "out")
    names = ("p/soft.py", "p/chain.py", "hard.py", "real.py")
    assert contents(tmp_path / "out") == dict.fromkeys(names, b"x")
    assert not any(path.is_symlink() for path in (tmp_path / "out").rglob("*"))


def test_a_link_of_a_zip_is_a_copy(tmp_path: Path) -> None:
    unpack(zip_link(tmp_path / "z.whl", "p/link.py", "../real.py"), tmp_path / "out")
    assert contents(tmp_path / "out") == {"real.py": b"real", "p/link.py": b"real"}


def test_links_to_no_file_are_left_out(tmp_path: Path) -> None:
    archive = tar(
        tmp_path / "s.tar.gz",
        member("folder", tarfile.DIRTYPE),
        member("to-folder", tarfile.SYMTYPE, "folder"),
        member("to-nothing", tarfile.SYMTYPE, "missing.py"),
        member("one", tarfile.SYMTYPE, "two"),
        member("two", tarfile.SYMTYPE, "one"),
    )
    unpack(archive, tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["folder"]


def test_a_link_given_twice(tmp_path: Path) -> None:
    link = member("link.py", tarfile.SYMTYPE, "a.py")
    archive = tar(tmp_path / "s.tar.gz", member("a.py"), link, link)
    assert "second member" in refusal(archive, tmp_path / "out")


def test_a_link_named_as_a_file(tmp_path: Path) -> None:
    link = member("b.py", tarfile.SYMTYPE, "a.py")
    archive = tar(tmp_path / "s.tar.gz", member("a.py"), member("b.py"), link)
    assert "second member" in refusal(archive, tmp_path / "out")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_a_device_of_a_tar(tmp_path: Path, kind: bytes) -> None:
    line = refusal(tar(tmp_path / "d.tar.gz", member("null", kind)), tmp_path / "out")
    assert "'null': refused: neither a file" in line


def test_a_device_of_a_zip(tmp_path: Path) -> None:
    info = zipfile.ZipInfo("null")
    info.external_attr = (stat.S_IFCHR | 0o666) << 16
    with zipfile.ZipFile(tmp_path / "d.zip", "w") as archive:
        archive.writestr(info, "")
    assert "'null': refused: neither a file" in refusal(tmp_path / "d.zip", tmp_path / "out")


def test_a_zip_that_inflates_beyond_measure(make_zip: Make, tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "bomb.whl", {"zeros": bytes(limits.SMALL_BYTES + 1)})
    assert "'zeros': refused: unpacks to more than" in refusal(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_a_tar_that_inflates_beyond_measure(make_tar: Make, tmp_path: Path) -> None:
    archive = make_tar(tmp_path / "bomb.tar.gz", {"zeros": bytes(limits.SMALL_BYTES + 1)})
    assert "'zeros': refused: unpacks to more than" in refusal(archive, tmp_path / "out")
    assert contents(tmp_path / "out") == {}


def test_small_archives_may_be_as_dense_as_they_like(make: Make, tmp_path: Path) -> None:
    zeros = bytes(10_000_000)
    unpack(make({"zeros": zeros}), tmp_path / "out")
    assert contents(tmp_path / "out") == {"zeros": zeros}


def test_members_that_are_too_large_together(make: Make, tmp_path: Path) -> None:
    part = bytes(limits.SMALL_BYTES // 2)
    line = refusal(make({"a": part, "b": part, "c": b"1"}), tmp_path / "out")
    assert f"to more than {limits.SMALL_BYTES:,} bytes" in line
    assert not (tmp_path / "out" / "c").exists()


def test_links_count_as_the_copies_that_they_become(tmp_path: Path) -> None:
    links = (member(f"link{n}", tarfile.SYMTYPE, "a") for n in range(3))
    archive = tar(tmp_path / "x.tar.gz", member("a"), *links, content=bytes(30_000_000))
    assert "'link1': refused: unpacks to more than" in refusal(archive, tmp_path / "out")


def test_a_tar_that_goes_on_after_its_end(tmp_path: Path) -> None:
    archive = tmp_path / "long.tar.gz"
    archive.write_bytes(gzip.compress(bytes(limits.SMALL_BYTES + 1024**2)))
    assert "inflates to more than" in refusal(archive, tmp_path / "out")


def test_a_header_that_would_fill_the_memory(tmp_path: Path) -> None:
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2**33 - 1
    archive = tmp_path / "pax.tar.gz"
    archive.write_bytes(gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + bytes(10_000)))
    assert "a header without bounds" in refusal(archive, tmp_path / "out")


def test_a_size_below_zero(tmp_path: Path) -> None:
    header = tarfile.TarInfo("a.py")
    header.size = -1024
    archive = tmp_path / "negative.tar.gz"
    archive.write_bytes(gzip.compress(header.tobuf(tarfile.GNU_FORMAT) + bytes(10_240)))
    refusal(archive, tmp_path / "out")


def test_too_many_members(make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_MEMBERS", 10)
    unpack(make({str(n): b"" for n in range(10)}), tmp_path / "ten")
    line = refusal(make({str(n): b"" for n in range(11)}), tmp_path / "eleven")
    assert "'10': refused: more than 10 members" in line


def test_a_file_that_is_no_archive(tmp_path: Path) -> None:
    for name in ("x.whl", "x.zip", "x.tar.gz", "x.tgz"):
        archive = tmp_path / name
        for content in (b"", b"no archive\n" * 1000, gzip.compress(b"no tar" * 1000)):
            archive.write_bytes(content)
            assert "damaged archive" in refusal(archive, tmp_path / "out")
            (tmp_path / "out").rmdir()


def test_an_archive_that_ends_too_early(make: Make, tmp_path: Path) -> None:
    text = "\n".join(str(n**5) for n in range(20_000))
    archive = make({"a.py": text, "b.py": text[::-1]})
    content = archive.read_bytes()
    for number, end in enumerate((len(content) // 3, len(content) - 5)):
        archive.write_bytes(content[:end])
        assert "damaged archive" in refusal(archive, tmp_path / f"out{number}")


def test_a_broken_checksum_names_the_member(make_zip: Make, tmp_path: Path) -> None:
    archive = tmp_path / "x.whl"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as opened:
        opened.writestr("good.py", "good")
        opened.writestr("broken.py", "the content")
    archive.write_bytes(archive.read_bytes().replace(b"the content", b"the c0ntent"))
    line = refusal(archive, tmp_path / "out")
    assert "'broken.py': damaged archive: Bad CRC-32" in line


def test_a_broken_header_is_not_the_end(tmp_path: Path) -> None:
    """tarfile itself takes it for the end of the archive and says nothing."""
    archive = tar(tmp_path / "x.tar.gz", member("good.py"), member("lost.py"))
    broken = gzip.decompress(archive.read_bytes()).replace(b"lost.py", b"l0st.py")
    archive.write_bytes(gzip.compress(broken))
    assert "damaged archive: a broken header" in refusal(archive, tmp_path / "out")


def test_a_member_without_a_name(make_zip: Make, tmp_path: Path) -> None:
    """zipfile ends with an IndexError at it on some Pythons."""
    archive = make_zip(tmp_path / "x.zip", {"a.py": "text"})
    archive.write_bytes(archive.read_bytes().replace(b"a.py", b"\0.py"))
    refusal(archive, tmp_path / "out")


def test_an_offset_before_the_archive(make_zip: Make, tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "x.zip", {"a.py": "text"})
    content = bytearray(archive.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 16] += 1
    archive.write_bytes(bytes(content))
    assert "damaged archive" in refusal(archive, tmp_path / "out")


def test_an_offset_beyond_all_files(tmp_path: Path) -> None:
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("a.py", "text")
        opened.infolist()[0].header_offset = 2**64 - 16
    assert "damaged archive" in refusal(archive, tmp_path / "out")


def test_a_link_that_is_no_text(tmp_path: Path) -> None:
    archive = zip_link(tmp_path / "x.zip", "link.py", "target")
    archive.write_bytes(archive.read_bytes().replace(b"target", b"\xff\xff\xff\xff\xff\xff"))
    assert "damaged archive" in refusal(archive, tmp_path / "out")


def test_an_encrypted_zip(make_zip: Make, tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "x.zip", {"a.py": "text"})
    content = bytearray(archive.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    content[6] |= 1
    archive.write_bytes(bytes(content))
    assert "encrypted" in refusal(archive, tmp_path / "out")


def test_only_the_executable_bit_is_kept(tmp_path: Path) -> None:
    tool, plain = member("tool.sh"), member("plain.py")
    tool.mode, plain.mode = 0o4711, 0o666
    tar(tmp_path / "x.tar.gz", tool, plain)
    info = zipfile.ZipInfo("tool.sh")
    info.external_attr = (stat.S_IFREG | 0o4711) << 16
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as archive:
        archive.writestr(info, "")
        archive.writestr("plain.py", "")
    for name in ("x.tar.gz", "x.whl"):
        out = tmp_path / f"out-{name}"
        unpack(tmp_path / name, out)
        assert stat.S_IMODE((out / "tool.sh").stat().st_mode) == 0o755
        assert not (out / "plain.py").stat().st_mode & 0o111


def test_progress_ends_with_all_of_the_archive(make: Make, tmp_path: Path) -> None:
    archive = make({f"{n}.py": str(n) * 1000 for n in range(20)})
    calls: list[tuple[int, int | None]] = []
    unpack(archive, tmp_path / "out", lambda *call: calls.append(call))
    size = archive.stat().st_size
    assert len(calls) == 21
    assert calls[-1] == (size, size)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def _samples() -> list[tuple[str, bytes]]:
    text = "".join(f"x{n} = {n}\n" for n in range(200)).encode()
    zipped, tarred = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("p/a.py", text)
        archive.writestr("p/b.py", b"stored", zipfile.ZIP_STORED)
    with tarfile.open(fileobj=tarred, mode="w", format=tarfile.PAX_FORMAT) as tarball:
        for info in (member("p/a.py"), member("p/" + "b" * 120), member("p/é.py")):
            info.size = len(text)
            tarball.addfile(info, io.BytesIO(text))
        tarball.addfile(member("p/link.py", tarfile.SYMTYPE, "a.py"))
    return [("a.whl", zipped.getvalue()), ("a.tar.gz", tarred.getvalue())]


@settings(max_examples=300, deadline=None)
@given(
    sample=st.sampled_from(_samples()),
    damage=st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), max_size=6),
    end=st.integers(0, 2**16) | st.none(),
)
def test_damage_is_one_line_or_nothing(
    sample: tuple[str, bytes], damage: list[tuple[int, int]], end: int | None
) -> None:
    """A tar is damaged below its gzip, whose checksum would hide it."""
    name, intact = sample
    content = bytearray(intact)
    for position, value in damage:
        content[position % len(content)] = value
    if end is not None:
        del content[end % len(content) :]
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "in", name)
        archive.parent.mkdir()
        archive.write_bytes(gzip.compress(content, 1) if name.endswith("gz") else content)
        try:
            unpack(archive, Path(folder, "out"))
        except PorterError as error:
            assert "\n" not in str(error)
        assert {path.name for path in Path(folder).iterdir()} <= {"in", "out"}
        assert [path.name for path in archive.parent.iterdir()] == [name]
