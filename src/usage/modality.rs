//! Divides what was read and written by modality, so that every token is in exactly one class.

use super::{TokenClass, Tokens};

/// Tokens by modality; documents (PDF pages) count as images.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Modalities {
    pub text: u64,
    pub audio: u64,
    pub image: u64,
    pub video: u64,
}

impl Modalities {
    /// Whether anything but text is there.
    pub const fn is_mixed(&self) -> bool {
        self.audio > 0 || self.image > 0 || self.video > 0
    }

    /// All of it; `None` on overflow.
    pub fn total(&self) -> Option<u64> {
        self.text.checked_add(self.audio)?.checked_add(self.image)?.checked_add(self.video)
    }

    /// What is left without `part`; `None` when the part is larger in any modality.
    fn less(&self, part: &Self) -> Option<Self> {
        Some(Self {
            text: self.text.checked_sub(part.text)?,
            audio: self.audio.checked_sub(part.audio)?,
            image: self.image.checked_sub(part.image)?,
            video: self.video.checked_sub(part.video)?,
        })
    }

    /// The share of `tokens` of unknown modality: text up to the text there is, then the others.
    fn share(&self, tokens: u64) -> Option<Self> {
        let mut rest = tokens;
        let mut draw = |there: u64| {
            let drawn = there.min(rest);
            rest -= drawn;
            drawn
        };
        let share = Self {
            text: draw(self.text),
            audio: draw(self.audio),
            image: draw(self.image),
            video: draw(self.video),
        };
        (rest == 0).then_some(share)
    }
}

/// The part of the input that was read from the provider's cache.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cached {
    /// Its modalities are reported.
    Split(Modalities),
    /// Only its size is.
    Unsplit(u64),
}

/// Everything one request read.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// All of it by modality, cache reads and writes included.
    pub whole: Modalities,
    /// The part read from the cache.
    pub cached: Cached,
    /// The parts written to the cache.
    pub written: Vec<(TokenClass, u64)>,
}

impl Input {
    /// Puts every token into its class and says whether a modality had to be estimated; `None` when
    /// the parts are more than the whole.
    pub fn classify(&self, tokens: &mut Tokens) -> Option<bool> {
        let (read, unsplit) = match self.cached {
            Cached::Split(read) => (read, 0),
            Cached::Unsplit(read) => (self.whole.share(read)?, read),
        };
        let mut rest = self.whole.less(&read)?;
        let mut estimated = unsplit > 0 && self.whole.is_mixed();
        for (class, written) in &self.written {
            estimated |= *written > 0 && rest.is_mixed();
            rest = rest.less(&rest.share(*written)?)?;
            tokens.add(*class, *written)?;
        }
        for (class, count) in [
            (TokenClass::InputText, rest.text),
            (TokenClass::InputAudio, rest.audio),
            (TokenClass::InputImage, rest.image),
            (TokenClass::InputVideo, rest.video),
            (TokenClass::CacheReadText, read.text),
            (TokenClass::CacheReadAudio, read.audio),
            (TokenClass::CacheReadImage, read.image),
            (TokenClass::CacheReadVideo, read.video),
        ] {
            tokens.add(class, count)?;
        }
        Some(estimated)
    }
}
