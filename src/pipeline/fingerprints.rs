//! A compact set of identity hashes: six bytes of each, sorted.
//!
//! A hash that was added is always found; one that was not is found once in 2^48 / n. What is found
//! must therefore be looked up where the whole hashes are.

/// Bytes of a hash that are kept.
const KEPT: usize = 6;

/// The first bytes of identity hashes, sorted.
#[derive(Debug, Clone, Default)]
pub struct Fingerprints {
    sorted: Vec<[u8; KEPT]>,
}

impl Fingerprints {
    /// Adds hashes; costs as much as there are in it.
    pub fn extend(&mut self, hashes: impl ExactSizeIterator<Item = [u8; 16]>) {
        self.sorted.reserve_exact(hashes.len());
        self.sorted.extend(hashes.map(|hash| first_bytes(&hash)));
        self.sorted.sort_unstable();
    }

    /// Whether a hash may have been added; never a wrong no.
    pub fn may_contain(&self, hash: &[u8; 16]) -> bool {
        let wanted = first_bytes(hash);
        let near = self.near(&wanted).unwrap_or(&self.sorted);
        near.binary_search(&wanted).is_ok()
    }

    /// How many hashes are in it.
    pub const fn count(&self) -> usize {
        self.sorted.len()
    }

    /// The memory that it holds.
    pub const fn bytes(&self) -> usize {
        self.sorted.capacity() * KEPT
    }

    /// The few entries around the place where an even spread would have a hash, if they enclose it:
    /// most searches then touch two or three cache lines, however long the list is.
    fn near(&self, wanted: &[u8; KEPT]) -> Option<&[[u8; KEPT]]> {
        let [a, b, c, d, ..] = *wanted;
        let share = u128::from(u32::from_be_bytes([a, b, c, d]));
        let count = self.sorted.len();
        let place = usize::try_from((share * u128::try_from(count).ok()?) >> 32).ok()?;
        let spread = count.isqrt() * 2 + 16;
        let near = self.sorted.get(place.saturating_sub(spread)..count.min(place + spread))?;
        (near.first()? <= wanted && near.last()? >= wanted).then_some(near)
    }
}

fn first_bytes(hash: &[u8; 16]) -> [u8; KEPT] {
    let [a, b, c, d, e, f, ..] = *hash;
    [a, b, c, d, e, f]
}
