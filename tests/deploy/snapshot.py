"""Writes tests/data/advisories: RustSec's advisories about the crates of the lock files, from a clone of its database."""

import pathlib
import shutil
import subprocess
import sys
import tomllib

clone = pathlib.Path(sys.argv[1])
folder = pathlib.Path("tests/data/advisories")


def git(*arguments):
    return subprocess.run(["git", "-C", clone, *arguments], check=True, capture_output=True, text=True).stdout


crates = set()
for lock in ("Cargo.lock", "fuzz/Cargo.lock"):
    packages = tomllib.loads(pathlib.Path(lock).read_text())["package"]
    crates |= {package["name"] for package in packages if "source" in package}
shutil.rmtree(folder, ignore_errors=True)
files = [file for file in git("ls-tree", "-r", "--name-only", "HEAD", "crates/").splitlines() if file.split("/")[1] in crates]
for file in files:
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(git("show", f"HEAD:{file}"))
commit = git("log", "-1", "--format=%H of %cs").strip()
(folder / "README.md").write_text(
    "The advisories of https://github.com/RustSec/advisory-db about the crates of the lock files, at commit\n"
    f"{commit}. They are in the public domain (CC0-1.0), but for\n"
    "those that name another licence. The tests use them without a network, and\n"
    "`python3 tests/deploy/snapshot.py CLONE` writes them anew from a clone of the database.\n"
)
print(f"{len(files)} advisories")
