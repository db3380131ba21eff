//! Digits that a binary float left behind: rounded away and remarked.

use super::write::Rate;
use crate::money::Decimal;
use crate::pricing::Report;

/// The most significant digits that a price keeps.
const DIGITS_MAX: usize = 14;

/// The rate of a published amount; residue is rounded away and remarked as `model`'s.
pub(super) fn rate(amount: Decimal, per: Option<u64>, model: &str, report: &mut Report) -> Rate {
    let (amount, float_residue) = without_residue(amount);
    if float_residue {
        report.add("float_residue", || format!("{model}: {amount}"));
    }
    Rate { amount, per, float_residue }
}

fn without_residue(amount: Decimal) -> (Decimal, bool) {
    let digits = amount.mantissa().unsigned_abs().to_string().len();
    let Some(excess) = digits.checked_sub(DIGITS_MAX).filter(|excess| *excess > 0) else {
        return (amount, false);
    };
    let scale = u32::try_from(excess).ok().and_then(|excess| amount.scale().checked_sub(excess));
    let rounded = scale.and_then(|scale| Some(Decimal::new(amount.rounded(scale)?.0, scale)));
    rounded.map_or((amount, false), |rounded| (rounded, true))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn residue_of_binary_floats_is_rounded_away() {
        let clean = |text: &str| without_residue(text.parse().expect("a decimal"));
        for (text, rounded, residue) in [
            ("2.6000000000000003e-07", "0.00000026", true),
            ("1.25e-06", "0.00000125", false),
            ("0.000283333333333", "0.000283333333333", false),
            ("3.3333333333333335e-05", "0.000033333333333333", true),
        ] {
            let (amount, flagged) = clean(text);
            assert_eq!((amount.to_string().as_str(), flagged), (rounded, residue), "{text}");
        }
    }
}
