#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| pilotlight_fuzz::loopback::hold(input));
