//! Sums the lines of a quote exactly, then rounds once.

use num_bigint::BigInt;

use super::fraction::Fraction;
use super::quote::{Part, Quote};
use crate::money::Usd;

/// The rounded cost and its parts, which sum to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Total {
    pub cost: Usd,
    /// Input, cache, output, fees.
    pub parts: [Usd; 4],
    /// Whether the rounding took anything away.
    pub rounded: bool,
}

const PARTS: [Part; 4] = [Part::Input, Part::Cache, Part::Output, Part::Fees];

/// The total of a quote; `None` when it does not fit the money columns.
pub(super) fn total(quote: &Quote<'_>) -> Option<Total> {
    let sums = fast(quote).or_else(|| slow(quote))?;
    sums.whole.0.fits_column().then(|| settle(sums))
}

/// The exact sums, each as a rounded amount: the four parts, then the whole.
struct Sums {
    parts: [Usd; 4],
    whole: (Usd, bool),
}

/// The largest part takes the rest that rounding leaves.
fn settle(sums: Sums) -> Total {
    let mut parts = sums.parts;
    let (cost, rounded) = sums.whole;
    let sum: i128 = parts.iter().map(|part| part.pico()).sum();
    let largest = parts.iter_mut().max_by_key(|part| part.pico());
    if let Some(largest) = largest {
        *largest = Usd::from_pico(largest.pico() + cost.pico() - sum);
    }
    Total { cost, parts, rounded }
}

fn fast(quote: &Quote<'_>) -> Option<Sums> {
    let mut sums = [Fraction::ZERO; 4];
    for line in &quote.lines {
        let sum = sums.get_mut(line.part as usize)?;
        *sum = sum.plus(line.rate()?.times_decimal(line.quantity)?)?;
    }
    let factor =
        quote.multipliers.iter().try_fold(Fraction::ONE, |all, row| all.times(row.rate))?;
    let mut whole = Fraction::ZERO;
    let mut parts = [Usd::ZERO; 4];
    for ((part, sum), rounded) in PARTS.into_iter().zip(sums).zip(&mut parts) {
        let sum = if part == Part::Fees { sum } else { sum.times(factor)? };
        whole = whole.plus(sum)?;
        *rounded = Usd::from_pico_ratio(sum.numerator, sum.denominator)?.0;
    }
    let whole = Usd::from_pico_ratio(whole.numerator, whole.denominator)?;
    Some(Sums { parts, whole })
}

/// The same over big integers, for the rare sum whose common denominator outgrows 128 bits.
fn slow(quote: &Quote<'_>) -> Option<Sums> {
    let mut sums = [(); 4].map(|()| Big::default());
    for line in &quote.lines {
        let rates = [Some(line.found.row.rate), line.found.base.map(|row| row.rate)];
        let multipliers = quote.multipliers.iter().map(|row| row.rate);
        let multipliers = multipliers.filter(|_| line.part != Part::Fees);
        let mut value = Big::of(line.quantity.mantissa(), 1);
        value.denominator *= BigInt::from(10_u8).pow(line.quantity.scale());
        for rate in
            rates.into_iter().chain([line.fx.map(|fx| fx.rate)]).flatten().chain(multipliers)
        {
            value.numerator *= rate.numerator;
            value.denominator *= rate.denominator;
        }
        sums.get_mut(line.part as usize)?.add(value);
    }
    let mut whole = Big::default();
    let mut parts = [Usd::ZERO; 4];
    for (sum, rounded) in sums.into_iter().zip(&mut parts) {
        *rounded = sum.round()?.0;
        whole.add(sum);
    }
    Some(Sums { parts, whole: whole.round()? })
}

#[derive(Clone)]
struct Big {
    numerator: BigInt,
    denominator: BigInt,
}

impl Default for Big {
    fn default() -> Self {
        Self::of(0, 1)
    }
}

impl Big {
    fn of(numerator: i128, denominator: i128) -> Self {
        Self { numerator: numerator.into(), denominator: denominator.into() }
    }

    fn add(&mut self, other: Self) {
        self.numerator =
            &self.numerator * &other.denominator + &other.numerator * &self.denominator;
        self.denominator *= other.denominator;
    }

    /// Rounds by the house's one rule: the whole part and, in quarters, where the rest lies.
    fn round(&self) -> Option<(Usd, bool)> {
        let whole = i128::try_from(&self.numerator / &self.denominator).ok()?;
        let rest = &self.numerator % &self.denominator;
        let quarters = if rest == BigInt::ZERO {
            0
        } else {
            2 + (&rest * 2_u8).cmp(&self.denominator) as i128
        };
        Usd::from_pico_ratio(whole.checked_mul(4)?.checked_add(quarters)?, 4)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn big_sums_round_half_to_even_too() {
        for (numerator, pico, rounded) in
            [(4, 2, false), (5, 2, true), (7, 4, true), (1, 0, true), (3, 2, true)]
        {
            let amount = Big::of(numerator, 2).round().expect("fits");
            assert_eq!(amount, (Usd::from_pico(pico), rounded), "{numerator} / 2");
        }
        assert_eq!(Big::of(100, 3).round(), Some((Usd::from_pico(33), true)));
        assert_eq!(Big::of(200, 3).round(), Some((Usd::from_pico(67), true)));
        let mut huge = Big::of(i128::MAX, 1);
        huge.numerator *= i128::MAX;
        assert_eq!(huge.round(), None);
    }
}
