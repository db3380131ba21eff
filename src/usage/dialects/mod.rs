//! A file per dialect: the fields, the rules between them, the source of each rule.

pub(super) mod anthropic_messages;
pub(super) mod google_generate_content;
mod google_grounding;
pub(super) mod litellm_proxy_chat;
pub(super) mod openai_chat;
pub(super) mod openai_compatible;
mod openai_items;
pub(super) mod openai_responses;
mod openai_shape;
