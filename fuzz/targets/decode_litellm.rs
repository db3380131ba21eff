//! Fuzzes an event as LiteLLM posts it.
#![cfg_attr(fuzzing, no_main)]

tokenmeter_fuzz::fuzz!(decode_litellm);
