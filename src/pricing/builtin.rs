//! The book that is built into the program: a file for each provider in `prices/`.

use super::Layer;

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        [$((concat!("built-in/", $name), include_str!(concat!("../../prices/", $name)))),*]
    };
}

/// The files of the built-in book.
pub(super) fn layers() -> Vec<Layer> {
    let files = built_in![
        "openai.toml",
        "anthropic.toml",
        "google.toml",
        "vertex_ai.toml",
        "azure.toml",
        "azure_ai.toml",
        "bedrock.toml",
        "mistral.toml",
        "cohere.toml",
        "deepseek.toml",
        "xai.toml",
        "moonshot.toml",
        "perplexity.toml",
        "groq.toml",
    ];
    files.into_iter().map(|(name, text)| Layer::new(name, text)).collect()
}
