//! The parts of an error's one line of text: class, what was said, and where.

/// Where an exception was raised.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Place {
    /// The function that raised, by its name in Python.
    pub function: String,
    /// Its file, without the folder.
    pub file: String,
    /// The line in that file, from 1 on. Where the compiler records none (a division by zero, an index past the end), an
    /// exported library says the function's first line.
    pub line: u32,
}

/// The parts of `ValueError: negative start (in logp, model.py:12)`, as docs/specification.md defines them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Parts<'a> {
    pub(crate) class: Option<&'a str>,
    pub(crate) text: &'a str,
    pub(crate) place: Option<Place>,
}

impl<'a> Parts<'a> {
    /// Any text has parts: what has not the form of a class or of a place belongs to what was said.
    pub(crate) fn of(line: &'a str) -> Self {
        let (class, rest) = match line.split_once(':') {
            Some((class, rest)) if is_name(class) => (Some(class), rest.strip_prefix(' ').unwrap_or(rest)),
            _ => (None, line),
        };
        match rest.rsplit_once(" (in ").and_then(|(text, behind)| Some((text, place(behind)?))) {
            Some((text, place)) => Parts { class, text, place: Some(place) },
            None => Parts { class, text: rest, place: None },
        }
    }
}

/// `logp, model.py:12)`
fn place(text: &str) -> Option<Place> {
    let (function, file) = text.strip_suffix(')')?.split_once(", ")?;
    let (file, line) = file.rsplit_once(':')?;
    // `parse` would take a sign as well.
    let digits = line.bytes().all(|byte| byte.is_ascii_digit());
    let line = line.parse().ok().filter(|_| digits)?;
    Some(Place { function: function.to_owned(), file: file.to_owned(), line })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::{Parts, Place};

    fn at(function: &str, file: &str, line: u32) -> Option<Place> {
        Some(Place { function: function.to_owned(), file: file.to_owned(), line })
    }

    #[test]
    fn a_line_has_its_parts() {
        for (line, class, text, place) in [
            ("ValueError: far, 2.5 (in f, m.py:12)", Some("ValueError"), "far, 2.5", at("f", "m.py", 12)),
            ("RuntimeError:  (in <lambda>, m.py:3)", Some("RuntimeError"), "", at("<lambda>", "m.py", 3)),
            ("KeyError: ", Some("KeyError"), "", None),
            ("KeyError:", Some("KeyError"), "", None),
            ("a.b_C: d: e", Some("a.b_C"), "d: e", None),
            // Only the last is a place, and only at the end.
            ("E: x (in g, n.py:1) (in f, a b.py:2)", Some("E"), "x (in g, n.py:1)", at("f", "a b.py", 2)),
            ("E: x (in f, m.py:2) and on", Some("E"), "x (in f, m.py:2) and on", None),
            ("E: x (in f, c:d, e.py:2)", Some("E"), "x", at("f", "c:d, e.py", 2)),
            ("E: naïve (in größe, größe.py:7)", Some("E"), "naïve", at("größe", "größe.py", 7)),
        ] {
            assert_eq!(Parts::of(line), Parts { class, text, place }, "{line}");
        }
    }

    #[test]
    fn what_has_not_the_form_was_said() {
        for line in [
            "",
            ":",
            "an exception raised by the callback",
            "two words: x",
            " (in ",
            "x (in f, m.py:)",
            "x (in f, m.py:+1)",
            "x (in f, m.py:4294967296)",
            "x (in f m.py:1)",
            "x (in f, m.py)",
            "x (in f, m.py:1",
        ] {
            assert_eq!(Parts::of(line), Parts { class: None, text: line, place: None });
        }
    }
}
