//! JSON as Go's `encoding/json` reads it, since that is what container runtimes see of a manifest or configuration.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

use crate::{
    failure::{self, Code, Failure},
    text,
};

/// A JSON value that keeps every key of an object, in order, repeated ones too.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Integer(i64),
    /// A number that Go's integers do not take: with a fraction or exponent, or too large.
    Other,
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// Parses one document; `what` names it in messages.
///
/// # Errors
/// `Corrupt` for a byte order mark, text behind the value, more than 127 levels, and whatever is no JSON.
pub(crate) fn parse(bytes: &[u8], what: &str) -> failure::Result<Value> {
    serde_json::from_str(&replace_invalid(bytes))
        .map_err(|error| Failure::new(Code::Corrupt, format!("{what} is not valid JSON: {error}")))
}

/// Every byte that is no UTF-8, and every escaped surrogate without its partner, becomes U+FFFD, as in Go.
fn replace_invalid(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        out.extend(chunk.invalid().iter().map(|_| '\u{fffd}'));
    }
    if out.contains("\\ud") || out.contains("\\uD") {
        out = replace_lone_surrogates(&out);
    }
    out
}

fn replace_lone_surrogates(json: &str) -> String {
    let unit = |text: &str| {
        let hex = text.strip_prefix("\\u")?.get(..4)?;
        u32::from_str_radix(hex, 16).ok()
    };
    let mut out = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let length = match unit(escape) {
            Some(0xd800..0xdc00)
                if escape
                    .get(6..)
                    .and_then(unit)
                    .is_some_and(|low| (0xdc00..0xe000).contains(&low)) =>
            {
                12
            }
            Some(0xd800..0xe000) => {
                out.push('\u{fffd}');
                rest = escape.get(6..).unwrap_or_default();
                continue;
            }
            // Two characters, so that an escaped backslash does not look like the start of the next escape.
            _ => escape.chars().take(2).map(char::len_utf8).sum(),
        };
        let (escape, after) = escape.split_at(length);
        out.push_str(escape);
        rest = after;
    }
    out.push_str(rest);
    out
}

/// A key as Go compares it with a field's name: by Unicode simple folding, which also takes U+017F for `s` and the
/// Kelvin sign for `k`.
fn fold(key: &str) -> String {
    key.chars()
        .map(|c| match c {
            '\u{17f}' => 's',
            '\u{212a}' => 'k',
            _ => {
                let mut lower = c.to_lowercase();
                match (lower.next(), lower.next()) {
                    (Some(only), None) => only,
                    _ => c,
                }
            }
        })
        .collect()
}

impl Value {
    /// The members of a structure by name; an absent one is null, and so are all of a null. `what` names the object.
    ///
    /// A key in another spelling that Go takes for the field is taken, with a note.
    ///
    /// # Errors
    /// `Ambiguous` if two keys are equal to Go; `Corrupt` if this is no object.
    pub(crate) fn fields<const N: usize>(
        &self,
        what: &str,
        names: [&str; N],
        notes: &mut Vec<String>,
    ) -> failure::Result<[&Value; N]> {
        let members = self.object(what)?;
        let mut keys: Vec<(String, &str, &Value)> = members
            .iter()
            .map(|(key, value)| (fold(key), key.as_str(), value))
            .collect();
        keys.sort_by(|a, b| a.0.cmp(&b.0));
        if let Some([a, b]) = keys.array_windows().find(|[a, b]| a.0 == b.0) {
            return Err(ambiguous(what, a.1, b.1));
        }
        Ok(names.map(|name| {
            let folded = fold(name);
            let Some((_, key, value)) = keys
                .binary_search_by(|(key, ..)| key.as_str().cmp(&folded))
                .ok()
                .and_then(|at| keys.get(at))
            else {
                return &Value::Null;
            };
            if *key != name {
                notes.push(format!(
                    "{what} spells `{name}` as `{}`; it is read as runtimes read it",
                    text::escape(key.as_bytes())
                ));
            }
            value
        }))
    }

    /// The members of a map, whose keys are the image's own and are told apart by case; null is an empty one.
    ///
    /// # Errors
    /// `Ambiguous` if a key stands there twice; `Corrupt` if this is no object.
    pub(crate) fn map(&self, what: &str) -> failure::Result<&[(String, Value)]> {
        let members = self.object(what)?;
        let mut keys: Vec<&str> = members.iter().map(|(key, _)| key.as_str()).collect();
        keys.sort_unstable();
        match keys.array_windows().find(|[a, b]| a == b) {
            Some([a, b]) => Err(ambiguous(what, a, b)),
            None => Ok(members),
        }
    }

    fn object(&self, what: &str) -> failure::Result<&[(String, Value)]> {
        match self {
            Self::Null => Ok(&[]),
            Self::Object(members) => Ok(members),
            _ => Err(wrong(what, "an object")),
        }
    }

    /// A list; null is an empty one.
    pub(crate) fn list(&self, what: &str) -> failure::Result<&[Value]> {
        match self {
            Self::Null => Ok(&[]),
            Self::List(items) => Ok(items),
            _ => Err(wrong(what, "a list")),
        }
    }

    /// A text; null is an empty one.
    pub(crate) fn text(&self, what: &str) -> failure::Result<&str> {
        match self {
            Self::Null => Ok(""),
            Self::Text(text) => Ok(text),
            _ => Err(wrong(what, "a text")),
        }
    }

    /// A list of texts; null is an empty one.
    pub(crate) fn texts(&self, what: &str) -> failure::Result<Vec<String>> {
        self.list(what)?
            .iter()
            .map(|item| item.text(what).map(str::to_owned))
            .collect()
    }

    /// An integer, if one is given.
    pub(crate) fn integer(&self, what: &str) -> failure::Result<Option<i64>> {
        match self {
            Self::Null => Ok(None),
            Self::Integer(number) => Ok(Some(*number)),
            _ => Err(wrong(what, "a whole number of 64 bits")),
        }
    }

    /// A truth value; null is false.
    pub(crate) fn flag(&self, what: &str) -> failure::Result<bool> {
        match self {
            Self::Null => Ok(false),
            Self::Bool(flag) => Ok(*flag),
            _ => Err(wrong(what, "true or false")),
        }
    }

    pub(crate) fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

fn wrong(what: &str, wanted: &str) -> Failure {
    Failure::new(Code::Corrupt, format!("{what} is not {wanted}"))
}

fn ambiguous(what: &str, a: &str, b: &str) -> Failure {
    let (a, b) = (text::escape(a.as_bytes()), text::escape(b.as_bytes()));
    Failure::new(
        Code::Ambiguous,
        format!("{what} has the keys `{a}` and `{b}`, of which two readers would take different ones"),
    )
    .advise("rebuild the image with a tool that writes each key once")
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keep;

        impl<'de> Visitor<'de> for Keep {
            type Value = Value;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON value")
            }

            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }

            fn visit_bool<E>(self, flag: bool) -> Result<Value, E> {
                Ok(Value::Bool(flag))
            }

            fn visit_i64<E>(self, number: i64) -> Result<Value, E> {
                Ok(Value::Integer(number))
            }

            fn visit_u64<E>(self, number: u64) -> Result<Value, E> {
                Ok(i64::try_from(number).map_or(Value::Other, Value::Integer))
            }

            fn visit_f64<E>(self, _: f64) -> Result<Value, E> {
                Ok(Value::Other)
            }

            fn visit_str<E>(self, text: &str) -> Result<Value, E> {
                Ok(Value::Text(text.to_owned()))
            }

            fn visit_string<E>(self, text: String) -> Result<Value, E> {
                Ok(Value::Text(text))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element()? {
                    items.push(item);
                }
                Ok(Value::List(items))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Value::Object(members))
            }
        }

        deserializer.deserialize_any(Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(json: &[u8]) -> (failure::Result<String>, Vec<String>) {
        let mut notes = Vec::new();
        let user = parse(json, "it").and_then(|value| {
            let [user] = value.fields("it", ["User"], &mut notes)?;
            user.text("it").map(str::to_owned)
        });
        (user, notes)
    }

    #[test]
    fn equal_keys_are_ambiguous() {
        for json in [
            r#"{"User":"0","User":"0"}"#,
            r#"{"User":"1000","user":"0"}"#,
            r#"{"User":"1000","uſer":"0"}"#,
            r#"{"User":"1000","u\u017fer":"0"}"#,
            "{\"User\":\"1\",\"x\":0,\"o\u{212a}\":1,\"OK\":2}",
        ] {
            assert_eq!(
                user(json.as_bytes()).0.unwrap_err().code,
                Code::Ambiguous,
                "{json}"
            );
        }
    }

    #[test]
    fn one_odd_spelling_is_read_and_noted() {
        for json in [r#"{"user":"0"}"#, r#"{"uſer":"0"}"#] {
            let (user, notes) = user(json.as_bytes());
            assert_eq!(user.unwrap(), "0");
            assert_eq!(notes.len(), 1);
        }
        assert_eq!(user(br#"{"User":"7"}"#), (Ok("7".into()), vec![]));
    }

    #[test]
    fn maps_tell_keys_apart_by_case() {
        let labels = parse(br#"{"A":"1","a":"2"}"#, "it").unwrap();
        assert_eq!(labels.map("it").unwrap().len(), 2);
        let twice = parse(br#"{"a":"1","b":"","a":"2"}"#, "it").unwrap();
        assert_eq!(twice.map("it").unwrap_err().code, Code::Ambiguous);
    }

    #[test]
    fn null_is_the_zero_value() {
        assert_eq!(user(br#"{"User":null}"#).0.unwrap(), "");
        assert_eq!(user(b"null").0.unwrap(), "");
        assert_eq!(Value::Null.texts("it").unwrap(), Vec::<String>::new());
        assert_eq!(Value::Null.integer("it").unwrap(), None);
    }

    #[test]
    fn invalid_text_becomes_replacement_characters() {
        assert_eq!(user(b"{\"User\":\"\xff\xfe\"}").0.unwrap(), "\u{fffd}\u{fffd}");
        assert_eq!(user(br#"{"User":"\ud800x"}"#).0.unwrap(), "\u{fffd}x");
        assert_eq!(user(br#"{"User":"\\ud800"}"#).0.unwrap(), r"\ud800");
        assert_eq!(user(br#"{"User":"\ud83d\ude00"}"#).0.unwrap(), "😀");
        assert_eq!(user(br#"{"User":"\udc00\ud83d"}"#).0.unwrap(), "\u{fffd}\u{fffd}");
    }

    #[test]
    fn numbers_are_whole_or_wrong() {
        for json in ["1e3", "1.0", "9223372036854775808"] {
            let value = parse(json.as_bytes(), "it").unwrap();
            assert_eq!(value.integer("it").unwrap_err().code, Code::Corrupt, "{json}");
        }
        assert_eq!(parse(b"-5", "it").unwrap().integer("it").unwrap(), Some(-5));
    }

    #[test]
    fn what_is_not_one_value_is_corrupt() {
        let deep = "[".repeat(200) + &"]".repeat(200);
        let fine = "[".repeat(100) + &"]".repeat(100);
        for json in ["\u{feff}{}", "{} {}", "{}x", "", "{", &deep] {
            assert_eq!(parse(json.as_bytes(), "it").unwrap_err().code, Code::Corrupt);
        }
        assert!(parse(fine.as_bytes(), "it").is_ok());
    }
}
