#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scant::fuzzing::http_headers(data));
