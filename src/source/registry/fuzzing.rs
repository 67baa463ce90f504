//! Fuzz target of the headers that a registry answers with.

use std::time::{Duration, SystemTime};

use super::{
    blob::parse_range,
    challenge::{Challenge, choose},
    retry::retry_after,
};
use crate::fuzzing::lossy;

/// `WWW-Authenticate`, `Retry-After` and `Content-Range`, a header in each line.
pub fn http_headers(data: &[u8]) {
    let text = lossy(data);
    match choose(text.lines()) {
        None => {}
        Some(Challenge::Basic) => assert!(text.to_ascii_lowercase().contains("basic")),
        Some(Challenge::Bearer { realm, service }) => {
            assert!(text.to_ascii_lowercase().contains("bearer"));
            assert!(realm.len() + service.unwrap_or_default().len() <= text.len());
        }
    }
    let longest = Duration::from_mins(2);
    for line in text.lines() {
        let wait = retry_after(line, SystemTime::UNIX_EPOCH, longest);
        assert!(wait.is_none_or(|wait| wait <= longest));
        if let Some((start, total)) = parse_range(line) {
            let numbers = [Some(start), total].into_iter().flatten();
            assert!(
                numbers
                    .into_iter()
                    .all(|number| line.contains(number.to_string().trim_start_matches('0')))
            );
        }
    }
}
