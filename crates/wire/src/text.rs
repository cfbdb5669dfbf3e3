//! Makes text from outside harmless to show: control characters out, length cut.

/// At most `chars_max` characters of `text`, without control characters and marks that turn the
/// direction of writing.
pub(crate) fn clean(text: &str, chars_max: usize) -> String {
    let harmless = |c: &char| {
        !c.is_control()
            && !matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
            && !matches!(c, '\u{2066}'..='\u{2069}')
    };
    text.chars().filter(harmless).take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_and_stripped() {
        assert_eq!(clean("a\nb\u{202e}c\u{7f}d", 3), "abc");
        assert_eq!(clean("\u{e9}\u{e9}\u{e9}", 2), "\u{e9}\u{e9}");
    }
}
