//! Reads what lies around the info dictionary: trackers, web seeds, texts.

use crate::bencode::{Dict, Value};
use crate::{limit, url};

/// Tiers of trackers without what is no address and without repeats. The single `announce`
/// counts only where no list names a tracker (BEP 12).
pub(super) fn trackers(root: &Dict<'_>) -> Vec<Vec<String>> {
    let mut seen = Seen::new(limit::TRACKERS_MAX);
    let tiers = root.lookup("announce-list").and_then(Value::list).unwrap_or_default();
    let tiers = tiers.iter().filter_map(Value::list).map(|tier| {
        let urls = tier.iter().filter_map(|url| url::tracker(url.bytes()?));
        urls.filter(|url| seen.is_new(url)).collect::<Vec<_>>()
    });
    let tiers: Vec<_> = tiers.filter(|tier| !tier.is_empty()).collect();
    if !tiers.is_empty() {
        return tiers;
    }
    let announce = root.lookup("announce").and_then(|url| url::tracker(url.bytes()?));
    announce.map(|url| vec![vec![url]]).unwrap_or_default()
}

/// Web seeds without what is no address and without repeats. That of several files is a folder
/// (BEP 19), so it ends in a slash.
pub(super) fn web_seeds(root: &Dict<'_>, folder: bool) -> Vec<String> {
    let Some(value) = root.lookup("url-list") else { return Vec::new() };
    let mut seen = Seen::new(limit::WEB_SEEDS_MAX);
    let urls = value.list().unwrap_or(core::slice::from_ref(value)).iter();
    let urls = urls.filter_map(|url| url::web_seed(url.bytes()?)).map(|mut url| {
        if folder && !url.ends_with('/') {
            url.push('/');
        }
        url
    });
    urls.filter(|url| seen.is_new(url)).collect()
}

pub(super) fn text(root: &Dict<'_>, first: &str, second: &str) -> Option<String> {
    let bytes = lookup_either(root, first, second, |value| value.bytes())?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// The first of two keys that holds a value of the right kind.
pub(super) fn lookup_either<'v, T>(
    dict: &'v Dict<'_>,
    first: &str,
    second: &str,
    kind: impl Fn(&'v Value<'_>) -> Option<T>,
) -> Option<T> {
    dict.lookup(first).and_then(&kind).or_else(|| dict.lookup(second).and_then(&kind))
}

/// Lets each address pass once, and only so many.
pub(crate) struct Seen {
    urls: std::collections::BTreeSet<String>,
    max: usize,
}

impl Seen {
    pub(crate) fn new(max: usize) -> Self {
        Self { urls: std::collections::BTreeSet::new(), max }
    }

    pub(crate) fn is_new(&mut self, url: &str) -> bool {
        self.urls.len() < self.max && self.urls.insert(url.to_owned())
    }
}
