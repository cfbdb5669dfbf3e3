//! What can go wrong, in words that say what to do.

use std::fmt::Display;

use headwater_metainfo::Error;

/// Why content cannot be had.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Trouble {
    /// The text is no URL of an object store.
    #[error("{0}")]
    Url(String),
    /// The environment does not say how a store is reached.
    #[error("{url}: {why}; look at the environment variables for this store")]
    Settings {
        /// What was to be opened.
        url: String,
        /// What is wrong.
        why: String,
    },
    /// Nothing lies there.
    #[error("nothing lies at {0}: look at bucket and key, and at region and endpoint")]
    Nothing(String),
    /// There are more objects than a torrent may have files.
    #[error("more than {allowed} objects lie at {url}: share a part of them")]
    TooMany {
        /// Where.
        url: String,
        /// Most allowed.
        allowed: usize,
    },
    /// The content is not that of the torrent.
    #[error("{0}")]
    Mismatch(String),
    /// An object is not there any more, or is another one now.
    #[error("{0} was replaced or deleted: start again to share what is there now")]
    Gone(String),
    /// The store cannot be reached or refuses to answer; it may be otherwise later.
    #[error("{url} cannot be reached or refuses, look at endpoint and credentials: {why}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// What is known of it, without anything secret.
        why: String,
    },
    /// A torrent cannot describe it.
    #[error(transparent)]
    Draft(#[from] Error),
}

impl Trouble {
    /// A stable name of the error.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url(_) => "bad-url",
            Self::Settings { .. } => "bad-settings",
            Self::Nothing(_) => "nothing-there",
            Self::TooMany { .. } => "too-many-files",
            Self::Mismatch(_) => "other-content",
            Self::Gone(_) => "changed",
            Self::Unreachable { .. } => "unreachable",
            Self::Draft(error) => error.code(),
        }
    }

    pub(crate) fn settings(url: &str, why: impl Display) -> Self {
        Self::Settings { url: url.to_owned(), why: without_secrets(&why.to_string()) }
    }

    pub(crate) fn unreachable(url: &str, why: impl Display) -> Self {
        Self::Unreachable { url: url.to_owned(), why: without_secrets(&why.to_string()) }
    }
}

/// A text whose URLs lost their queries, where signatures are (Azure's SAS, presigned URLs), and
/// cut to a length that can be read.
fn without_secrets(text: &str) -> String {
    const LENGTH_MAX: usize = 300;
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | ')');
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('?') {
        out.push_str(&rest[..at]);
        rest = rest[at..].find(ends).map_or("", |end| &rest[at + end..]);
    }
    out.push_str(rest);
    match out.char_indices().nth(LENGTH_MAX) {
        Some((end, _)) => format!("{}…", &out[..end]),
        None => out,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_in_urls_are_not_told() {
        let why = "error sending request for url (https://a.blob.example/films/a?sv=1&sig=SECRET)";
        let told = Trouble::unreachable("az://films/a", why).to_string();
        assert!(!told.contains("SECRET") && !told.contains("sv="), "{told}");
        assert!(told.contains("https://a.blob.example/films/a)"), "{told}");
        assert_eq!(without_secrets("a?b c?d"), "a c");
        assert_eq!(without_secrets(&"é".repeat(400)).chars().count(), 301);
    }
}
