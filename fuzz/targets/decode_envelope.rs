//! Fuzzes an envelope of the accepted log.
#![cfg_attr(fuzzing, no_main)]

tokenmeter_fuzz::fuzz!(decode_envelope);
