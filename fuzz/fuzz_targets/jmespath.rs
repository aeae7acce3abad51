#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| devrig_fuzz::expr::jmespath(bytes));
