#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| devrig_fuzz::flow::n8n(bytes));
