//! A file per dialect: the fields, the rules between them, the source of each rule.

mod anthropic_messages;
mod azure_chat;
mod bedrock_converse;
mod bedrock_guardrail;
mod bedrock_invoke_model;
mod cerebras;
mod cohere_chat;
mod cohere_rerank;
mod dashscope;
mod deepseek;
mod fireworks;
mod google_generate_content;
mod google_grounding;
mod google_live;
mod groq;
mod litellm_proxy_chat;
mod mistral_audio;
mod mistral_chat;
mod mistral_ocr;
mod moonshot;
mod openai_audio;
mod openai_chat;
mod openai_compatible;
mod openai_embeddings;
mod openai_images;
mod openai_items;
mod openai_realtime;
mod openai_responses;
mod openai_shape;
mod openai_videos;
mod openrouter;
mod otel_span;
mod perplexity;
mod sglang;
mod tensorrt_llm;
mod together;
mod vllm;
mod watsonx;
mod xai_chat;
mod xai_responses;
mod xai_tools;

use super::dialect::Dialect;

/// Every dialect. When the shape of the counters has to tell, the first that it tells wins, so that
/// the most particular stand first.
pub(super) const DIALECTS: [&Dialect; 37] = [
    &google_generate_content::DIALECT,
    &google_live::DIALECT,
    &litellm_proxy_chat::DIALECT,
    &openai_chat::DIALECT,
    &openai_embeddings::DIALECT,
    &azure_chat::DIALECT,
    &openai_responses::DIALECT,
    &openai_realtime::DIALECT,
    &openai_audio::DIALECT,
    &openai_images::DIALECT,
    &openai_videos::DIALECT,
    &bedrock_converse::DIALECT,
    &bedrock_invoke_model::DIALECT,
    &bedrock_guardrail::DIALECT,
    &mistral_chat::DIALECT,
    &mistral_audio::DIALECT,
    &mistral_ocr::DIALECT,
    &cohere_chat::DIALECT,
    &cohere_rerank::DIALECT,
    &deepseek::DIALECT,
    &xai_chat::DIALECT,
    &xai_responses::DIALECT,
    &groq::DIALECT,
    &cerebras::DIALECT,
    &together::DIALECT,
    &fireworks::DIALECT,
    &vllm::DIALECT,
    &sglang::DIALECT,
    &tensorrt_llm::DIALECT,
    &openrouter::DIALECT,
    &perplexity::DIALECT,
    &moonshot::DIALECT,
    &dashscope::DIALECT,
    &watsonx::DIALECT,
    &otel_span::DIALECT,
    &openai_compatible::DIALECT,
    &anthropic_messages::DIALECT,
];
