//! Lines that every mail client shows whole.

/// The most characters of a line of text (RFC 5322, section 2.1.1).
pub(crate) const LINE_LEN_MAX: usize = 78;

/// Breaks a text into lines of at most [`LINE_LEN_MAX`] characters, between words alone: a link
/// that is longer stays whole.
pub(crate) fn wrap(text: &str) -> String {
    let mut lines = String::with_capacity(text.len());
    let mut len = 0;
    for word in text.split_whitespace() {
        let word_len = word.chars().count();
        if len > 0 {
            let breaks = len + 1 + word_len > LINE_LEN_MAX;
            lines.push(if breaks { '\n' } else { ' ' });
            len = if breaks { 0 } else { len + 1 };
        }
        lines.push_str(word);
        len += word_len;
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_are_as_long_as_they_may_be() {
        let wrapped = wrap(&"ünf word ".repeat(40));
        let lines: Vec<&str> = wrapped.lines().collect();
        assert!(lines.iter().all(|line| line.chars().count() <= LINE_LEN_MAX), "{wrapped}");
        assert!(lines.first().is_some_and(|line| line.chars().count() > LINE_LEN_MAX - 6));
        assert_eq!(wrapped.split_whitespace().count(), 80);
        let link = "x".repeat(200);
        assert_eq!(wrap(&format!("see {link} there")), format!("see\n{link}\nthere"));
    }
}
