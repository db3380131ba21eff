//! Mutates bytes: bits, ranges, splices, and JSON's own tokens, from a seeded generator.

/// SplitMix64: small, seeded, the same everywhere.
pub struct Random(pub u64);

impl Random {
    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 { 0 } else { (self.next() % end as u64) as usize }
    }
}

/// What stands for a value: edges of integers and decimals, nesting, wrong kinds.
const VALUES: [&str; 24] = [
    "0",
    "-0",
    "-1",
    "1",
    "200.5",
    "1e3",
    "1e400",
    "1e-400",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "99999999999999999999999999999999999999999",
    "0.0000000000000000000000000000000001",
    "NaN",
    "null",
    "true",
    "\"\"",
    "\"12\"",
    "\"-5\"",
    "\"\\ud800\"",
    "[]",
    "{}",
    "[[[[[[[[[[]]]]]]]]]]",
    "[{\"usage\":{\"prompt_tokens\":1}}]",
];

/// A few changes of a seed: of JSON's values only, half of the time.
pub fn mutated(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    let kinds = if random.below(2) == 0 { 1 } else { 8 };
    for _ in 0..=random.below(4) {
        match 7 - random.below(kinds) {
            0 => flip(&mut bytes, random),
            1 => overwrite(&mut bytes, random),
            2 => cut(&mut bytes, random),
            3 => repeat(&mut bytes, random),
            4 => splice(&mut bytes, &seeds[random.below(seeds.len())], random),
            _ => replace_value(&mut bytes, random),
        }
    }
    bytes
}

fn flip(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= 1 << random.below(8);
    }
}

fn overwrite(bytes: &mut [u8], random: &mut Random) {
    let at = random.below(bytes.len());
    if let Some(byte) = bytes.get_mut(at) {
        *byte = [0, 1, 0x7f, 0x80, 0xff, b'"', b'{', b'-'][random.below(8)];
    }
}

fn range(bytes: &[u8], random: &mut Random) -> (usize, usize) {
    let start = random.below(bytes.len());
    (start, (start + 1 + random.below(32)).min(bytes.len()))
}

fn cut(bytes: &mut Vec<u8>, random: &mut Random) {
    let (start, end) = range(bytes, random);
    if random.below(4) == 0 {
        bytes.truncate(start);
    } else {
        bytes.drain(start..end);
    }
}

fn repeat(bytes: &mut Vec<u8>, random: &mut Random) {
    let (start, end) = range(bytes, random);
    let part = bytes[start..end].repeat(1 + random.below(40));
    bytes.splice(start..start, part);
}

fn splice(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let (start, end) = range(other, random);
    let at = random.below(bytes.len() + 1);
    bytes.splice(at..at, other[start..end].iter().copied());
}

/// Replaces what follows some key up to the next `,` or bracket.
fn replace_value(bytes: &mut Vec<u8>, random: &mut Random) {
    let colons: Vec<usize> = (1..bytes.len()).filter(|&at| bytes[at - 1..=at] == *b"\":").collect();
    let Some(&colon) = colons.get(random.below(colons.len())) else { return };
    let rest = bytes[colon + 1..].iter();
    let length = rest.take_while(|byte| !matches!(byte, b',' | b'}' | b']' | b'{' | b'[')).count();
    let value = VALUES[random.below(VALUES.len())].bytes();
    bytes.splice(colon + 1..colon + 1 + length, value);
}
