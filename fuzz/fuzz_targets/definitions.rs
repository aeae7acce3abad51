#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| devrig_fuzz::flow::definitions(bytes));
