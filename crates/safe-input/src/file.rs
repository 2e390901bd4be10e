//! Reading regular files up to a limit. `/dev/zero` has no end, a FIFO may block for ever, and a
//! wrong path may lead to either.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

/// The largest secret, key, certificate bundle, profile or web configuration, in bytes: four times
/// the bundle of all public certificate authorities.
pub const MAX_SMALL: u64 = 1 << 20;

/// The largest configuration, in bytes: 100,000 clusters with a name and a few labels each.
pub const MAX_CONFIGURATION: u64 = 32 << 20;

/// Reads the regular file at `path` if it has at most `limit` bytes; blocks.
///
/// A FIFO or a device is refused before it is opened, since opening one may block or change
/// something. `/dev/null` is an empty file. The limit also holds for a file that grows meanwhile.
pub fn read(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    check(&path.metadata()?, limit)?;
    let mut content = Vec::new();
    File::open(path)?
        .take(limit.saturating_add(1))
        .read_to_end(&mut content)?;
    check_length(u64::try_from(content.len()).unwrap_or(u64::MAX), limit)?;
    Ok(content)
}

/// Returns an error if [`read`] would refuse the file at `path`, for a file that a library reads. A
/// file that is absent or closed to this process is left to the library.
pub fn refuse(path: &Path, limit: u64) -> io::Result<()> {
    match path.metadata() {
        Ok(metadata) => check(&metadata, limit),
        Err(_) => Ok(()),
    }
}

fn check(metadata: &Metadata, limit: u64) -> io::Result<()> {
    if is_regular(metadata) || is_null_device(metadata) || hangs_in_a_test(metadata) {
        check_length(metadata.len(), limit)
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "it is a pipe, a socket or a device; only regular files are read",
        ))
    }
}

fn check_length(length: u64, limit: u64) -> io::Result<()> {
    if length <= limit {
        Ok(())
    } else {
        Err(io::Error::new(
            ErrorKind::FileTooLarge,
            format!("it is larger than {} MiB", limit >> 20),
        ))
    }
}

/// Reads the regular file at `path` as UTF-8, like [`read`].
pub fn read_text(path: &Path, limit: u64) -> io::Result<String> {
    String::from_utf8(read(path, limit)?)
        .map_err(|_| io::Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// Returns true for a file, and for a folder, which the system refuses with a message that people
/// know.
fn is_regular(metadata: &Metadata) -> bool {
    metadata.is_file() || metadata.is_dir()
}

/// Returns true for `/dev/null`, under any name. Operators switch a file off with it.
fn is_null_device(metadata: &Metadata) -> bool {
    metadata.file_type().is_char_device()
        && Path::new("/dev/null")
            .metadata()
            .is_ok_and(|null| null.rdev() == metadata.rdev())
}

fn hangs_in_a_test(metadata: &Metadata) -> bool {
    cfg!(feature = "hang") && metadata.file_type().is_fifo() && metadata.mode() & 0o100 != 0
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use rustix::fs::{CWD, FileType, Mode, mknodat};

    use super::*;

    fn file(length: usize) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), vec![b'x'; length]).expect("written");
        file
    }

    #[test]
    fn a_file_is_read_up_to_the_limit() {
        let limit = 1 << 20;
        assert_eq!(
            read(file(1 << 20).path(), limit).expect("read").len(),
            1 << 20
        );
        let error = read(file((1 << 20) + 1).path(), limit).expect_err("a byte more");
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
        assert_eq!(error.to_string(), "it is larger than 1 MiB");
    }

    #[test]
    fn a_file_of_the_kernel_without_a_size_is_read() {
        if cfg!(target_os = "linux") {
            let text = read_text(Path::new("/proc/self/status"), MAX_SMALL).expect("read");
            assert!(text.contains("Name:"), "{text}");
        }
    }

    #[test]
    fn a_fifo_nobody_writes_to_is_refused_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        let fifo = folder.path().join("fifo");
        mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR, 0).expect("a FIFO");
        let error = read(&fifo, MAX_SMALL).expect_err("a FIFO");
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(&fifo, &link).expect("a link");
        for refused in [read(&link, MAX_SMALL).map(drop), refuse(&link, MAX_SMALL)] {
            let error = refused.expect_err("a link to it");
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
        }
        refuse(Path::new("/absent"), MAX_SMALL).expect("left to others");
    }

    #[test]
    fn devices_and_folders_are_refused() {
        for (path, kind) in [
            ("/dev/zero", ErrorKind::InvalidInput),
            ("/", ErrorKind::IsADirectory),
            ("/absent", ErrorKind::NotFound),
        ] {
            let error = read(&PathBuf::from(path), MAX_SMALL).expect_err(path);
            assert_eq!(error.kind(), kind, "{path}");
        }
    }

    #[test]
    fn the_null_device_is_an_empty_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let link = folder.path().join("off");
        std::os::unix::fs::symlink("/dev/null", &link).expect("a link");
        assert_eq!(read(&link, MAX_SMALL).expect("read"), b"");
    }

    #[test]
    fn text_that_is_not_utf_8_is_refused() {
        let file = file(0);
        std::fs::write(file.path(), b"\xff").expect("written");
        let error = read_text(file.path(), MAX_SMALL).expect_err("not UTF-8");
        assert_eq!(error.to_string(), "it is not UTF-8");
    }
}
