//! Fuzzes a body of events as JSON.
#![cfg_attr(fuzzing, no_main)]

tokenmeter_fuzz::fuzz!(decode_json);
