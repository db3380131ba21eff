//! The token classes: every token is in exactly one.

use std::fmt;

macro_rules! token_classes {
    ($($variant:ident => $name:literal, $doc:literal;)*) => {
        /// A class of tokens that is priced on its own. Classes are disjoint.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum TokenClass {
            $(#[doc = $doc] $variant,)*
        }

        impl TokenClass {
            /// Every class, in column order.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// The name in tables, price books and output.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The class of that name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name => Some(Self::$variant),)* _ => None }
            }
        }
    };
}

token_classes! {
    InputText => "input_text", "Text read, not from a cache.";
    InputAudio => "input_audio", "Audio read.";
    InputImage => "input_image", "Images read.";
    InputVideo => "input_video", "Video read.";
    InputTool => "input_tool", "Tool results read that are billed as input.";
    CacheReadText => "cache_read_text", "Text read from the provider's cache.";
    CacheReadAudio => "cache_read_audio", "Audio read from the cache.";
    CacheReadImage => "cache_read_image", "Images read from the cache.";
    CacheReadVideo => "cache_read_video", "Video read from the cache.";
    CacheReadTextExplicit => "cache_read_text_explicit", "Text read from an explicitly made cache.";
    CacheWrite5m => "cache_write_5m", "Written to the cache for 5 minutes.";
    CacheWrite30m => "cache_write_30m", "Written to the cache for 30 minutes.";
    CacheWrite1h => "cache_write_1h", "Written to the cache for an hour.";
    CacheWrite12h => "cache_write_12h", "Written to the cache for 12 hours.";
    CacheWrite => "cache_write", "Written to the cache, lifetime unknown.";
    OutputText => "output_text", "Text written.";
    OutputReasoning => "output_reasoning", "Thoughts written.";
    OutputAudio => "output_audio", "Audio written.";
    OutputImage => "output_image", "Images written.";
    OutputVideo => "output_video", "Video written.";
    Citation => "citation", "Citations read by a search model.";
}

impl TokenClass {
    /// Whether it is read by the model: input and both sides of its cache.
    pub fn is_input(self) -> bool {
        self <= Self::CacheWrite
    }

    /// Whether it is written by the model.
    pub fn is_output(self) -> bool {
        self >= Self::OutputText && self <= Self::OutputVideo
    }

    /// Whether it is read from or written to the provider's cache.
    pub fn is_cache(self) -> bool {
        self >= Self::CacheReadText && self <= Self::CacheWrite
    }
}

impl fmt::Display for TokenClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Token counts by class; a class that is not there counts 0 tokens.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tokens([u64; TokenClass::ALL.len()]);

impl Tokens {
    /// The tokens of one class.
    pub fn count(&self, class: TokenClass) -> u64 {
        self.0.get(class as usize).copied().unwrap_or_default()
    }

    /// Sets the tokens of one class.
    pub fn set(&mut self, class: TokenClass, tokens: u64) {
        if let Some(slot) = self.0.get_mut(class as usize) {
            *slot = tokens;
        }
    }

    /// Adds tokens to one class; `None` on overflow.
    pub fn add(&mut self, class: TokenClass, tokens: u64) -> Option<()> {
        let slot = self.0.get_mut(class as usize)?;
        *slot = slot.checked_add(tokens)?;
        Some(())
    }

    /// Adds all classes of another count; `None` on overflow.
    pub fn add_all(&mut self, other: &Self) -> Option<()> {
        other.present().try_for_each(|(class, tokens)| self.add(class, tokens))
    }

    /// The classes that have tokens, in column order.
    pub fn present(&self) -> impl Iterator<Item = (TokenClass, u64)> + '_ {
        let counts = TokenClass::ALL.into_iter().zip(self.0);
        counts.filter(|(_, tokens)| *tokens > 0)
    }

    /// All that the model read: input, cache reads and cache writes. This is also what context
    /// tiers compare with their threshold.
    pub fn total_input(&self) -> Option<u64> {
        self.sum(TokenClass::is_input)
    }

    /// All that the model wrote.
    pub fn total_output(&self) -> Option<u64> {
        self.sum(TokenClass::is_output)
    }

    fn sum(&self, of: fn(TokenClass) -> bool) -> Option<u64> {
        let counts = self.present().filter(|(class, _)| of(*class));
        counts.map(|(_, tokens)| tokens).try_fold(0_u64, u64::checked_add)
    }
}
