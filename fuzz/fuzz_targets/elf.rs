#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| scant::fuzzing::elf(data));
