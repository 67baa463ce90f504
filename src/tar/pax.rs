//! PAX records are the `length key=value` lines that extend a member's header.

use std::ops::Range;

use super::{Fault, Sink, decimal};

/// The key of a sparse map, also of the one that version 0.0 spreads over many records.
pub(super) const SPARSE_MAP: &[u8] = b"GNU.sparse.map";

const BAD: Fault = Fault::corrupt("has a PAX record that breaks the format");

/// The records of one extended header; of a key that comes twice the last one counts, an empty value counts as none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Records {
    text: Vec<u8>,
    /// Where keys and values lie in `text`, sorted by key, each key once.
    spans: Vec<(Range<usize>, Range<usize>)>,
}

impl Records {
    /// Reads the body of an `x` or `g` member: records are told apart by their length, since values may hold anything.
    pub(super) fn parse(mut text: Vec<u8>, most: usize) -> Result<Self, Fault> {
        let mut spans: Vec<(Range<usize>, Range<usize>)> = Vec::new();
        let mut spread = Vec::new();
        let (mut at, mut count) = (0, 0_usize);
        while at < text.len() {
            let (key, value) = record(&text, at)?;
            let next = value.end + 1;
            count += 1;
            if count > most {
                return Err(Fault::too_large(format!(
                    "has more than {most} PAX records (limit)"
                )));
            }
            let expected = [&b"GNU.sparse.offset"[..], b"GNU.sparse.numbytes"];
            if expected.contains(&&text[key.clone()]) {
                let turn = spread.len() % 2;
                if text[key] != *expected[turn] || text[value.clone()].contains(&b',') {
                    return Err(Fault::corrupt("has a sparse map out of order"));
                }
                spread.push(value);
            } else {
                spans.push((key, value));
            }
            at = next;
        }
        if !spread.is_empty() {
            let joined: Vec<u8> = spread
                .iter()
                .map(|value| &text[value.clone()])
                .collect::<Vec<_>>()
                .join(&b',');
            let key = text.len();
            text.extend_from_slice(SPARSE_MAP);
            let value = text.len();
            text.extend_from_slice(&joined);
            spans.push((key..value, value..text.len()));
        }
        // The sort is stable and duplicates are met from behind, so that the last record of a key stays.
        spans.reverse();
        spans.sort_by(|a, b| text[a.0.clone()].cmp(&text[b.0.clone()]));
        spans.dedup_by(|a, b| text[a.0.clone()] == text[b.0.clone()]);
        Ok(Self { text, spans })
    }

    /// The value of `key`; `None` when it is absent or empty.
    pub(super) fn get(&self, key: &[u8]) -> Option<&[u8]> {
        let at = self
            .spans
            .binary_search_by(|(span, _)| self.text[span.clone()].cmp(key))
            .ok()?;
        let value = &self.text[self.spans[at].1.clone()];
        (!value.is_empty()).then_some(value)
    }

    /// The value of `key` as a decimal number.
    pub(super) fn number(&self, key: &[u8]) -> Result<Option<i64>, Fault> {
        self.get(key)
            .map(|text| decimal(text).ok_or(Fault::corrupt("has a PAX number that is no number")))
            .transpose()
    }

    /// All records by key, also those without a value: Go hands them out with the others, and an extended attribute may be empty.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans
            .iter()
            .map(|(key, value)| (&self.text[key.clone()], &self.text[value.clone()]))
    }

    /// Refuses times that Go refuses; scant has no use for them otherwise.
    pub(super) fn check_times(&self) -> Result<(), Fault> {
        for key in [&b"atime"[..], b"mtime", b"ctime"] {
            if !self.get(key).is_none_or(is_time) {
                return Err(Fault::corrupt("has a PAX time that is no time"));
            }
        }
        Ok(())
    }

    /// Says what a global header would give all members: common runtimes apply none of it.
    pub(super) fn remark_as_global(&self, sink: &mut impl Sink) {
        for key in [&b"path"[..], b"linkpath", b"size"] {
            if let Some(value) = self.get(key) {
                sink.odd("a global header names a path, link or size", value);
            }
        }
        let keys = self.iter().map(|(key, _)| key);
        for key in keys.filter(|key| key.ends_with(b"xattr.security.capability")) {
            sink.odd(
                "a global header carries file capabilities for all members, which common runtimes do not apply",
                key,
            );
        }
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
}

/// The key and value of the record that starts at `at`; the newline stands behind the value.
fn record(text: &[u8], at: usize) -> Result<(Range<usize>, Range<usize>), Fault> {
    let rest = &text[at..];
    let blank = memchr::memchr(b' ', rest).ok_or(BAD)?;
    let length = decimal(&rest[..blank])
        .and_then(|length| usize::try_from(length).ok())
        .filter(|&length| length >= 5 && length <= rest.len() && length > blank + 1)
        .ok_or(BAD)?;
    let (start, end) = (blank + 1, length - 1);
    if rest[end] != b'\n' {
        return Err(BAD);
    }
    let equals = start + memchr::memchr(b'=', &rest[start..end]).ok_or(BAD)?;
    let (key, value) = (&rest[start..equals], &rest[equals + 1..end]);
    let without_nul = match key {
        b"" => return Err(BAD),
        b"path" | b"linkpath" | b"uname" | b"gname" => value,
        _ => key,
    };
    if without_nul.contains(&0) {
        return Err(Fault::corrupt("has a NUL byte in a PAX record"));
    }
    Ok((at + start..at + equals, at + equals + 1..at + end))
}

/// Seconds with an optional fraction.
fn is_time(text: &[u8]) -> bool {
    let (seconds, fraction) = match memchr::memchr(b'.', text) {
        Some(dot) => (&text[..dot], &text[dot + 1..]),
        None => (text, &b""[..]),
    };
    decimal(seconds).is_some() && fraction.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &[u8]) -> Result<Records, Fault> {
        Records::parse(text.to_vec(), 100)
    }

    #[test]
    fn records_are_told_apart_by_length() {
        let records = parse(b"12 a=\n\x00=\nzz\n9 path=b\n").unwrap();
        assert_eq!(records.get(b"a"), Some(&b"\n\0=\nzz"[..]));
        assert_eq!(records.get(b"path"), Some(&b"b"[..]));
        assert_eq!(records.get(b"b"), None);
    }

    #[test]
    fn the_last_record_of_a_key_counts_and_an_empty_one_unsets() {
        let records = parse(b"9 path=a\n9 path=b\n").unwrap();
        assert_eq!(records.get(b"path"), Some(&b"b"[..]));
        let records = parse(b"9 path=a\n8 path=\n").unwrap();
        assert_eq!(records.get(b"path"), None);
        assert_eq!(records.iter().next(), Some((&b"path"[..], &b""[..])));
    }

    #[test]
    fn one_bad_record_refuses_all() {
        for bad in [
            &b"9 path=a"[..],
            b"9path=aa\n",
            b"8 path=a\n",
            b"11 path=a\n",
            b"x path=a\n",
            b"-9 path=a\n",
            b"99999999999999999999 path=a\n",
            b"4 =\n",
            b"5 =a\n",
            b"6 aaa\n",
            b"10 path=\0b\n",
            b"8 a\0b=c\n",
            b"2 a=b\n",
            b"\n",
        ] {
            assert!(parse(bad).is_err(), "{:?}", bad.escape_ascii().to_string());
        }
        assert!(Records::parse(b"6 a=b\n6 a=c\n".to_vec(), 1).is_err());
    }

    #[test]
    fn times_are_checked_as_go_does() {
        for (time, good) in [
            (&b"1"[..], true),
            (b"-1.5", true),
            (b"1.", true),
            (b"1.123456789123", true),
            (b".5", false),
            (b"1.x", false),
            (b"1e5", false),
        ] {
            assert_eq!(is_time(time), good, "{time:?}");
        }
    }
}
