//! Fuzzes an event, decoded, normalized and priced.
#![cfg_attr(fuzzing, no_main)]

tokenmeter_fuzz::fuzz!(rate);
