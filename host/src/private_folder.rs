//! Folders that are this user's alone: the state dir, and in it the cache of machine code.
//!
//! 1. A folder is made with mode 0700, its missing parents too. One that was there must belong to
//!    the user whom this process runs as; root gets no exception, as root would otherwise trust
//!    what another user prepared.
//! 2. Rights of group and others are taken away, whoever gave them. The caller hears which there
//!    were: what lies in a folder that others could write to may be theirs.
//! 3. Owner and rights are those of one open handle, so nobody swaps the folder in between.
//!
//! It does not look into a folder, nor at those above it. Where the system is not Unix, a user's
//! folders are private by default, and it only makes them.

use std::io;
use std::path::Path;

/// Why a folder is not this user's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It belongs to somebody else.
    #[error("it belongs to user {owner}, and this process runs as user {us}")]
    Foreign {
        /// The owner's number.
        owner: u32,
        /// The number of this process's user.
        us: u32,
    },
    /// The system refuses.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// What a folder was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Others could write to it.
    pub writable: bool,
}

/// Makes `folder` exist and closes it to everybody else.
///
/// # Errors
/// [`Error::Foreign`], and when the system refuses.
#[cfg(unix)]
pub fn ensure(folder: &Path) -> Result<Before, Error> {
    use std::os::unix::fs::DirBuilderExt as _;
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    close(folder, our_user())
}

/// Closes `folder`, when there is one, to everybody else.
///
/// # Errors
/// [`Error::Foreign`], and when the system refuses.
#[cfg(unix)]
pub fn ensure_if_present(folder: &Path) -> Result<(), Error> {
    match close(folder, our_user()) {
        Err(Error::Io(error)) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other.map(drop),
    }
}

/// The user whom this process runs as.
#[cfg(unix)]
pub fn our_user() -> u32 {
    rustix::process::geteuid().as_raw()
}

/// Refuses a `folder` of anybody but `us`, and takes the rights of the others away.
#[cfg(unix)]
fn close(folder: &Path, us: u32) -> Result<Before, Error> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let handle = std::fs::File::open(folder)?;
    let metadata = handle.metadata()?;
    if !metadata.is_dir() {
        return Err(io::Error::from(io::ErrorKind::NotADirectory).into());
    }
    let owner = metadata.uid();
    if owner != us {
        return Err(Error::Foreign { owner, us });
    }
    if metadata.mode() & 0o077 != 0 {
        handle.set_permissions(std::fs::Permissions::from_mode(0o700))?;
    }
    Ok(Before {
        writable: metadata.mode() & 0o022 != 0,
    })
}

/// Makes `folder` exist.
///
/// # Errors
/// When the system refuses.
#[cfg(not(unix))]
pub fn ensure(folder: &Path) -> Result<Before, Error> {
    std::fs::create_dir_all(folder)?;
    Ok(Before { writable: false })
}

/// Nothing to do here.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn ensure_if_present(_folder: &Path) -> Result<(), Error> {
    Ok(())
}

#[cfg(test)]
#[cfg(unix)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn mode(folder: &Path) -> u32 {
        fs::metadata(folder).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn only_the_owner_keeps_rights() {
        for (name, before, want, writable) in [
            ("private", 0o700, 0o700, false),
            ("only to be read by us", 0o500, 0o500, false),
            ("seen by the group", 0o750, 0o700, false),
            ("seen by all", 0o755, 0o700, false),
            ("written by the group", 0o770, 0o700, true),
            ("written by all", 0o777, 0o700, true),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), Permissions::from_mode(before)).unwrap();
            assert_eq!(
                ensure(folder.path()).unwrap(),
                Before { writable },
                "{name}"
            );
            assert_eq!(mode(folder.path()), want, "{name}");
        }
    }

    #[test]
    fn a_new_folder_and_its_parents_are_private() {
        let folder = tempfile::tempdir().unwrap();
        let deep = folder.path().join("a/b");
        ensure(&deep).unwrap();
        assert_eq!((mode(&deep), mode(deep.parent().unwrap())), (0o700, 0o700));
    }

    #[test]
    fn a_folder_of_somebody_else_is_refused_and_left_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let (owner, us) = (our_user(), our_user() + 1);
        let error = close(folder.path(), us).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("it belongs to user {owner}, and this process runs as user {us}")
        );
        assert_eq!(mode(folder.path()), 0o755);
    }

    #[test]
    fn root_is_no_exception() {
        let folder = tempfile::tempdir().unwrap();
        // Only root can give a folder away, and only root could be tempted to take it.
        if std::os::unix::fs::chown(folder.path(), Some(12_345), None).is_err() {
            return;
        }
        let refused = ensure(folder.path());
        assert!(matches!(
            refused,
            Err(Error::Foreign {
                owner: 12_345,
                us: 0
            })
        ));
        let refused = ensure_if_present(folder.path());
        assert!(matches!(refused, Err(Error::Foreign { .. })));
    }

    #[test]
    fn what_is_absent_is_not_made_unless_wanted_and_a_file_is_no_folder() {
        let folder = tempfile::tempdir().unwrap();
        let absent = folder.path().join("absent");
        ensure_if_present(&absent).unwrap();
        assert!(!absent.exists());
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(ensure(&file), Err(Error::Io(_))));
        assert!(matches!(ensure_if_present(&file), Err(Error::Io(_))));
    }
}
