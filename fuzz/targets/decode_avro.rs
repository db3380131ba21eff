//! Fuzzes an event or a schema as Avro.
#![cfg_attr(fuzzing, no_main)]

tokenmeter_fuzz::fuzz!(decode_avro);
