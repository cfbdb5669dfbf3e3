//! Where payment's records lie: a file each, in a folder that only this user may open. A record is
//! whole or as it was before, whenever a crash comes; one that cannot be read stops the start and
//! is left as it is, for it may be worth money.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use headwater_base::{hex, sha256, unhex};
use headwater_pay::{Record, RecordError, RecordKey, limit};

/// What a record's file is called after its key.
const KIND: &str = "record";
/// What a file is called that is being written.
const FRESH: &str = "record-new";
/// The file that is locked while a program owns the folder.
const LOCK: &str = "lock";
/// Bytes of a digest at the end of each file.
const DIGEST_LEN: usize = 32;
/// Largest file that is read: several times the largest record.
const FILE_BYTES_MAX: u64 = 4096;
/// Most files that are read: of each kind as many as payment keeps.
const FILES_MAX: usize = 3 * limit::RECORDS_MAX + limit::CONTENTS_MAX + limit::SOLD_MAX;

/// Why a folder of records cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordsError {
    /// The disk's own trouble.
    #[error("{path}: {error}")]
    Disk {
        /// Where.
        path: PathBuf,
        /// What.
        error: io::Error,
    },
    /// Another program has it.
    #[error("{path}: another program keeps its payments there")]
    Taken {
        /// The folder.
        path: PathBuf,
    },
    /// A file that is none of ours.
    #[error("{path}: no record of payments; move it elsewhere")]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// A file that is not whole.
    #[error("{path}: the record is damaged; it may be worth money: keep a copy, then move it away")]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A record of another form.
    #[error("{path}: {error}")]
    Record {
        /// The file.
        path: PathBuf,
        /// What it is.
        error: RecordError,
    },
    /// More than payment ever keeps.
    #[error("{path}: more than {allowed} records")]
    TooMany {
        /// The folder.
        path: PathBuf,
        /// The most allowed.
        allowed: usize,
    },
}

/// A folder of records that this program owns until it ends.
#[derive(Debug)]
pub struct Records {
    folder: PathBuf,
    _lock: File,
}

impl Records {
    /// Makes the folder where there is none, and keeps every other program off it.
    pub fn open(folder: &Path) -> Result<Self, RecordsError> {
        let failed = |error| RecordsError::Disk { path: folder.to_owned(), error };
        make_private(folder).map_err(failed)?;
        let lock = options().create(true).truncate(false).open(folder.join(LOCK));
        let lock = lock.map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(RecordsError::Taken { path: folder.to_owned() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Whether a program has the folder.
    pub fn are_taken(folder: &Path) -> bool {
        let lock = OpenOptions::new().read(true).open(folder.join(LOCK));
        lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Stores records and forgets others, in this order; once it answers, all of it survives a
    /// crash.
    pub(super) fn apply(&self, changes: &[Change]) -> io::Result<()> {
        for change in changes {
            match change {
                Change::Store(key, bytes) => self.write(key, bytes)?,
                Change::Forget(key) => match fs::remove_file(self.path(key, KIND)) {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                    Ok(()) | Err(_) => {}
                },
            }
        }
        sync_folder(&self.folder)
    }

    /// Stores one record.
    pub fn store(&self, record: &Record) -> io::Result<()> {
        self.apply(&[Change::Store(record.key(), record.encode())])
    }

    fn write(&self, key: &RecordKey, bytes: &[u8]) -> io::Result<()> {
        let fresh = self.path(key, FRESH);
        let mut file = options().create(true).truncate(true).open(&fresh)?;
        file.write_all(&[bytes, &sha256(bytes)].concat())?;
        file.sync_all()?;
        fs::rename(fresh, self.path(key, KIND))
    }

    fn path(&self, key: &RecordKey, kind: &str) -> PathBuf {
        self.folder.join(format!("{}.{kind}", hex(&key.0)))
    }
}

/// What is done to the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// A record takes the place of the one before.
    Store(RecordKey, Vec<u8>),
    /// A record goes.
    Forget(RecordKey),
}

/// Reads every record of a folder; none where there is no folder. Any program may, at any time.
pub fn read_records(folder: &Path) -> Result<Vec<Record>, RecordsError> {
    let failed = |path: &Path, error| RecordsError::Disk { path: path.to_owned(), error };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(folder, error)),
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(folder, error))?.path();
        let kind = path.extension().unwrap_or_default();
        // What a crash left of a write was never acknowledged.
        if kind == FRESH || path.file_name().is_some_and(|name| name == LOCK) {
            continue;
        }
        if paths.len() >= FILES_MAX {
            let path = folder.to_owned();
            return Err(RecordsError::TooMany { path, allowed: FILES_MAX });
        }
        paths.push(path);
    }
    paths.sort();
    let read = |path: &PathBuf| match read_file(path) {
        Ok(bytes) => record(path, &bytes).map(Some),
        // Its owner forgot it since the folder was read.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(path, error)),
    };
    paths.iter().filter_map(|path| read(path).transpose()).collect()
}

fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn record(path: &Path, bytes: &[u8]) -> Result<Record, RecordsError> {
    let owned = || path.to_owned();
    let name = path.file_stem().and_then(|name| name.to_str()).and_then(unhex);
    let key: Option<[u8; 32]> = name.and_then(|name| name.try_into().ok());
    let is_ours = path.extension().is_some_and(|kind| kind == KIND);
    let key = key.filter(|_| is_ours).ok_or_else(|| RecordsError::Foreign { path: owned() })?;
    let (body, _) = bytes
        .split_last_chunk::<DIGEST_LEN>()
        .filter(|(body, digest)| sha256(body) == **digest)
        .ok_or_else(|| RecordsError::Damaged { path: owned() })?;
    let record = Record::decode(body);
    let record = record.map_err(|error| RecordsError::Record { path: owned(), error })?;
    // A record under the name of another would take its place.
    if record.key() != RecordKey(key) {
        return Err(RecordsError::Damaged { path: owned() });
    }
    Ok(record)
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = OpenOptions::new();
    options.write(true).mode(0o600);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    options
}

/// Makes a folder for this user alone, or takes it away from everybody else.
#[cfg(unix)]
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
pub(super) fn make_private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).create(folder)
}

/// Has the names in a folder survive a crash.
#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
pub(super) fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use headwater_base::{Address, Amount, Signature, UnixTime};
    use headwater_pay::Promise;
    use headwater_wire::extended::{Grant, Rail};

    use super::*;

    /// A folder of its own, gone with the test.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let name = format!("headwater-records-{name}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&path);
            Self(path)
        }

        fn files(&self) -> Vec<PathBuf> {
            let entries = fs::read_dir(&self.0).expect("a folder");
            let paths = entries.map(|entry| entry.expect("an entry").path());
            paths.filter(|path| path.extension().is_some_and(|kind| kind == KIND)).collect()
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn credit(payee: u8, amount: u128) -> Record {
        let (owner, key) = (Address([4; 20]), Address([5; 20]));
        let rail = Rail { chain: 1, vault: Address([2; 20]), token: Address([3; 20]) };
        let expiry = UnixTime(7);
        let grant = Grant { owner, key, cap: Amount(6), expiry, salt: [8; 32] };
        let payee = Address([payee; 20]);
        let voucher = Promise { rail, grant, payee, amount: Amount(amount) };
        let (grant_sig, sig) = (Signature([10; 65]), Signature([11; 65]));
        Record::Credit { voucher, grant_sig, sig, claimed: Amount(0) }
    }

    #[test]
    fn the_last_record_of_a_key_is_read_again_and_forgotten_ones_are_not() {
        let place = Place::new("kept");
        let records = Records::open(&place.0).expect("a folder");
        for record in [credit(1, 10), credit(2, 20), credit(1, 11)] {
            records.store(&record).expect("a write");
        }
        let mut read = read_records(&place.0).expect("whole");
        read.sort_by_key(|record| format!("{record:?}"));
        assert_eq!(read, [credit(1, 11), credit(2, 20)]);
        let gone = [Change::Forget(credit(1, 0).key()), Change::Forget(credit(9, 0).key())];
        records.apply(&gone).expect("a removal");
        assert_eq!(read_records(&place.0).expect("whole"), [credit(2, 20)]);
        assert_eq!(read_records(&place.0.join("none")).expect("nothing"), []);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_the_records() {
        use std::os::unix::fs::PermissionsExt as _;
        let place = Place::new("private");
        fs::create_dir_all(&place.0).expect("a folder");
        fs::set_permissions(&place.0, fs::Permissions::from_mode(0o755)).expect("ours");
        let records = Records::open(&place.0).expect("a folder");
        records.store(&credit(1, 10)).expect("a write");
        let mode = |path: &Path| fs::metadata(path).expect("it is there").permissions().mode();
        assert_eq!(mode(&place.0) & 0o777, 0o700);
        for file in place.files() {
            assert_eq!(mode(&file) & 0o777, 0o600, "{file:?}");
        }
    }

    #[test]
    fn one_program_at_a_time_has_the_records() {
        let place = Place::new("taken");
        assert!(!Records::are_taken(&place.0));
        let records = Records::open(&place.0).expect("a folder");
        assert!(matches!(Records::open(&place.0), Err(RecordsError::Taken { .. })));
        assert!(Records::are_taken(&place.0));
        drop(records);
        assert!(!Records::are_taken(&place.0));
        Records::open(&place.0).expect("it is free again");
    }

    #[test]
    fn every_cut_and_changed_byte_is_noticed_and_the_file_left_as_it_is() {
        let place = Place::new("torn");
        let records = Records::open(&place.0).expect("a folder");
        records.store(&credit(1, 10)).expect("a write");
        let file = place.files().remove(0);
        let whole = fs::read(&file).expect("a record");
        let cuts = (0..whole.len()).map(|end| whole[..end].to_vec());
        let flips = (0..whole.len()).map(|at| {
            let mut other = whole.clone();
            other[at] ^= 1;
            other
        });
        let longer = [[whole.clone(), vec![0]].concat(), vec![0; 1 << 16]];
        for bytes in cuts.chain(flips).chain(longer) {
            fs::write(&file, &bytes).expect("a write");
            let read = read_records(&place.0);
            assert!(matches!(read, Err(RecordsError::Damaged { .. })), "{read:?}");
            assert_eq!(fs::read(&file).expect("it is there"), bytes);
        }
        fs::write(&file, &whole).expect("a write");
        assert_eq!(read_records(&place.0).expect("whole"), [credit(1, 10)]);
    }

    #[test]
    fn files_of_others_are_named_and_what_a_crash_left_is_passed_over() {
        let place = Place::new("foreign");
        let records = Records::open(&place.0).expect("a folder");
        records.store(&credit(1, 10)).expect("a write");
        fs::write(records.path(&credit(1, 11).key(), FRESH), "half").expect("a write");
        assert_eq!(read_records(&place.0).expect("whole"), [credit(1, 10)]);
        let notes = place.0.join("notes.txt");
        fs::write(&notes, "mine").expect("a write");
        assert!(
            matches!(read_records(&place.0), Err(RecordsError::Foreign { path }) if path == notes)
        );
        fs::remove_file(&notes).expect("it is there");
        // A good record under another's name would take that one's place.
        let file = place.files().remove(0);
        fs::rename(&file, records.path(&credit(2, 1).key(), KIND)).expect("a move");
        assert!(matches!(read_records(&place.0), Err(RecordsError::Damaged { .. })));
    }
}
