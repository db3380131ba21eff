//! Layers of the book: whose prices they are, and which beat which.

/// A book file that lies over the built-in book: its name for people, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The file's name, as errors and the `prices` table show it.
    pub name: String,
    /// The file's content: TOML.
    pub text: String,
}

impl Layer {
    /// A layer from a file's name and content.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self { name: name.into(), text: text.into() }
    }
}

/// Whose prices a layer holds; a later kind beats an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LayerKind {
    /// What everybody pays: the built-in book and published maps.
    #[default]
    List,
    /// What the account has agreed with the provider.
    Contract,
    /// What one tenant or one deployment pays.
    Override,
}

impl LayerKind {
    /// The name in book files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Contract => "contract",
            Self::Override => "override",
        }
    }

    /// The kind of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::List, Self::Contract, Self::Override].into_iter().find(|kind| kind.name() == name)
    }
}
