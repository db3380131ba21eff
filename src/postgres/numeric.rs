//! Decimals on the wire: exact, from text to PostgreSQL's groups of four digits and back.

use bytes::{Buf, BufMut, BytesMut};

const DIGITS_OF_GROUP: usize = 4;
const NEGATIVE: u16 = 0x4000;

/// Writes a decimal, given as text of digits and at most one point, in the binary form; `None`:
/// it is no such text, or too long.
pub(super) fn put(out: &mut BytesMut, text: &str) -> Option<()> {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole = whole.trim_start_matches('0');
    let padded = |part: &str| part.len().next_multiple_of(DIGITS_OF_GROUP) - part.len();
    let all =
        format!("{}{whole}{fraction}{}", "0".repeat(padded(whole)), "0".repeat(padded(fraction)));
    let groups = all.as_bytes().chunks(DIGITS_OF_GROUP).map(|group| {
        group.iter().try_fold(0_u16, |value, digit| {
            digit.is_ascii_digit().then(|| value * 10 + u16::from(digit - b'0'))
        })
    });
    let groups: Vec<u16> = groups.collect::<Option<_>>()?;
    let leading = groups.iter().take_while(|group| **group == 0).count();
    let used = groups.get(leading..)?;
    let trailing = used.iter().rev().take_while(|group| **group == 0).count();
    let used = used.get(..used.len() - trailing)?;
    let whole_groups = whole.len().div_ceil(DIGITS_OF_GROUP);
    let weight = i16::try_from(whole_groups).ok()? - i16::try_from(leading).ok()? - 1;
    out.put_u16(u16::try_from(used.len()).ok()?);
    out.put_i16(if used.is_empty() { 0 } else { weight });
    out.put_u16(if is_negative && !used.is_empty() { NEGATIVE } else { 0 });
    out.put_u16(u16::try_from(fraction.len()).ok()?);
    used.iter().for_each(|group| out.put_u16(*group));
    Some(())
}

/// Reads the binary form as text; `None`: it is not one, or not a number.
pub(super) fn text(mut bytes: &[u8]) -> Option<String> {
    if bytes.remaining() < 8 {
        return None;
    }
    let (count, weight) = (usize::from(bytes.get_u16()), i32::from(bytes.get_i16()));
    let (sign, scale) = (bytes.get_u16(), usize::from(bytes.get_u16()));
    if !(sign == 0 || sign == NEGATIVE) || bytes.remaining() != 2 * count {
        return None;
    }
    let groups: Vec<u16> = (0..count).map(|_| bytes.get_u16()).collect();
    if groups.iter().any(|group| *group > 9_999) || !(-1_000..=1_000).contains(&weight) {
        return None;
    }
    let group = |place: i32| {
        let found = usize::try_from(weight - place).ok().and_then(|at| groups.get(at));
        format!("{:04}", found.copied().unwrap_or(0))
    };
    let whole: String = (0..=weight.max(0)).rev().map(group).collect();
    let fraction_groups = i32::try_from(scale.div_ceil(DIGITS_OF_GROUP)).ok()?;
    let fraction: String = (1..=fraction_groups).map(|place| group(-place)).collect();
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    let sign = if sign == NEGATIVE { "-" } else { "" };
    let fraction = fraction.get(..scale)?;
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_come_back_as_they_went() {
        for number in [
            "0",
            "0.00",
            "1",
            "-1",
            "10000",
            "12345678.9",
            "0.000000000001",
            "-0.00012345",
            "99999999999999999999999999.999999999999",
            "170141183460469231731687303715884105727",
            "1000000000000",
            "20.50",
            "0.1000",
            "-10000.0001",
        ] {
            let mut out = BytesMut::new();
            put(&mut out, number).expect(number);
            assert_eq!(text(&out).as_deref(), Some(number));
        }
        // As PostgreSQL itself writes 12345.678: two whole groups, one of a fraction.
        let mut out = BytesMut::new();
        put(&mut out, "12345.678").expect("a number");
        assert_eq!(out.as_ref(), [0, 3, 0, 1, 0, 0, 0, 3, 0, 1, 0x09, 0x29, 0x1a, 0x7c]);
        assert_eq!(put(&mut out, "1e5"), None);
        assert_eq!(text(&[0, 0, 0, 0, 0xC0, 0, 0, 0]), None, "not a number");
        assert_eq!(text(&[0, 2, 0, 0, 0, 0, 0, 0, 0, 1]), None, "too short");
    }
}
