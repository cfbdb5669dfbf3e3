//! Addresses that nobody is met at: lists in the forms that other clients read. Asked before a peer
//! is dialled, when one has dialled us, and of what WebRTC peers say of themselves.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use headwater_wire::ip_list::Ranges;

/// Largest list: some ten times the largest in use.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Why lists cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadList {
    /// A file cannot be read.
    #[error("{path}: {1}", path = .0.display())]
    Io(PathBuf, io::Error),
    /// A file is too large.
    #[error("{path}: larger than {LIST_BYTES_MAX} bytes", path = .0.display())]
    TooLarge(PathBuf),
    /// A line says nothing that is known.
    #[error(
        "{path}, line {1}: {2}; a line is an address, a range (1.2.3.4-1.2.3.9), a network \
         (1.2.3.0/24), or what ipfilter.dat or a P2P list has",
        path = .0.display()
    )]
    Line(PathBuf, usize, &'static str),
}

/// Which addresses are refused. Clones share their lists.
#[derive(Clone, Debug, Default)]
pub struct IpFilter(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: Vec<PathBuf>,
    ranges: RwLock<Ranges>,
    refused: AtomicU64,
}

impl IpFilter {
    /// Reads these lists.
    pub fn read(files: &[PathBuf]) -> Result<Self, BadList> {
        let ranges = RwLock::new(read(files)?);
        Ok(Self(Arc::new(Inner { files: files.to_vec(), ranges, refused: AtomicU64::new(0) })))
    }

    /// Reads them again. Where one cannot be used, those of before stay.
    pub fn reload(&self) -> Result<(), BadList> {
        let ranges = read(&self.0.files)?;
        *self.0.ranges.write().unwrap_or_else(PoisonError::into_inner) = ranges;
        Ok(())
    }

    /// Whether nobody is to be met at an address; counts those.
    pub fn refuses(&self, ip: IpAddr) -> bool {
        let holds = self.0.ranges.read().unwrap_or_else(PoisonError::into_inner).holds(ip);
        if holds {
            self.0.refused.fetch_add(1, Ordering::Relaxed);
        }
        holds
    }

    /// How often an address was refused.
    pub fn refused(&self) -> u64 {
        self.0.refused.load(Ordering::Relaxed)
    }
}

fn read(files: &[PathBuf]) -> Result<Ranges, BadList> {
    let mut ranges = Ranges::default();
    for file in files {
        let text = text(file)?;
        for (number, line) in text.lines().enumerate() {
            let wrong = |why| BadList::Line(file.clone(), number + 1, why);
            ranges.take(line).map_err(wrong)?;
        }
    }
    ranges.merge();
    Ok(ranges)
}

fn text(file: &Path) -> Result<String, BadList> {
    let mut bytes = Vec::new();
    let read = File::open(file).and_then(|f| f.take(LIST_BYTES_MAX + 1).read_to_end(&mut bytes));
    read.map_err(|e| BadList::Io(file.to_owned(), e))?;
    if bytes.len() as u64 > LIST_BYTES_MAX {
        return Err(BadList::TooLarge(file.to_owned()));
    }
    // Names in old lists are of any encoding; addresses are not.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// A filter of these lines.
#[cfg(test)]
pub(crate) fn of(lines: &str) -> IpFilter {
    let mut ranges = Ranges::default();
    lines.lines().for_each(|line| ranges.take(line).expect("a line"));
    ranges.merge();
    IpFilter(Arc::new(Inner { ranges: RwLock::new(ranges), ..Inner::default() }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_again_and_a_spoiled_one_leaves_the_one_before() {
        let file = std::env::temp_dir().join(format!("headwater-filter-{}", std::process::id()));
        let write = |text: &str| std::fs::write(&file, text).expect("a write");
        let refuses = |filter: &IpFilter, ip: &str| filter.refuses(ip.parse().expect("an address"));
        write("10.0.0.0/8\n");
        let filter = IpFilter::read(std::slice::from_ref(&file)).expect("a list");
        let held = filter.clone();
        assert!(refuses(&held, "10.1.2.3") && !refuses(&held, "11.1.2.3"));
        write("# new\n11.0.0.0 - 11.255.255.255 , 100 , some, of them\n");
        filter.reload().expect("a list");
        assert!(!refuses(&held, "10.1.2.3") && refuses(&held, "11.1.2.3"));
        write("12.0.0.0/8\n\nnonsense\n");
        let why = filter.reload().expect_err("nonsense").to_string();
        assert!(why.contains(", line 3: "), "{why}");
        assert!(refuses(&held, "11.1.2.3") && !refuses(&held, "12.1.2.3"));
        assert_eq!(held.refused(), 3);
        let _ = std::fs::remove_file(&file);
        assert!(matches!(filter.reload(), Err(BadList::Io(..))));
    }
}
