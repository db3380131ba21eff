//! Exact fractions: what a rate is before the one rounding.
//!
//! In: decimals. Out: [`Fraction`]. Every operation says `None` instead of wrapping around; the
//! caller then takes the slow path over big integers.

use crate::money::{Decimal, Usd};

/// `numerator / denominator` in lowest terms, the denominator above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fraction {
    pub numerator: i128,
    pub denominator: i128,
}

impl Fraction {
    pub(super) const ZERO: Self = Self { numerator: 0, denominator: 1 };
    pub(super) const ONE: Self = Self { numerator: 1, denominator: 1 };

    /// The fraction in lowest terms; `None` unless the denominator is above zero.
    pub(super) fn new(numerator: i128, denominator: i128) -> Option<Self> {
        if denominator <= 0 {
            return None;
        }
        let divisor = greatest_common_divisor(numerator, denominator)?;
        Some(Self { numerator: numerator / divisor, denominator: denominator / divisor })
    }

    /// `amount / per`.
    pub(super) fn of(amount: Decimal, per: u64) -> Option<Self> {
        let denominator = 10_i128.checked_pow(amount.scale())?.checked_mul(i128::from(per))?;
        Self::new(amount.mantissa(), denominator)
    }

    /// `amount / per` in picounits: a million-millionth of the currency.
    pub(super) fn pico(amount: Decimal, per: u64) -> Option<Self> {
        let (per, scale) = (i128::from(per), amount.scale());
        match Usd::SCALE.checked_sub(scale) {
            Some(more) => {
                Self::new(amount.mantissa().checked_mul(10_i128.checked_pow(more)?)?, per)
            }
            None => {
                let shift = 10_i128.checked_pow(scale.checked_sub(Usd::SCALE)?)?;
                Self::new(amount.mantissa(), per.checked_mul(shift)?)
            }
        }
    }

    pub(super) fn is_zero(self) -> bool {
        self.numerator == 0
    }

    pub(super) fn is_one(self) -> bool {
        self == Self::ONE
    }

    pub(super) fn times(self, other: Self) -> Option<Self> {
        if other.is_one() {
            return Some(self);
        }
        let numerator = self.numerator.checked_mul(other.numerator)?;
        Self::new(numerator, self.denominator.checked_mul(other.denominator)?)
    }

    pub(super) fn times_count(self, count: i128) -> Option<Self> {
        Self::new(self.numerator.checked_mul(count)?, self.denominator)
    }

    /// Whether it is greater than another; `false` where the comparison does not fit.
    pub(super) fn exceeds(self, other: Self) -> bool {
        let left = self.numerator.checked_mul(other.denominator);
        let right = other.numerator.checked_mul(self.denominator);
        left.zip(right).is_some_and(|(left, right)| left > right)
    }

    pub(super) fn times_decimal(self, quantity: Decimal) -> Option<Self> {
        let numerator = self.numerator.checked_mul(quantity.mantissa())?;
        match quantity.scale() {
            0 => Some(Self { numerator, denominator: self.denominator }),
            scale => {
                let shift = 10_i128.checked_pow(scale)?;
                Self::new(numerator, self.denominator.checked_mul(shift)?)
            }
        }
    }

    pub(super) fn plus(self, other: Self) -> Option<Self> {
        if self.denominator == other.denominator {
            let numerator = self.numerator.checked_add(other.numerator)?;
            return Some(Self { numerator, denominator: self.denominator });
        }
        let left = self.numerator.checked_mul(other.denominator)?;
        let right = other.numerator.checked_mul(self.denominator)?;
        Self::new(left.checked_add(right)?, self.denominator.checked_mul(other.denominator)?)
    }
}

fn greatest_common_divisor(a: i128, b: i128) -> Option<i128> {
    let (mut a, mut b) = (a.checked_abs()?, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    Some(a)
}
