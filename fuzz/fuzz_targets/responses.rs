#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| ack_upgrade_exporter_fuzz::targets::responses(input));
