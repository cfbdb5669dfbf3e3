//! Reads a task's arguments: flags, values after flags, and plain words. Knows no task.

use anyhow::Result;

/// The command line does not say what the task needs. Ends the program with exit code 2.
#[derive(Debug)]
pub(crate) struct UsageError(pub(crate) String);

impl std::fmt::Display for UsageError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for UsageError {}

/// The words after the task's name, taken out one by one.
pub(crate) struct Args {
    words: Vec<String>,
}

impl Args {
    pub(crate) fn new(words: Vec<String>) -> Self {
        Self { words }
    }

    /// Takes the flag out and says whether it was there.
    pub(crate) fn flag(&mut self, name: &str) -> bool {
        let found = self.words.iter().position(|word| word == name);
        if let Some(at) = found {
            self.words.remove(at);
        }
        found.is_some()
    }

    /// Takes `--name VALUE` or `--name=VALUE` out.
    pub(crate) fn value(&mut self, name: &str) -> Result<Option<String>> {
        let joined = format!("{name}=");
        if let Some(at) = self.words.iter().position(|word| word.starts_with(&joined)) {
            return Ok(Some(self.words.remove(at).split_off(joined.len())));
        }
        let Some(at) = self.words.iter().position(|word| word == name) else { return Ok(None) };
        self.words.remove(at);
        if at >= self.words.len() {
            return Err(UsageError(format!("{name} needs a value")).into());
        }
        Ok(Some(self.words.remove(at)))
    }

    /// Takes `--name NUMBER` out.
    pub(crate) fn number(&mut self, name: &str) -> Result<Option<u64>> {
        let Some(text) = self.value(name)? else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(UsageError(format!("{name} needs a number, not {text}")).into()),
        }
    }

    /// Takes the next plain word out.
    pub(crate) fn word(&mut self) -> Option<String> {
        let at = self.words.iter().position(|word| !word.starts_with('-'))?;
        Some(self.words.remove(at))
    }

    /// Takes all that is left, for another program.
    pub(crate) fn rest(self) -> Vec<String> {
        self.words
    }

    /// Fails when anything is left that nobody asked for.
    pub(crate) fn finish(self) -> Result<()> {
        match self.words.first() {
            None => Ok(()),
            Some(word) => Err(UsageError(format!("unknown argument {word}; see --help")).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &str) -> Args {
        Args::new(words.split_whitespace().map(str::to_owned).collect())
    }

    #[test]
    fn values_are_read_after_a_space_or_an_equals_sign() {
        let mut args = args("--rounds 7 --size=64 browser");
        assert_eq!(args.number("--rounds").unwrap(), Some(7));
        assert_eq!(args.number("--size").unwrap(), Some(64));
        assert_eq!(args.word().as_deref(), Some("browser"));
        args.finish().unwrap();
    }

    #[test]
    fn what_nobody_asked_for_is_refused() {
        let mut args = args("--quiet");
        assert!(!args.flag("--json"));
        assert!(args.finish().is_err());
    }

    #[test]
    fn a_value_that_is_missing_or_no_number_is_refused() {
        assert!(args("--rounds").number("--rounds").is_err());
        assert!(args("--rounds many").number("--rounds").is_err());
    }
}
